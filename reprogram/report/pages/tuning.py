"""The page of a search for a recipe."""

import json
import pathlib
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from reprogram import files
from reprogram.report.pages.base import page_template
from reprogram.report.pages.figures import ACCENT
from reprogram.report.pages.figures import MUTED
from reprogram.report.pages.figures import canvas
from reprogram.report.pages.figures import drawn

if TYPE_CHECKING:
    import optuna


def write(study: "optuna.Study", folder: pathlib.Path) -> None:
    """Writes the best recipe, `recipe.json`, and the page `tuning.html`.

    Args:
        study: Finished search, as returned by `experiments.tuning.search`.
        folder: Path of the folder that the files are written into.
    """
    best = study.best_trial
    recipe = best.user_attrs["recipe"]
    text = json.dumps(recipe, indent=1)
    files.write_text(folder / "recipe.json", f"{text}\n")
    trials = [trial for trial in study.trials if trial.value is not None]
    refused = [t for t in study.trials if "refused" in t.user_attrs]
    page = page_template("tuning.html").render(
        title="Tuning",
        heading="What mattered",
        kicker="Tuning a recipe on validation data; the test set was not used",
        verdict=f"Use --recipe=recipe.json: validation loss {best.value:.4f},"
        f" of trial {best.number}.",
        facts=[
            (f"{len(trials):,} trials", "with a loss"),
            (f"{len(refused):,} refused", "recipes that do not fit together"),
        ],
        versions=files.versions(),
        made_from=" from the trials of the study",
        recipe=recipe,
        refused=[(str(t.params), t.user_attrs["refused"]) for t in refused],
        losses=_losses(trials),
        importances=_importances(study, trials),
        choices=_choices(trials),
    )
    files.write_text(folder / "tuning.html", page)


@drawn
def _losses(trials: list) -> Figure:
    figure, axes = canvas(6, 2.6)
    values = [trial.value for trial in trials]
    axes.plot(values, "o", color=MUTED, markersize=4)
    axes.plot(np.minimum.accumulate(values), color=ACCENT)
    axes.set(xlabel="trial", ylabel="validation loss")
    return figure


@drawn
def _importances(study: "optuna.Study", trials: list) -> Figure:
    """How much of the loss's variance the choices explain (fANOVA)."""
    import optuna

    figure, axes = canvas(6, 2.6)
    shares = {}
    if len(trials) > 3:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        names = set.intersection(*(set(t.params) for t in trials[1:]))
        shares = optuna.importance.get_param_importances(
            study, evaluator=evaluator, params=sorted(names)
        )
    axes.barh(list(shares)[::-1], list(shares.values())[::-1])
    axes.set_xlabel("share of the loss's variance")
    return figure


def _choices(trials: list) -> list[tuple[str, str, float, int]]:
    """Returns the best loss with each transform and each mapping."""
    losses: dict[tuple[str, str], list[float]] = {}
    for trial in trials:
        for kind in ("transform", "mapping"):
            if kind in trial.params:
                key = (kind, trial.params[kind])
                losses.setdefault(key, []).append(trial.value)
    rows = [(*key, min(v), len(v)) for key, v in losses.items()]
    return sorted(rows, key=lambda row: (row[0], row[2]))

"""What a search for a recipe has found."""

import json
import pathlib
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from reprogram import files
from reprogram.report.pages.figures import ACCENT
from reprogram.report.pages.figures import MUTED
from reprogram.report.pages.figures import drawn
from reprogram.report.pages.run import page_template

if TYPE_CHECKING:
    import optuna


def write(study: "optuna.Study", folder: pathlib.Path) -> None:
    """Writes `recipe.json`, the best recipe, and `tuning.html`, what mattered.

    Args:
        study: What `search` returned.
        folder: Where.
    """
    best = study.best_trial
    files.write_text(
        folder / "recipe.json",
        json.dumps(best.user_attrs["recipe"], indent=1) + "\n",
    )
    trials = [trial for trial in study.trials if trial.value is not None]
    refused = [t for t in study.trials if "refused" in t.user_attrs]
    page = page_template("tuning.html").render(
        best=best,
        recipe=best.user_attrs["recipe"],
        count=len(trials),
        refused=[(t.params, t.user_attrs["refused"]) for t in refused],
        losses=_losses(trials),
        importances=_importances(study, trials),
        choices=_choices(trials),
    )
    files.write_text(folder / "tuning.html", page)


@drawn
def _losses(trials: list) -> Figure:
    figure = Figure(figsize=(6, 2.6), layout="constrained")
    axes = figure.add_subplot()
    values = [trial.value for trial in trials]
    axes.plot(values, "o", color=MUTED, markersize=4)
    axes.plot(np.minimum.accumulate(values), color=ACCENT)
    axes.set(xlabel="trial", ylabel="validation loss")
    return figure


@drawn
def _importances(study: "optuna.Study", trials: list) -> Figure:
    """How much of the loss's variance the choices explain (fANOVA)."""
    import optuna

    figure = Figure(figsize=(6, 2.6), layout="constrained")
    axes = figure.add_subplot()
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
    """The best loss with each transform and each mapping."""
    rows = {}
    for trial in trials:
        for name in ("transform", "mapping"):
            if name in trial.params:
                key = (name, trial.params[name])
                rows.setdefault(key, []).append(trial.value)
    found = [(*key, min(v), len(v)) for key, v in rows.items()]
    return sorted(found, key=lambda row: (row[0], row[2]))

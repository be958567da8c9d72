"""The design space of a recipe, searched on validation data.

Reference: Tsao et al., AutoVP: an automated visual prompting framework and
benchmark, 2024, for the space. Its public code judges by training accuracy;
here a trial never sees a test row.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from reprogram.predictors import transform_of
from reprogram.predictors.data import Data
from reprogram.predictors.recipe import Recipe
from reprogram.predictors.reprogrammed import Reprogrammed

if TYPE_CHECKING:
    import optuna

# Those that need a callback or a vocabulary of their own are left out.
TRANSFORMS = {
    "image": (
        "padding",
        "overlay",
        "center_mix",
        "trainable_resize",
        "sample_mask",
        "identity",
    ),
    "series": ("padding", "segments", "sonification", "identity"),
    "molecule": ("gain", "soft_prompt", "identity"),
    "token": ("gain", "soft_prompt", "identity"),
}
MAPPINGS = ("linear", "frequency", "iterative", "optimal", "bayesian_plus")
WINDOWED = ("padding", "center_mix", "trainable_resize")
ARRAYS = (*WINDOWED, "overlay", "segments", "sonification")


def suggest(
    trial: "optuna.Trial",
    data: Data,
    base: Recipe,
) -> Recipe:
    """Draws a recipe from the design space.

    Args:
        trial: Trial of optuna.
        data: The task with its source, whose modality and usual transform
            decide what there is; only classification has a choice of
            mappings.
        base: Recipe with the choices that are not searched.

    Returns:
        The recipe.
    """
    source = data.frozen_source()
    named = TRANSFORMS[source.modality]
    default = transform_of.named(base, source)
    named = named if default in named else (default, *named)
    chosen: dict[str, Any] = {
        "transform": trial.suggest_categorical("transform", named)
    }
    if data.problem == "classification":
        chosen["mapping"] = trial.suggest_categorical("mapping", MAPPINGS)
    chosen["learning_rate"] = trial.suggest_float(
        "learning_rate", 1e-4, 3e-2, log=True
    )
    if chosen["transform"] in WINDOWED:
        chosen["window"] = trial.suggest_float("window", 0.4, 1.0)
    if chosen["transform"] in ARRAYS:
        chosen["program"] = trial.suggest_categorical(
            "program", ("free", "cosine", "patches")
        )
    if chosen["transform"] == "soft_prompt":
        chosen["prompt_length"] = trial.suggest_int("prompt_length", 1, 16)
    if chosen.get("mapping", "linear") not in ("linear", "bayesian_plus"):
        most = source.model.output_shape[-1] // len(data.names)
        chosen["labels_per_class"] = trial.suggest_int(
            "labels_per_class", 1, max(1, min(most, 10))
        )
    return dataclasses.replace(base, **chosen)


def loss_of(recipe: Recipe, data: Data) -> tuple[float, float]:
    """Trains a recipe on every draw and judges it by validation data alone.

    Args:
        recipe: The recipe to judge.
        data: The task with its draws and source; no test row is used.

    Returns:
        The lowest validation loss of an epoch, mean over the draws, and its
        standard deviation.

    Raises:
        ValueError: If the parts of the recipe do not go together.
    """
    losses = []
    for seed, (fit, held) in data.draws.items():
        model = Reprogrammed(seed, recipe).fit(data, fit, held)
        losses.append(np.nanmin(model.history["val_loss"]))
    return float(np.mean(losses)), float(np.std(losses))


def search(
    data: Data,
    base: Recipe,
    folder: pathlib.Path,
    trials: int,
    seconds: float | None = None,
    tell: Callable[[str], None] = print,
) -> "optuna.Study":
    """Searches for the recipe of the lowest validation loss.

    The first trial is the recipe as it is. Every trial is kept in
    `folder/trials.log`; the same call goes on where it ended.

    Args:
        data: Rows, targets, draws and source.
        base: The recipe to start from.
        folder: Folder of the results.
        trials: Number of trials in all, earlier ones included.
        seconds: Largest number of seconds to search this time.
        tell: Function that receives lines of progress.

    Returns:
        The study; `study.best_trial.user_attrs["recipe"]` is the best.

    Raises:
        ImportError: If optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "Tuning needs optuna: pip install reprogram[tune]"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    from optuna.storages import journal

    file = journal.JournalFileBackend(str(folder / "trials.log"))
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(file),
        study_name="recipe",
        load_if_exists=True,
    )
    states = optuna.trial.TrialState
    ended = (states.COMPLETE, states.PRUNED)
    done = len(study.get_trials(states=ended))
    study.sampler = optuna.samplers.TPESampler(seed=done)

    def objective(trial: "optuna.Trial") -> float:
        fresh = not trial.study.get_trials(states=ended)
        recipe = base
        if not fresh:
            recipe = suggest(trial, data, base)
        trial.set_user_attr("recipe", dataclasses.asdict(recipe))
        try:
            loss, deviation = loss_of(recipe, data)
        except ValueError as error:
            trial.set_user_attr("refused", str(error))
            raise optuna.TrialPruned(str(error)) from error
        trial.set_user_attr("deviation", deviation)
        return loss

    def said(study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
        value = "refused" if trial.value is None else f"{trial.value:.4f}"
        best = study.best_value if study.get_trials(states=ended[:1]) else None
        tell(f"trial {trial.number}: {value}, best {best}: {trial.params}")

    study.optimize(objective, max(0, trials - done), seconds, callbacks=[said])
    return study

"""The design space of a recipe, searched on validation data.

Reference: Tsao et al., AutoVP: an automated visual prompting framework and
benchmark, 2024, for the space. Its public code judges by training accuracy;
here a trial never sees a test row.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from reprogram.predictors import recipe as recipes
from reprogram.predictors import transform_of
from reprogram.predictors.data import Data
from reprogram.sources import Source

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
    "molecule": ("soft_prompt", "identity"),
    "token": ("soft_prompt", "identity"),
}
MAPPINGS = ("linear", "frequency", "iterative", "optimal", "bayesian_plus")
WINDOWED = ("padding", "center_mix", "trainable_resize")
ARRAYS = (*WINDOWED, "overlay", "segments", "sonification")


def suggest(
    trial: "optuna.Trial",
    source: Source,
    data: Data,
    base: recipes.Recipe,
) -> recipes.Recipe:
    """Draws a recipe from the design space.

    Args:
        trial: What optuna asks for.
        source: The frozen source; its modality and its suggested transform
            decide what there is.
        data: The task; only classification has a choice of mappings.
        base: What is not searched.

    Returns:
        The recipe.
    """
    named = TRANSFORMS[source.modality]
    default = transform_of.named(base, source)
    named = named if default in named else (default, *named)
    chosen = {"transform": trial.suggest_categorical("transform", named)}
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


def loss_of(
    recipe: recipes.Recipe, data: Data, source: Source
) -> tuple[float, float]:
    """Trains a recipe on every draw and judges it by validation data alone.

    Args:
        recipe: The choices.
        data: Its draws are used, its test rows are not.
        source: The frozen source.

    Returns:
        The lowest validation loss of an epoch, mean over the draws, and its
        standard deviation.

    Raises:
        ValueError: If the parts of the recipe do not go together.
    """
    found = []
    for seed, (fit, held) in data.draws.items():
        example = source.preprocess(data.inputs[fit[:1]])
        shape = (None, *example.shape[1:])
        if data.modality in ("molecule", "token"):
            shape = (None,) * len(shape)
        model = recipes.build(
            source, data.problem, data.names, recipe, shape, seed
        )
        pairs = [(data.inputs[r], data.targets[r]) for r in (fit, held)]
        history = recipes.train(model, source, recipe, *pairs)
        found.append(np.nanmin(history["val_loss"]))
    return float(np.mean(found)), float(np.std(found))


def search(
    data: Data,
    source: Source,
    base: recipes.Recipe,
    folder: pathlib.Path,
    trials: int,
    seconds: float | None = None,
    tell: Callable[[str], None] = print,
) -> "optuna.Study":
    """Searches for the recipe of the lowest validation loss.

    The first trial is the recipe as it is. Every trial is kept in
    `folder/trials.log`; the same call goes on where it ended.

    Args:
        data: Rows, targets and draws.
        source: The frozen source.
        base: The recipe to start from.
        folder: Of the results.
        trials: How many in all, earlier ones included.
        seconds: At most so long, this time.
        tell: Called with a line of progress.

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
    file = optuna.storages.journal.JournalFileBackend(
        str(folder / "trials.log")
    )
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
            recipe = suggest(trial, source, data, base)
        trial.set_user_attr("recipe", dataclasses.asdict(recipe))
        try:
            loss, deviation = loss_of(recipe, data, source)
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

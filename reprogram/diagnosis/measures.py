"""Measurements of a source and of the rows to train with."""

import dataclasses
import functools

import numpy as np

from reprogram.diagnosis import transferability
from reprogram.predictors import training
from reprogram.predictors.features import plain
from reprogram.predictors.recipe import Recipe
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source

MOST = 512
WINDOWS = (0.5, 0.75)


@dataclasses.dataclass(frozen=True)
class Sample:
    """A source and some rows.

    Args:
        source: The frozen source.
        raw: Raw inputs `(samples, ...)`.
        inputs: Preprocessed inputs `(samples, ...)`.
        targets: Class ids `(samples,)` or values `(samples, columns)`.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        count: Number of target classes or columns.
    """

    source: Source
    raw: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    problem: str
    count: int

    @functools.cached_property
    def plain(self) -> np.ndarray:
        """What the source reads without a transform."""
        return plain(self.source).preprocess(self.raw)

    @property
    def table(self) -> np.ndarray:
        """Targets as columns `(samples, columns)`."""
        if self.problem == "classification":
            return np.eye(self.count)[self.targets]
        return self.targets

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of a batch of inputs, any length of tokens."""
        if self.source.modality in ("molecule", "token"):
            return (None,) * self.inputs.ndim
        return (None, *self.inputs.shape[1:])


def read(source: Source, x: np.ndarray, layer: str | None) -> np.ndarray:
    """Returns outputs of a layer or of the source `(samples, width)`."""
    found = Reprogrammer(source.model, feature_layer=layer).source_scores(x)
    return np.asarray(found, "float64").reshape(len(x), -1)


def skill(features: np.ndarray, sample: Sample) -> float:
    """Cross-validated skill of a ridge or logistic probe: 0 trivial, 1 all.

    Features are `(samples, width)` or, of several views of each sample,
    `(views, samples, width)`: all views train, their mean predicts.
    """
    regression = sample.problem == "regression"
    targets = sample.targets
    columns = [targets] if targets.ndim == 1 else list(targets.T)
    x = features[None] if features.ndim == 2 else features
    scores = []
    for column in columns:
        known = np.isfinite(column)
        y = column[known] if regression else column[known].astype(int)
        score = _validated(x[:, known], y, sample.problem)
        if np.isfinite(score):
            scores.append(score)
    chance = {"classification": 1 / max(sample.count, 2), "multilabel": 0.5}
    score = float(np.mean(scores)) if scores else np.nan
    return _above(score, chance.get(sample.problem, 0.0))


def _validated(x: np.ndarray, y: np.ndarray, problem: str) -> float:
    """Mean score over folds of the samples, `x` (views, samples, width)."""
    from sklearn import linear_model
    from sklearn import metrics
    from sklearn import model_selection
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = problem == "regression"
    rarest = np.min(np.unique(y, return_counts=True)[1], initial=len(y))
    count = min(5, len(y) if regression else int(rarest))
    if count < 2 or len(np.unique(y)) < 2:
        return np.nan
    head = linear_model.LogisticRegression(C=1e-2, max_iter=1000)
    folds, score = model_selection.StratifiedKFold(count), "predict_proba"
    if regression:
        head = linear_model.RidgeCV(np.logspace(-1, 5, 13))
        folds, score = model_selection.KFold(count), "predict"
    found = []
    for fit, held in folds.split(x[0], y):
        probe = make_pipeline(StandardScaler(), head)
        probe.fit(np.concatenate(x[:, fit]), np.tile(y[fit], len(x)))
        answers = np.mean([getattr(probe, score)(v) for v in x[:, held]], 0)
        if regression:
            found.append(metrics.r2_score(y[held], answers))
        elif problem == "multilabel":
            found.append(metrics.roc_auc_score(y[held], answers[:, 1]))
        else:
            best = probe.classes_[answers.argmax(axis=1)]
            found.append(metrics.balanced_accuracy_score(y[held], best))
    return float(np.mean(found))


def _above(score: float, chance: float) -> float:
    return float(np.maximum((score - chance) / (1 - chance), 0.0))


def assignment(sample: Sample) -> tuple[float, float]:
    """Stability and skill of the best assignment of source classes."""
    if sample.problem != "classification" or sample.count < 2:
        return np.nan, np.nan
    answers = read(sample.source, sample.plain, None)
    if answers.shape[1] < sample.count:
        return np.nan, np.nan
    firm, right = transferability.label_map(
        answers, sample.targets, sample.count
    )
    return firm, _above(right, 1 / sample.count)


def programs(sample: Sample, epochs: int) -> tuple[float, float, float]:
    """Measures the effect of the default program, in three numbers.

    The skill of a probe below the untrained program, over all views; the best
    evidence below untrained programs; and the share of the loss that a trial
    of training removes. NaN where the program cannot enter the source, and
    where there is no trial.
    """
    default = Recipe()
    found = [Recipe(window=window, views=0) for window in WINDOWS]
    x, _ = training.views(sample.source, sample.raw, default.views)
    try:
        start = _below(sample, default, x)
        best = max(_evidence_below(sample, recipe) for recipe in found)
        taken = _trial(sample, epochs) if epochs else np.nan
    except ValueError:
        return np.nan, np.nan, np.nan
    start = start.reshape(-1, len(sample.raw), start.shape[-1])
    return skill(start, sample), best, taken


def _below(
    sample: Sample, recipe: Recipe, x: np.ndarray, seed: int | None = None
) -> np.ndarray:
    """Features below an untrained program, or a random one if seeded."""
    count = sample.table.shape[1]
    model = training.build(
        sample.source, "regression", count, recipe, sample.shape, seed or 0
    )
    rng = np.random.default_rng(seed)
    for weight in model.transform.trainable_weights if seed is not None else ():
        size = float(np.std(weight)) or 1.0
        weight.assign(size * rng.normal(size=weight.shape))
    return np.asarray(model.source_scores(x), "float64").reshape(len(x), -1)


def _evidence_below(sample: Sample, recipe: Recipe) -> float:
    """LogME of features below random programs, a mean over two."""
    found = [_below(sample, recipe, sample.inputs, seed) for seed in range(2)]
    return float(
        np.mean([transferability.log_evidence(x, sample.table) for x in found])
    )


def _trial(sample: Sample, epochs: int) -> float:
    """Fraction by which some epochs reduce the first validation loss."""
    recipe = Recipe(epochs=epochs, views=0)
    order = np.random.default_rng(0).permutation(len(sample.raw))
    held, fit = np.split(order, [max(3, len(order) // 3)])
    model = training.build(
        sample.source, sample.problem, sample.count, recipe, sample.shape
    )
    start, *after = training.train(
        model,
        sample.source,
        recipe,
        (sample.raw[fit], sample.targets[fit]),
        (sample.raw[held], sample.targets[held]),
    )["val_loss"]
    return float((start - np.min(after)) / max(start, 1e-9))


def distance(sample: Sample, reference: np.ndarray | None) -> float:
    """Sliced Wasserstein distance of the scores of both kinds of data."""
    source = sample.source
    if reference is None:
        from reprogram.sources import tiny

        if source.name not in tiny.RECIPES:
            return np.nan
        reference, _ = tiny.RECIPES[source.name].draw(MOST, 0)
    own = read(source, source.preprocess(reference), None)
    answers = read(source, sample.plain, None)
    return transferability.sliced_wasserstein(answers, own)


def mismatch(sample: Sample) -> dict[str, float]:
    """Compares size and range of the data with what the source reads."""
    found = {"resolution": np.nan, "outside": np.nan, "contrast": np.nan}
    source, x = sample.source, sample.inputs
    if source.modality not in ("image", "series"):
        return found
    asked = source.model.inputs[0].shape[1:-1]
    given = np.shape(sample.raw)[1:-1]
    if None not in asked and len(asked) == len(given):
        ratio = np.divide(given, asked)
        found["resolution"] = float(np.exp(np.log(ratio).mean()))
    if source.input_range is not None:
        low, high = source.input_range
        x = x[np.isfinite(x)]
        found["outside"] = float(np.mean((x < low) | (x > high)))
        used = np.ptp(np.quantile(x, [0.01, 0.99]))
        found["contrast"] = float(used / (high - low))
    return found

"""Means, intervals and paired comparisons over the seeds of a record."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from reprogram.metrics import share_interval

# A metric that is not named here: higher is better.
LOWER_IS_BETTER = ("rmse", "mae", "mse", "log_loss", "brier", "ece")
WITH_UNIT = ("rmse", "mae")
# What a model says of its own predictions; no column of a table.
ASSESSMENT = ("coverage", "coverage in domain", "in domain")
SHARES = ("accuracy", *ASSESSMENT)  # of the test rows
# What a metric can be at all; no interval that is shown leaves it.
RANGES = {
    **dict.fromkeys(LOWER_IS_BETTER, (0, math.inf)),
    **dict.fromkeys(("mcc", "spearman", "pearson"), (-1, 1)),
    **dict.fromkeys(("accuracy", "balanced_accuracy", "roc_auc"), (0, 1)),
    **dict.fromkeys(("average_precision", "ece"), (0, 1)),
    **dict.fromkeys(ASSESSMENT, (0, 1)),
    "r2": (-math.inf, 1),
}
LABELS = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "roc_auc": "ROC AUC",
    "spearman": "Spearman",
    "pearson": "Pearson",
    "mcc": "MCC",
    "ece": "ECE",
}
ROLES = {
    "reprogrammed": ("reprogrammed",),
    "trivial": ("mean predictor", "majority"),
    "probe": ("linear probe",),
}
UNDEFINED = {
    "spearman": "ranks are undefined where all predictions are equal",
    "pearson": "correlation is undefined where all predictions are equal",
    "r2": "undefined where all targets are equal",
    "roc_auc": "undefined unless the test rows have both classes",
}


def interval(
    values: Sequence[float | None] | np.ndarray,
) -> tuple[float, float]:
    """Computes the mean and its 95 % confidence interval over seeds.

    Args:
        values: Values, one for each seed; None and NaN are left out.

    Returns:
        The mean, and the half-width of the two-sided 95 % Student t interval:
        NaN for fewer than two values. Both NaN where there is no value.

    Example:
    >>> mean, half_width = interval([1.0, 2.0, 3.0])
    >>> round(mean, 3), round(half_width, 3)
    (2.0, 2.484)

    Reference: Student, The Probable Error of a Mean, 1908.
    """
    kept = np.array(values, "float64")
    kept = kept[np.isfinite(kept)]
    n = len(kept)
    if n < 2:
        return (float(kept[0]) if n else math.nan), math.nan
    quantile = special.stdtrit(n - 1, 0.975)
    half_width = quantile * kept.std(ddof=1) / math.sqrt(n)
    return float(kept.mean()), float(half_width)


def direction(metric: str) -> int:
    """Returns -1 for a metric where lower is better, otherwise 1."""
    return -1 if metric in LOWER_IS_BETTER else 1


def label(metric: str) -> str:
    """Writes the name of a metric as a reader expects it."""
    return LABELS.get(metric, metric.replace("_", " "))


def unit(record: dict, metric: str) -> str:
    """Returns the unit of a metric; empty where it has none."""
    return record["task"].get("unit") or "" if metric in WITH_UNIT else ""


def heading(record: dict, metric: str) -> str:
    """Writes the name of a metric with its unit."""
    in_unit = unit(record, metric)
    return f"{label(metric)} [{in_unit}]" if in_unit else label(metric)


def saved(record: dict) -> dict | None:
    """Finds the model that was saved; of old records the reprogrammed one."""
    for model in record["models"]:
        if model["name"] == record.get("predictor"):
            return model
    return find(record, "reprogrammed")


def find(record: dict, role: str) -> dict | None:
    """Finds the model that plays a role of `ROLES`, by how its name begins."""
    for model in record["models"]:
        if model["name"].lower().startswith(ROLES[role]):
            return model
    return None


def scores(model: dict, metric: str) -> np.ndarray:
    """Returns one float a seed, NaN where there is none."""
    return np.array(model["metrics"].get(metric, []), "float64")


def metrics(record: dict) -> list[str]:
    """Names the metrics that a table compares, the headline metric first."""
    names = [record["task"]["metric"]]
    names += [name for model in record["models"] for name in model["metrics"]]
    return [name for name in dict.fromkeys(names) if name not in ASSESSMENT]


def number_format(record: dict, metric: str) -> str:
    """Returns the format of all values of one metric, such as `.3f`."""
    means = [interval(scores(m, metric))[0] for m in record["models"]]
    largest = max((abs(m) for m in means if math.isfinite(m)), default=1.0)
    exponent = math.floor(math.log10(largest)) if largest else 0
    if not -5 < exponent < 7:
        return ".4g"
    return f".{max(0, 3 - exponent if exponent >= 0 else 2 - exponent)}f"


def ends(record: dict, model: dict, metric: str) -> tuple[float, float, float]:
    """Computes a mean over seeds and the interval that is shown with it.

    Returns:
        The mean, and the ends of its 95 % Student t interval, cut at the
        limits of the metric. Of a share of the test rows the interval is at
        least as wide as that of Wilson. NaN where there is none, and where
        all seeds are equal, which says nothing of the next one.
    """
    mean, half_width = interval(scores(model, metric))
    half_width = half_width or math.nan
    limits = RANGES.get(metric, (-math.inf, math.inf))
    low, high = np.clip([mean - half_width, mean + half_width], *limits)
    rows = record["task"].get("test_rows") or 0
    if metric == "coverage in domain":
        rows *= np.nan_to_num(scores(model, "in domain").mean())
    if metric in SHARES and rows and math.isfinite(mean):
        rows = round(rows)
        wilson = share_interval(round(mean * rows), rows)
        low, high = np.fmin(low, wilson[0]), np.fmax(high, wilson[1])
    return mean, float(low), float(high)


def estimate(
    record: dict, model: dict, metric: str, brief: bool = False
) -> str:
    """Writes `mean (low to high)` of one metric of one model, see `ends`.

    Or `mean (every seed)`; where some seeds have no value, their number is
    added; `n/a` where none has one. `brief` leaves out the interval.

    Example:
    >>> models = [{"metrics": {"roc_auc": [0.9, 0.92]}}]
    >>> estimate({"task": {}, "models": models}, models[0], "roc_auc")
    '0.910 (0.783 to 1.000)'
    """
    style = number_format(record, metric)
    mean, low, high = ends(record, model, metric)
    if math.isnan(mean):
        return "n/a"
    text = f"{mean:{style}}"
    known = np.isfinite(scores(model, metric))
    if not (brief or math.isnan(low)):
        text += f" ({low:{style}} to {high:{style}})"
    elif not brief and known.sum() > 1:
        text += " (every seed)"
    if known.all():
        return text
    return f"{text}, {known.sum()} of {len(known)} seeds"


def reason(model: dict, metric: str) -> str:
    """Says why a model has no value, or not for all seeds; empty if it has."""
    values = scores(model, metric)
    if len(values) and np.isfinite(values).all():
        return ""
    given = (model.get("reasons") or {}).get(metric)
    if not len(values):
        return given or "not measured for this model"
    return given or UNDEFINED.get(metric, "no finite value was recorded")


def best(record: dict) -> dict | None:
    """Finds the model of the best mean in the headline metric.

    A model without a value for every seed cannot be the best.
    """
    metric = record["task"]["metric"]
    whole = [m for m in record["models"] if not reason(m, metric)]
    sign = direction(metric)
    return max(
        whole, key=lambda m: sign * scores(m, metric).mean(), default=None
    )


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A model against a baseline, paired over seeds."""

    baseline: str
    verdict: str
    difference: float
    half_width: float
    reason: str = ""


def compare(
    record: dict, baseline: dict, model: dict | None = None
) -> Comparison:
    """Compares a model with a baseline, seed by seed.

    Args:
        record: Record of a run.
        baseline: Entry of the record's `models`.
        model: Other entry of `models`; by default the saved one, see `saved`.

    Returns:
        The verdict `better`, `worse`, `no difference seen` or `not decided`,
        the mean difference (model minus baseline) in the headline metric with
        the half-width of its 95 % interval, and the reason where nothing is
        decided.

    Raises:
        ValueError: If no model is given and the record has no saved one.

    Example:
    >>> record = {
    ...     "task": {"metric": "rmse"},
    ...     "models": [
    ...         {"name": "linear probe", "metrics": {"rmse": [0.9, 0.8]}},
    ...         {"name": "reprogrammed", "metrics": {"rmse": [0.7, 0.6]}},
    ...     ],
    ... }
    >>> compare(record, record["models"][0]).verdict
    'better'
    """
    metric = record["task"]["metric"]
    model = model or saved(record)
    if model is None:
        raise ValueError(
            "Expected a model to compare, or a record with a reprogrammed one."
            f" Received the models {[m['name'] for m in record['models']]}."
        )
    differences = scores(model, metric) - scores(baseline, metric)
    mean, half_width = interval(differences)
    lost = int(np.isnan(differences).sum())
    verdict, why = "not decided", ""
    if lost:
        why = f"no value for {lost} of {len(differences)} seeds"
    elif len(differences) < 2:
        why = "one seed gives no interval"
    elif abs(mean) <= half_width:
        verdict = "no difference seen"
    else:
        verdict = "better" if direction(metric) * mean > 0 else "worse"
    return Comparison(baseline["name"], verdict, mean, half_width, why)


def paired(record: dict, result: Comparison) -> str:
    """Writes a paired difference with its half-width, or why there is none."""
    style = number_format(record, record["task"]["metric"])
    text = f"{result.difference:+{style}} ± {result.half_width:{style}}"
    return result.reason or text

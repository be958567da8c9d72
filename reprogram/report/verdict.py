"""The verdict of a run, in one sentence."""

import numpy as np

from reprogram.report import statistics
from reprogram.report.statistics import Comparison

# How much a model takes to fit and to explain, by how its name begins.
SIMPLICITY = {
    "mean predictor": 0,
    "majority": 0,
    "linear probe": 1,
    "nearest neighbor": 1,
    "reprogrammed": 3,
    "few-label": 3,
    "LoRA": 4,
    "fine-tuning": 4,
}
USUAL = 2
# A simpler model is preferred where its mean gives up less than this share of
# what the best gains over the trivial baseline: few seeds hide large losses.
CLOSE = 0.1


def verdict(record: dict) -> str:
    """States which model to use, and why.

    Paired differences over the seeds decide, in the headline metric. Where
    none is shown between the best mean and a simpler model, and the means are
    close, the simpler one is recommended; one seed shows nothing.

    Args:
        record: Record of a run; its `seeds`, `task`, `train_size` and `models`
            are read.

    Returns:
        A sentence.

    Example:
    >>> probe = {"name": "linear probe", "metrics": {"mae": [0.9, 0.8]}}
    >>> program = {"name": "reprogrammed", "metrics": {"mae": [0.7, 0.6]}}
    >>> record = {"task": {"metric": "mae"}, "models": [probe, program]}
    >>> verdict({"seeds": [0, 1], **record}).split(":")[0]
    'Use the reprogrammed model'
    """
    metric = record["task"]["metric"]
    values = [m for m in record["models"] if not statistics.reason(m, metric)]
    values.sort(key=lambda model: _loss(model, record))
    if not values:
        name = statistics.label(metric)
        return (
            f"Nothing is shown: no model has a value of {name} for every seed."
        )
    best = values[0]
    if len(values) == 1:
        return (
            f"Nothing to compare: only {_the(best, record)} has a value for"
            f" every seed, {_value(best, record)}."
        )
    if len(record["seeds"]) == 1:
        return _one_draw(record, best, values[1])
    trivial = statistics.find(record, "trivial")
    if trivial and trivial in values:
        results = [statistics.compare(record, trivial, m) for m in values]
        values = [m for m, r in zip(values, results) if r.verdict == "better"]
        if not values:
            return _nothing(record, best, trivial)
    return _recommended(record, values, best)


def _recommended(record: dict, values: list[dict], first: dict) -> str:
    """Recommends one of the models that beat the trivial baseline."""
    best, *others = values
    against = {m["name"]: statistics.compare(record, m, best) for m in others}
    tied = [m for m in others if against[m["name"]].verdict != "better"]
    choice, text = best, f"Use {_the(best, record)}: {_value(best, record)}"
    simpler = [
        model
        for model in tied
        if _simpler(model, best) and _close(model, best, record)
    ]
    rivals = tied or others or [statistics.find(record, "trivial") or best]
    if simpler:
        choice = min(simpler, key=_rank)
        kind = "faster" if _rank(choice) == _rank(best) else "simpler"
        mean = "the best mean" if best is first else "a better mean"
        text = (
            f"Use {_the(choice, record)}: {_value(choice, record)};"
            f" {_the(best, record)} has {mean}, but is not shown to be better"
            f" than this {kind} model"
            f" ({_paired(against[choice['name']], record)})"
        )
        rivals = [best]
    else:
        text += _lead(record, rivals[0], best, len(tied))
    named = [choice, *rivals[:1]]
    return f"{text}{_about_the_program(record, choice, named)}."


def _loss(model: dict, record: dict) -> float:
    metric = record["task"]["metric"]
    mean = float(np.mean(statistics.scores(model, metric)))
    return -statistics.direction(metric) * mean


def _rank(model: dict) -> int:
    for beginning, rank in SIMPLICITY.items():
        if model["name"].startswith(beginning):
            return rank
    return USUAL


def _simpler(model: dict, other: dict) -> bool:
    """Whether a model is simpler, or as simple and twice as fast."""
    if _rank(model) != _rank(other):
        return _rank(model) < _rank(other)
    seconds = [
        statistics.interval(m.get("seconds") or [])[0] for m in (model, other)
    ]
    return 2 * seconds[0] < seconds[1]


def _close(model: dict, best: dict, record: dict) -> bool:
    """Whether the mean of a model is about as good as the best."""
    trivial, metric = (
        statistics.find(record, "trivial"),
        record["task"]["metric"],
    )
    if trivial is None or statistics.reason(trivial, metric):
        return True
    lost = _loss(model, record) - _loss(best, record)
    gained = _loss(trivial, record) - _loss(best, record)
    return lost <= CLOSE * gained


def _the(model: dict, record: dict) -> str:
    """Writes the name of a model, as short as it is clear."""
    names = [other["name"].split(",")[0] for other in record["models"]]
    head = model["name"].split(",")[0]
    name = head if names.count(head) == 1 else model["name"].replace(",", " on")
    name = "reprogrammed model" if name == "reprogrammed" else name
    return name if head in ("LoRA", "fine-tuning") else f"the {name}"


def _value(model: dict, record: dict, more: str = "") -> str:
    metric = record["task"]["metric"]
    text = statistics.estimate(record, model, metric)
    mean, _, ends = text.removesuffix(")").partition(" (")
    name, unit = statistics.label(metric), statistics.unit(record, metric)
    ends = f"95 % interval {ends}" if " to " in ends else ends
    notes = "; ".join(filter(None, [ends, more]))
    value = f"{name} {mean} {unit}".rstrip()
    return f"{value} ({notes})" if notes else value


def _paired(result: Comparison, record: dict) -> str:
    text = statistics.paired(record, result)
    return text if result.reason else f"paired difference {text}"


def _lead(record: dict, rival: dict, best: dict, tied: int) -> str:
    result = statistics.compare(record, rival, best)
    style = statistics.number_format(record, record["task"]["metric"])
    lead = f"{abs(result.difference):{style}} better than"
    more = f" and {tied - 1} more" if tied > 1 else ""
    how = "not shown to differ from" if tied else lead
    return f", {how} {_the(rival, record)} ({_paired(result, record)}){more}"


def _about_the_program(record: dict, choice: dict, named: list[dict]) -> str:
    program = statistics.find(record, "reprogrammed")
    if program is None or any(program is model for model in named):
        return ""
    result = statistics.compare(record, choice, program)
    says = {"worse": "adds nothing here", "better": "is better than that"}
    words = says.get(result.verdict, "is not shown to add anything")
    return f"; {_the(program, record)} {words}"


def _one_draw(record: dict, best: dict, rival: dict) -> str:
    size = record.get("train_size")
    draw = f"One draw of {size:,} labels" if size else "One draw"
    return (
        f"{draw} shows nothing: {_the(best, record)} came out ahead,"
        f" {_value(best, record)}, and {_the(rival, record)} next,"
        f" {_value(rival, record)}; only several seeds can tell them apart."
    )


def _nothing(record: dict, best: dict, trivial: dict) -> str:
    start = f"Nothing is shown to be better than {_the(trivial, record)}"
    if trivial is best:
        return f"{start}, {_value(best, record)}: use none of the models."
    paired = _paired(statistics.compare(record, trivial, best), record)
    return (
        f"{start}; the best mean is that of {_the(best, record)},"
        f" {_value(best, record, paired)}, and more labels or more seeds may"
        " show more."
    )

"""What the page says, as plain values for the template."""

from typing import Any

from reprogram.report import record as records
from reprogram.report import statistics
from reprogram.report.statistics import Comparison

MOST_SOURCES = 12

PHRASES = {
    "better": "better than the",
    "worse": "worse than the",
    "no difference seen": "no difference seen from the",
    "not decided": "not decided against the",
}


def answers(record: dict) -> list[dict[str, str]]:
    """Answers whether the reprogrammed model beats its baselines.

    Args:
        record: A record.

    Returns:
        A dict for each of the trivial baseline, the linear probe and the best
        of the others: `verdict`, `text`, and `detail`, the paired difference
        over seeds with its interval. Empty without a reprogrammed model.
    """
    ours = statistics.find(record, "reprogrammed")
    if ours is None:
        return []
    roles = ("trivial", "probe")
    baselines = [statistics.find(record, role) for role in roles]
    taken = [ours, *baselines]
    others = [model for model in record["models"] if model not in taken]
    baselines.append(statistics.best({**record, "models": others}))
    return [
        _answer(record, statistics.compare(record, baseline))
        for baseline in baselines
        if baseline
    ]


def _answer(record: dict, result: Comparison) -> dict[str, str]:
    return {
        "verdict": result.verdict,
        "text": f"{PHRASES[result.verdict]} {result.baseline}",
        "detail": result.reason or difference(record, result),
    }


def difference(record: dict, result: Comparison) -> str:
    """Writes a paired difference in the headline metric with its interval."""
    metric = record["task"]["metric"]
    style = statistics.number_format(record, metric)
    sign = "lower" if result.difference < 0 else "higher"
    size = f"{abs(result.difference):{style}} ± {result.half_width:{style}}"
    text = f"{statistics.label(metric)} {sign} by {size}"
    return f"{text} {statistics.unit(record, metric)}".strip()


def facts(record: dict) -> list[tuple[str, str]]:
    """Lists the numbers at the head of the page, each with what it is."""
    ours = statistics.find(record, "reprogrammed")
    metric = record["task"]["metric"]
    found = []
    if ours is not None:
        value = statistics.estimate(record, ours, metric)
        name = f"{statistics.label(metric)}, reprogrammed"
        in_unit = statistics.unit(record, metric)
        found.append((value, f"{name} [{in_unit}]" if in_unit else name))
    found.append((f"{record['train_size']:,}", "labels to train and select on"))
    found.append(
        (f"{record['trainable_parameters']:,}", "trainable parameters")
    )
    if record["source"].get("parameters") is not None:
        frozen = f"{record['source']['parameters']:,}"
        found.append((frozen, "frozen parameters of the source"))
    if record["task"].get("test_rows") is not None:
        found.append((f"{record['task']['test_rows']:,}", "test rows"))
    found.append((duration(record["seconds"]), "for the whole run"))
    return found


def duration(seconds: float) -> str:
    """Writes a duration in the unit that a reader would choose."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def result_rows(record: dict) -> list[dict[str, Any]]:
    """Lists the rows of the table of results, one a model."""
    ours = statistics.find(record, "reprogrammed")
    best = statistics.best(record)
    names = statistics.metrics(record)
    style = statistics.number_format(record, names[0])
    rows = []
    for model in record["models"]:
        row = {"name": model["name"], "ours": model is ours}
        row["best"] = model is best
        row["cells"] = [
            statistics.estimate(record, model, name) for name in names
        ]
        row["parameters"] = records.parameters(model)
        row["seconds"] = records.seconds(model)
        row["paired"] = row["verdict"] = ""
        if ours is not None and model is not ours:
            result = statistics.compare(record, model)
            row["verdict"] = result.verdict
            row["paired"] = result.reason or _signed(result, style)
        rows.append(row)
    return rows


def _signed(result: Comparison, style: str) -> str:
    size = f"{result.difference:+{style}}".replace("-", "\u2212")
    return f"{size} ± {result.half_width:{style}}"


def frozen(record: dict) -> dict[str, str]:
    """States whether the source is proven to have stayed the same."""
    before = record["source"]["fingerprint_before"]
    after = record["source"]["fingerprint_after"]
    state = "same" if before == after else "changed"
    if not before or not after:
        state = "unknown"
    return {"state": state, "before": before or "", "after": after or ""}


def mapping_rows(record: dict) -> list[dict[str, Any]]:
    """Lists the label mapping: a target, its sources, and how many more."""
    rows = []
    for target, *sources in record.get("mapping") or []:
        if len(sources) == 1 and isinstance(sources[0], list):
            sources = sources[0]
        shown = [_source(entry) for entry in sources[:MOST_SOURCES]]
        rows.append(
            {
                "target": number(target),
                "sources": shown,
                "more": len(sources) - len(shown),
            }
        )
    return rows


def _source(entry: Any) -> str:
    if isinstance(entry, list):
        return " × ".join(number(part) for part in entry)
    return number(entry)


def number(value: Any) -> str:
    """Writes a value: three digits of a fraction, all of an integer."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    return "n/a" if value is None else str(value)

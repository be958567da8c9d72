"""The promises of a saved model about its predictions, and their check."""

import math

from reprogram.report import statistics

LEAST_SHARE = 0.01  # of the vote, for a part that is named
NAMES = {
    "coverage": "coverage of the test values",
    "coverage in domain": "coverage inside the domain",
    "in domain": "test rows inside the domain",
}


def promises(record: dict) -> dict[str, str]:
    """Lists how often intervals or sets of the saved model held the truth.

    Args:
        record: Record whose saved model may have the metrics of `NAMES`.

    Returns:
        Texts by name; empty where nothing was promised.
    """
    saved = statistics.saved(record)
    metrics = saved["metrics"] if saved else {}
    if not saved or "coverage" not in metrics:
        return {}
    classes = record["task"]["problem"] == "classification"
    flags = record.get("flags") or {}
    promised = record.get("confidence") or flags.get("confidence") or 0.9
    name = f"coverage promised by the {'sets' if classes else 'intervals'}"
    shares = {
        name: _percent(*statistics.ends(record, saved, metric))
        for metric, name in NAMES.items()
        if metric in metrics
    }
    return {name: f"{100 * promised:.3g} %", **shares}


def _percent(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return "n/a"
    ends = f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * mean:.1f} %{'' if math.isnan(low) else ends}"


def carried(record: dict) -> list[tuple[str, list[list]]]:
    """Lists the parts of an ensemble for each target, the largest first.

    Args:
        record: Record of a run; its `carried` and target names are read.

    Returns:
        For each target its name and the rows of its parts: name, share in
        percent, and error inside the labels.
    """
    names = record["task"].get("target_names") or []
    listed = []
    for place, parts in enumerate(record.get("carried") or []):
        name = names[place] if place < len(names) else str(place)
        rows = [
            [
                part.replace(", ", " on "),
                round(100 * value["share"], 1),
                value.get("error"),
            ]
            for part, value in parts.items()
            if value["share"] >= LEAST_SHARE
        ]
        listed.append((name, sorted(rows, key=lambda row: -row[1])))
    return listed


def lines(record: dict) -> list[str]:
    """Writes the same as lines of text."""
    listed = [f"{name}: {text}" for name, text in promises(record).items()]
    for target, parts in carried(record):
        shares = ", ".join(f"{share:g} % {part}" for part, share, _ in parts)
        listed.append(f"{target} is carried by {shares}")
    return listed

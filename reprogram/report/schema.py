"""What a record of a run holds, and the check that it does."""

from collections.abc import Iterator
from typing import Any

SCHEMA = "reprogram.record/1"
MODALITIES = ("molecule", "image", "series")
PROBLEMS = ("classification", "multilabel", "regression")

NUMBER = (int, float)
MAYBE_NUMBER = (int, float, type(None))
MAYBE_TEXT = (str, type(None))

# A name that ends in "?" may be absent or null. A list of one entry is a list
# of such entries.
FIELDS = {
    "command": str,
    "created": str,
    "flags": dict,
    "versions": dict,
    "seeds": [int],
    "task": {
        "name": str,
        "modality": MODALITIES,
        "problem": PROBLEMS,
        "metric": str,
        "unit?": str,
        "target_names?": [str],
        "rows?": int,
        "dropped?": [list],
        "train_rows?": int,
        "test_rows?": int,
        "similarity?": dict,
        "citation?": str,
        "licence?": str,
    },
    "source": {
        "name": str,
        "parameters?": int,
        "fingerprint_before": MAYBE_TEXT,
        "fingerprint_after": MAYBE_TEXT,
        "licence?": str,
        "citation?": str,
    },
    "recipe?": dict,
    "train_size": int,
    "trainable_parameters": int,
    "seconds": NUMBER,
    "models": [
        {
            "name": str,
            "parameters?": int,
            "seconds?": [MAYBE_NUMBER],
            "metrics": dict,
            "reasons?": dict,
        }
    ],
    "history?": [
        {"seed": int, "loss?": [MAYBE_NUMBER], "val_loss?": [MAYBE_NUMBER]}
    ],
    "test?": {"inputs": list, "targets": list, "predictions": list},
    "mapping?": [list],
    "pictures?": [{"src": str, "title": str, "alt": str, "text": str}],
    "warnings?": [str],
}


def check(record: dict) -> None:
    """Checks that a record is complete and consistent.

    Args:
        record: A record as `plain` returns it.

    Raises:
        ValueError: If a field is missing or wrong; the message names all such
            fields.

    Example:
    >>> check({"schema": "reprogram.record/1"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: Not a complete record: `command` is missing; `created` ...
    """
    if not isinstance(record, dict) or "schema" not in record:
        raise ValueError(
            "Not a record of a run: expected a JSON object with a field"
            f' "schema": "{SCHEMA}". Received: {_shown(record)}.'
        )
    if record["schema"] != SCHEMA:
        raise ValueError(
            f"This version of reprogram reads the schema {SCHEMA!r}. Received:"
            f" {record['schema']!r}. Use the version that wrote the record, or"
            " run again."
        )
    problems = list(mismatches(record, FIELDS, ""))
    problems = problems or list(_contradictions(record))
    if problems:
        raise ValueError(
            f"Not a complete record: {'; '.join(problems)}. Run again with"
            " this version of reprogram, or correct the file."
        )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:76]} ..."


def mismatches(value: Any, expected: Any, path: str) -> Iterator[str]:
    """Names what of a value is not as a table such as `FIELDS` says.

    Args:
        value: What JSON held.
        expected: A dict of fields, a list of one entry, a tuple of the texts
            that are allowed, or a type or types.
        path: The name of this part in messages.
    """
    if isinstance(expected, dict):
        if not isinstance(value, dict):
            yield f"`{path}` must be an object, received {_shown(value)}"
            return
        for name, kind in expected.items():
            key = name.removesuffix("?")
            inner = f"{path}.{key}".lstrip(".")
            if key not in value and key == name:
                yield f"`{inner}` is missing"
            elif value.get(key) is not None or key == name:
                yield from mismatches(value[key], kind, inner)
    elif isinstance(expected, list):
        if not isinstance(value, list):
            yield f"`{path}` must be a list, received {_shown(value)}"
            return
        for i, entry in enumerate(value):
            yield from mismatches(entry, expected[0], f"{path}[{i}]")
    elif isinstance(expected, tuple) and isinstance(expected[0], str):
        if value not in expected:
            names = ", ".join(expected)
            yield f"`{path}` must be one of {names}, received {_shown(value)}"
    elif not isinstance(value, expected) or isinstance(value, bool):
        yield f"`{path}` must be {_kind(expected)}, received {_shown(value)}"


def _kind(expected: Any) -> str:
    if expected in (NUMBER, MAYBE_NUMBER):
        return "a number"
    names = {str: "text", int: "an integer", dict: "an object", list: "a list"}
    return names.get(expected, "text or null")


def _contradictions(record: dict) -> Iterator[str]:
    seeds, metric = record["seeds"], record["task"]["metric"]
    names = [model["name"] for model in record["models"]]
    if not seeds or len(set(seeds)) < len(seeds):
        yield f"`seeds` must name each seed once, received {_shown(seeds)}"
    if not names or len(set(names)) < len(names):
        yield f"`models` must have different names, received {_shown(names)}"
    for model in record["models"]:
        if metric not in model["metrics"]:
            yield f"model {model['name']!r} has no value of `{metric}`"
        lists = dict(model["metrics"])
        if model.get("seconds") is not None:
            lists["seconds"] = model["seconds"]
        for name, values in lists.items():
            path = f"{name} of {model['name']}"
            wrong = list(mismatches(values, [MAYBE_NUMBER], path))
            yield from wrong
            if not wrong and len(values) != len(seeds):
                yield (
                    f"`{path}` must have one value a seed ({len(seeds)}),"
                    f" received {len(values)}"
                )
    test = record.get("test") or {}
    columns = ("inputs", "targets", "predictions")
    rows = {name: len(test[name]) for name in columns if name in test}
    if len(set(rows.values())) > 1:
        yield f"the lists of `test` must be equally long, received {rows}"

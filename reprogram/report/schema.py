"""The content of a record of a run, and the check of it.

The JSON schemas of records and cards lie beside this file.
"""

import importlib.resources
import json
from collections.abc import Iterator
from typing import Any

SCHEMA = "reprogram.record/1"
KINDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "array": "a list",
}


def read(name: str) -> dict:
    """Reads a JSON schema of this folder.

    Args:
        name: `"record"` or `"card"`.
    """
    folder = importlib.resources.files("reprogram.report")
    return json.loads(folder.joinpath(f"{name}.schema.json").read_text("utf-8"))


def check(record: dict) -> None:
    """Checks that a record is complete and consistent.

    Args:
        record: Record of a run, as returned by `files.plain`.

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
    problems = validate(record, read("record")) or list(_contradictions(record))
    if problems:
        raise ValueError(
            f"Not a complete record: {'; '.join(problems)}. Run again with"
            " this version of reprogram, or correct the file."
        )


def validate(document: Any, schema: dict) -> list[str]:
    """Names everything in which a document departs from a JSON schema.

    Args:
        document: JSON value to check.
        schema: JSON schema, draft 2020-12.

    Returns:
        A clause for each fault: the path, what is expected and what was
        received. Empty where the document fits.

    Example:
    >>> schema = {"type": "array", "items": {"type": "integer"}}
    >>> validate([0, "1"], schema)
    ["`[1]` must be an integer, received '1'"]
    """
    import jsonschema

    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    clauses = [clause for error in errors for clause in _clauses(error)]
    return list(dict.fromkeys(clauses))


def _clauses(error: Any) -> Iterator[str]:
    steps = [f"[{s}]" if isinstance(s, int) else f".{s}" for s in error.path]
    path, value, wanted = "".join(steps), error.instance, error.validator_value
    if error.validator == "required":
        for name in wanted:
            if name not in value:
                yield f"`{f'{path}.{name}'.lstrip('.')}` is missing"
        return
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        text = f"must be {' or '.join(KINDS.get(k, k) for k in kinds)}"
    elif error.validator == "enum":
        text = f"must be one of {', '.join(map(str, wanted))}"
    elif error.validator in ("minItems", "maxItems"):
        most = "least" if error.validator == "minItems" else "most"
        text = f"must have at {most} {wanted} entries"
    elif error.validator == "uniqueItems":
        text = "must name each entry once"
    else:
        text = f"does not fit: {error.message}"
    yield f"`{path.lstrip('.') or '(all)'}` {text}, received {_shown(value)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:76]} ..."


def _contradictions(record: dict) -> Iterator[str]:
    seeds, metric = record["seeds"], record["task"]["metric"]
    names = [model["name"] for model in record["models"]]
    if len(set(names)) < len(names):
        yield f"`models` must have different names, received {_shown(names)}"
    for model in record["models"]:
        if metric not in model["metrics"]:
            yield f"model {model['name']!r} has no value of `{metric}`"
        lists = {**model["metrics"], "seconds": model.get("seconds")}
        for name, values in lists.items():
            if values is not None and len(values) != len(seeds):
                yield (
                    f"`{name} of {model['name']}` must have one value a seed"
                    f" ({len(seeds)}), received {len(values)}"
                )
    test, columns = (
        record.get("test") or {},
        ("inputs", "targets", "predictions"),
    )
    rows = {name: len(test[name]) for name in columns if name in test}
    if len(set(rows.values())) > 1:
        yield f"the lists of `test` must be equally long, received {rows}"

"""What a record of a run holds, as a JSON schema, and the check that it does.

The functions that make and apply schemas serve `card_schema` as well.
"""

from collections.abc import Iterator
from typing import Any

SCHEMA = "reprogram.record/1"
MODALITIES = ("molecule", "image", "series")
PROBLEMS = ("classification", "multilabel", "regression")

TEXT = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
OBJECT = {"type": "object"}
LIST = {"type": "array"}

WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "array": "a list",
}


def maybe(schema: dict) -> dict:
    """Returns a schema that admits null as well."""
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def list_of(entry: dict) -> dict:
    """Returns the schema of a list whose entries all fit one schema."""
    return {"type": "array", "items": entry}


def table_of(entry: dict) -> dict:
    """Returns the schema of an object whose values all fit one schema."""
    return {"type": "object", "additionalProperties": entry}


def fields(required: dict, optional: dict | None = None) -> dict:
    """Returns the schema of an object with named fields.

    Args:
        required: Schemas of the fields that it must have, by name.
        optional: Schemas of the fields that may be absent or null, by name.
            Fields that neither names are admitted and not looked at.
    """
    optional = {name: maybe(kind) for name, kind in (optional or {}).items()}
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
    }


MAYBE_TEXT, MAYBE_NUMBER = maybe(TEXT), maybe(NUMBER)
PICTURES = list_of(fields(dict.fromkeys(("src", "title", "alt", "text"), TEXT)))
FIELDS = fields(
    {
        "command": TEXT,
        "created": TEXT,
        "flags": OBJECT,
        "versions": OBJECT,
        "seeds": list_of(INTEGER) | {"minItems": 1, "uniqueItems": True},
        "task": fields(
            {
                "name": TEXT,
                "modality": {"enum": [*MODALITIES]},
                "problem": {"enum": [*PROBLEMS]},
                "metric": TEXT,
            },
            {
                "unit": TEXT,
                "target_names": list_of(TEXT),
                "rows": INTEGER,
                "dropped": list_of(LIST),
                "train_rows": INTEGER,
                "test_rows": INTEGER,
                "similarity": OBJECT,
                "citation": TEXT,
                "licence": TEXT,
            },
        ),
        "train_size": INTEGER,
        "seconds": NUMBER,
        "models": list_of(
            fields(
                {"name": TEXT, "metrics": table_of(list_of(MAYBE_NUMBER))},
                {
                    "kind": TEXT,
                    "parameters": INTEGER,
                    "seconds": list_of(MAYBE_NUMBER),
                    "reasons": OBJECT,
                },
            )
        )
        | {"minItems": 1},
    },
    {
        "verdict": TEXT,
        # The model of `models` that was saved, and how it was refitted.
        "predictor": TEXT,
        "refit": TEXT,
        # Probability that the intervals or sets of the predictor promise.
        "confidence": NUMBER,
        # For each target the share and the error of each part of an ensemble.
        "carried": list_of(
            table_of(fields({"share": NUMBER}, {"error": NUMBER}))
        ),
        "source": fields(
            {
                "name": TEXT,
                "fingerprint_before": MAYBE_TEXT,
                "fingerprint_after": MAYBE_TEXT,
            },
            {"parameters": INTEGER, "licence": TEXT, "citation": TEXT},
        ),
        "recipe": OBJECT,
        "trainable_parameters": INTEGER,
        "history": list_of(
            fields(
                {"seed": INTEGER},
                dict.fromkeys(("loss", "val_loss"), list_of(MAYBE_NUMBER)),
            )
        ),
        "test": fields({"inputs": LIST, "targets": LIST, "predictions": LIST}),
        "mapping": list_of(LIST),
        "pictures": PICTURES,
        "warnings": list_of(TEXT),
    },
)


def check(record: dict) -> None:
    """Checks that a record is complete and consistent.

    Args:
        record: A record as `files.plain` returns it.

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
    problems = validate(record, FIELDS) or list(_contradictions(record))
    if problems:
        raise ValueError(
            f"Not a complete record: {'; '.join(problems)}. Run again with"
            " this version of reprogram, or correct the file."
        )


def validate(document: Any, schema: dict) -> list[str]:
    """Names everything in which a document departs from a JSON schema.

    Args:
        document: Anything that JSON can hold.
        schema: A JSON schema, draft 2020-12.

    Returns:
        A clause for each fault: the path, what is expected and what was
        received. Empty where the document fits.

    Example:
    >>> validate({"seeds": [0, "1"]}, fields({"seeds": list_of(INTEGER)}))
    ["`seeds[1]` must be an integer, received '1'"]
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
        text = f"must be {' or '.join(WORDS.get(k, k) for k in kinds)}"
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

"""Records of shards, joined to one."""

from collections.abc import Iterable

import numpy as np

from reprogram import files
from reprogram.report import schema

# Flags in which the shards of one experiment may differ.
SHARD_FLAGS = (
    "jobs",
    "num_seeds",
    "num_shards",
    "output_dir",
    "seed",
    "seeds",
    "shard",
)


def merge(records: list[dict]) -> dict:
    """Joins the records of shards that ran different seeds.

    Args:
        records: Records of one task, one source and the same flags but for
            `SHARD_FLAGS`.

    Returns:
        One record with the seeds in order; its test predictions and label
        mapping are those of the lowest seed.

    Raises:
        ValueError: If there is no record, a seed occurs twice, or anything
            but the seeds differs; the message names what.
    """
    records = _checked(records)
    seeds = [seed for record in records for seed in record["seeds"]]
    order = np.argsort(seeds)
    history = [h for record in records for h in record.get("history") or []]
    merged = {
        **records[0],
        "command": _joined(record["command"] for record in records),
        "created": max(record["created"] for record in records),
        "verdict": None,
        "flags": _common([record["flags"] for record in records]),
        "seeds": [seeds[i] for i in order],
        "seconds": sum(record["seconds"] for record in records),
        "source": _suspect(records).get("source"),
        "models": _models(records, order),
        "history": sorted(history, key=lambda entry: entry["seed"]),
        "warnings": _warnings(records),
    }
    schema.check(merged)
    return merged


def _checked(records: list[dict]) -> list[dict]:
    if not records:
        raise ValueError("`records` must not be empty. Give one or more.")
    records = [files.plain(record) for record in records]
    for record in records:
        schema.check(record)
    records.sort(key=lambda record: min(record["seeds"]))
    for record in records[1:]:
        _refuse_difference(_identity(records[0]), _identity(record))
    seeds = [seed for record in records for seed in record["seeds"]]
    if len(set(seeds)) < len(seeds):
        raise ValueError(
            f"A seed occurs in more than one record. Received: {seeds}."
            " Give each shard once."
        )
    return records


def _identity(record: dict) -> dict:
    flags = {k: v for k, v in record["flags"].items() if k not in SHARD_FLAGS}
    task = {k: v for k, v in record["task"].items() if k != "similarity"}
    source = record.get("source") or {}
    source = {key: source.get(key) for key in ("name", "fingerprint_before")}
    models = {m["name"]: sorted(m["metrics"]) for m in record["models"]}
    names = ("train_size", "trainable_parameters", "predictor", "refit")
    return {
        "task": task,
        "flag": flags,
        "source": source,
        "model": models,
        "run": {name: record.get(name) for name in names},
    }


def _refuse_difference(first: dict, second: dict) -> None:
    for part in first:
        for name in sorted(first[part].keys() | second[part].keys()):
            one = first[part].get(name, "(absent)")
            other = second[part].get(name, "(absent)")
            if one != other:
                raise ValueError(
                    "Records of different runs cannot be merged: the"
                    f" {part} {name!r} is {repr(one)[:200]} in one and"
                    f" {repr(other)[:200]} in another. Merge shards that"
                    " differ in their seeds only."
                )


def _suspect(records: list[dict]) -> dict:
    """Returns the record whose source changed, so that merging hides none."""
    for record in records:
        source = record.get("source") or {}
        if source.get("fingerprint_before") != source.get("fingerprint_after"):
            return record
    return records[0]


def _common(flags: list[dict]) -> dict:
    first, *others = flags
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }


def _joined(commands: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(commands))


def _models(records: list[dict], order: np.ndarray) -> list[dict]:
    merged = []
    for model in records[0]["models"]:
        parts = [
            next(m for m in record["models"] if m["name"] == model["name"])
            for record in records
        ]
        joined = {**model, "metrics": {}, "reasons": {}}
        for part in parts:
            joined["reasons"].update(part.get("reasons") or {})
        for name in model["metrics"]:
            lists = [part["metrics"][name] for part in parts]
            joined["metrics"][name] = _ordered(lists, order)
        if all(part.get("seconds") is not None for part in parts):
            lists = [part["seconds"] for part in parts]
            joined["seconds"] = _ordered(lists, order)
        merged.append(joined)
    return merged


def _ordered(parts: list[list], order: np.ndarray) -> list:
    values = [value for part in parts for value in part]
    return [values[i] for i in order]


def _warnings(records: list[dict]) -> list[str]:
    found = [w for record in records for w in record.get("warnings") or []]
    if any(record["versions"] != records[0]["versions"] for record in records):
        found.append(
            "The merged shards ran with different package versions; those of"
            " the lowest seed are listed."
        )
    return list(dict.fromkeys(found))

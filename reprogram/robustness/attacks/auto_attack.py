"""AutoAttack: the standard ensemble, each attack on the remaining samples."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from reprogram.files import claim
from reprogram.files import digest
from reprogram.program import fingerprint
from reprogram.robustness.attacks.apgd import apgd
from reprogram.robustness.attacks.fab import fab
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.square import square
from reprogram.robustness.attacks.tools.job import Job
from reprogram.robustness.attacks.tools.masking import misuse
from reprogram.robustness.checks import checked

_CHUNK = 4  # batches between two savings
VERSIONS = ("standard", "fast", "rand")


def auto_attack(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    version: str = "standard",
    queries: int = 5000,
    folder: str | os.PathLike | None = None,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Runs the ensemble that robust accuracies are reported with.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`,
            preferably logits.
        threat: Threat model: `Linf`, `L2` or `L1`. For others only the attacks
            that support them run, and a flag names those left out.
        version: `"standard"` is APGD on the cross-entropy, APGD on nine
            targets, FAB on nine targets and Square; `"fast"` the first two;
            `"rand"`, for models that are random, APGD on the average of 20
            predictions, with both losses.
        queries: Number of queries of Square for each sample.
        folder: Path of a folder for finished parts, so that an interrupted run
            goes on; `None` keeps nothing.

    Returns:
        The adversarial inputs; `stages` holds the robust accuracy after each
        attack. Flags warn of scores that are probabilities, of zero
        gradients, of randomness, and of a Square that beats the gradients:
        each can mean that the model is less robust than it seems.

    Raises:
        ValueError: If the inputs do not fit, or the folder holds another run.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3], [0.9, 0.1]], "float32")
    >>> result = auto_attack(lambda x: x * 1.0, x, np.array([0, 0]),
    ...                      Linf(0.15), version="fast")
    >>> result.robust_accuracy()
    0.5

    Reference: Croce and Hein, Reliable Evaluation of Adversarial Robustness
    with an Ensemble of Diverse Parameter-free Attacks, 2020.
    """
    x, y, facts = checked(model, x, y, threat)
    job = Job(model, x, y, threat, facts, batch_size)
    stages, flags = _stages(job, version, queries)
    flags = flags + misuse(job, version)
    if folder is not None:
        claim(folder, _identity(job, version, queries, seed))
    right = job.labels(x) == y
    result = AttackResult(
        x.copy(), ~right, np.zeros(len(x)), np.ones(len(x), "int64"), flags
    )
    accuracies = [("clean", result.robust_accuracy())]
    for name, attack in stages.items():
        keep = None if folder is None else pathlib.Path(folder) / name
        stage = functools.partial(attack, batch_size=batch_size, seed=seed)
        result = _attacked(job, result, stage, keep, tell)
        accuracies.append((name, result.robust_accuracy()))
        if tell is not None:
            tell(f"{name}: {result.robust_accuracy():.1%} robust")
    flags = result.flags + _masked(accuracies)
    return dataclasses.replace(
        result, stages=tuple(accuracies), flags=tuple(dict.fromkeys(flags))
    )


def _stages(
    job: Job, version: str, queries: int
) -> tuple[dict[str, Callable], tuple[str, ...]]:
    """Returns the attacks that support the threat, and flags for the others."""
    targets = min(9, job.facts.classes - 1)
    targeted = functools.partial(apgd, loss="dlr", targets=targets)
    boundary = functools.partial(fab, targets=targets)
    score_based = functools.partial(square, queries=queries)
    tables: dict[str, dict[str, Callable]] = {
        "standard": {
            "apgd-ce": apgd,
            "apgd-t": targeted,
            "fab-t": boundary,
            "square": score_based,
        },
        "fast": {"apgd-ce": apgd, "apgd-t": targeted},
        "rand": {
            "apgd-ce": functools.partial(apgd, samples=20),
            "apgd-dlr": functools.partial(apgd, loss="dlr", samples=20),
        },
    }
    if version not in tables:
        raise ValueError(
            f"There is no version {version!r} of AutoAttack. There are:"
            f" {', '.join(tables)}."
        )
    stages = tables[version]
    flags: list[str] = []
    norm = job.threat.name
    knows = {
        "fab-t": norm.removesuffix(" restricted") in ("Linf", "L2", "L1"),
        "square": norm in ("Linf", "L2"),
    }
    for name, known in knows.items():
        if name in stages and not known:
            del stages[name]
            flags.append(f"{name} was left out: it does not know {norm}.")
    if not job.facts.differentiable:
        stages = {k: v for k, v in stages.items() if k == "square"}
        if not stages:
            raise ValueError(
                "The model has no gradients, and of AutoAttack only Square"
                " needs none: take version='standard' and Linf or L2."
                f" Received version={version!r} and {norm}."
            )
        flags.append("Square alone was run: the model has no gradients.")
    return stages, tuple(flags)


def _attacked(
    job: Job,
    before: AttackResult,
    attack: Callable,
    keep: pathlib.Path | None,
    tell: Callable[[str], None] | None,
) -> AttackResult:
    """Attacks the remaining samples, part by part; reads finished parts."""
    arrays = {
        name: getattr(before, name).copy()
        for name in ("adversarial", "success", "distance", "queries")
    }
    flags, left = before.flags, np.flatnonzero(~before.success)
    length = _CHUNK * job.batch_size
    for first in range(0, len(left), length):
        rows = left[first : first + length]
        path = keep and keep.with_name(f"{keep.name}-{first:06d}.npz")
        found = _saved(path)
        if found is None:
            found = attack(
                job.model, job.x[rows], job.y[rows], job.threat, tell=tell
            )
            _save(path, found)
        fell = rows[found.success]
        for name in ("adversarial", "success", "distance"):
            arrays[name][fell] = getattr(found, name)[found.success]
        arrays["queries"][rows] += found.queries
        flags += found.flags
    return AttackResult(**arrays, flags=flags)


def _save(path: pathlib.Path | None, result: AttackResult) -> None:
    if path is None:
        return
    values = dataclasses.asdict(result)
    values["flags"] = np.array(result.flags, dtype=str)
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        np.savez(file, **values)
    os.replace(part, path)


def _saved(path: pathlib.Path | None) -> AttackResult | None:
    if path is None or not path.exists():
        return None
    with np.load(path) as file:
        values = {name: file[name] for name in file.files}
    values["flags"] = tuple(values["flags"].tolist())
    values["stages"] = ()
    return AttackResult(**values)


def _identity(job: Job, version: str, queries: int, seed: int) -> dict:
    weights = None
    if isinstance(job.model, keras.Model):
        weights = fingerprint(job.model)
    return {
        "attack": "auto_attack",
        "version": version,
        "queries": queries,
        "threat": digest(np.array(repr(job.threat.key()).encode())),
        "epsilon": float(job.threat.epsilon),
        "data": digest(job.x, job.y),
        "weights": weights,
        "batch_size": job.batch_size,
        "seed": seed,
    }


def _masked(accuracies: list[tuple[str, float]]) -> tuple[str, ...]:
    names = [name for name, _ in accuracies]
    if "square" not in names or len(names) < 3:
        return ()
    before, after = accuracies[-2][1], accuracies[-1][1]
    if before - after <= 0.002:
        return ()
    return (
        f"Square, without gradients, took the robust accuracy from"
        f" {before:.1%} to {after:.1%}: the model may mask its gradients, and"
        " an attack made for it may do better.",
    )

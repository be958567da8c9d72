"""Accuracy against epsilon: one attack at several radii."""

import inspect
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.robustness.attacks.result import AttackResult


def sweep(
    attack: Callable,
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    epsilons: Sequence[float],
    **options: Any,
) -> dict[float, AttackResult]:
    """Runs an attack at several radii, each on the survivors of the last.

    A sample that fails at a radius also fails at a larger one and is not
    attacked again; a survivor is also attacked from its last result if the
    attack takes a `start`.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        attack: Attack function, such as `attacks.pgd`.
        threat: Threat model, whose radius is replaced.
        epsilons: Radii, in the unit of the threat.
        **options: Further arguments of the attack.

    Returns:
        The result at each radius, in ascending order. The queries of a sample
        are those of all radii so far.

    Raises:
        ValueError: If there is no radius.

    Example:
    >>> from reprogram.robustness import Linf
    >>> from reprogram.robustness.attacks import pgd
    >>> x = np.array([[0.5, 0.3], [0.5, 0.1]], "float32")
    >>> found = sweep(pgd, lambda x: x * 1.0, x, np.array([0, 0]), Linf(0.1),
    ...               [0.15, 0.25])
    >>> {epsilon: r.robust_accuracy() for epsilon, r in found.items()}
    {0.15: 0.5, 0.25: 0.0}
    """
    if not len(epsilons):
        raise ValueError("`epsilons` holds one radius at least.")
    warm = "start" in inspect.signature(attack).parameters
    results, last = {}, None
    for epsilon in sorted(map(float, epsilons)):
        if last is not None and last.success.all():
            results[epsilon] = last
            continue
        left = np.arange(len(x)) if last is None else ~last.success
        more = dict(options)
        if warm and last is not None:
            more["start"] = last.adversarial[left]
        if more.get("target") is not None:
            more["target"] = np.asarray(more["target"])[left]
        found = attack(model, x[left], y[left], threat.at(epsilon), **more)
        last = found if last is None else _joined(last, found, left)
        results[epsilon] = last
    return results


def _joined(
    last: AttackResult, found: AttackResult, left: np.ndarray
) -> AttackResult:
    arrays = {}
    for name in ("adversarial", "success", "distance", "queries"):
        arrays[name] = getattr(last, name).copy()
        arrays[name][left] = getattr(found, name)
    arrays["queries"][left] += last.queries[left]
    flags = tuple(dict.fromkeys(last.flags + found.flags))
    return AttackResult(**arrays, flags=flags)

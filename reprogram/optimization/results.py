"""Results of searches, as JSON can hold them."""

import collections
from typing import Any

import numpy as np

from reprogram.optimization.objective import front
from reprogram.optimization.search.archive import Archive

TOP = 100  # molecules that are kept of each search


def line(found: dict) -> str:
    """Sums up the result of one start in a line."""
    start = found["start"] or "no start"
    if found["reason"]:
        return f"{start}: {found['reason']}"
    if found["smiles"] is None:
        return f"{start}: nothing within the bounds in {found['calls']} calls"
    values = [f"{n} {value:.4g}" for n, value in found["values"].items()]
    for name, again in found.get("unsteady", {}).items():
        values.append(f"{name} asked again {again:.4g}: it is not steady")
    return (
        f"{start} -> {found['smiles']}, {', '.join(values)}, similarity"
        f" {found['similarity']:.2f}, {found['calls']} calls"
    )


def refused(row: int, start: str | None, budget: int, reason: str) -> dict:
    """Makes the result of a start that cannot be used."""
    return {
        "row": row,
        "start": start,
        "reason": reason,
        "solved": False,
        "smiles": None,
        "calls": 0,
        "budget": budget,
    }


def result(row: int, archive: Archive, budget: int, seconds: float) -> dict:
    """Makes the result of one start, after its search.

    Returns:
        `start`, `smiles` and `values` of the best molecule within the bounds
        (`None` if there is none), `similarity`, `calls`, `solved`, `path`
        from the start, `curve` of the best value by call, the `top`
        molecules, the Pareto `front`, and how often each of the `proposers`
        was asked for.
    """
    names, best = archive.objective.properties, archive.best()
    good = np.flatnonzero(archive.feasible())
    order = good[np.argsort(-archive.utility()[good], kind="stable")]
    wanted = archive.objective.directions(archive.values[good])
    found: dict[str, Any] = {
        "row": row,
        "start": archive.start,
        "reason": "",
        "solved": archive.solved(),
        "smiles": None,
        "calls": len(archive),
        "budget": budget,
        "seconds": seconds,
        "curve": _curve(archive),
        "unknown": int(np.isnan(archive.values).any(axis=1).sum()),
        "start_values": None,
        "proposers": _credit(archive),
        "top": [_entry(archive, i) for i in order[:TOP]],
        "front": [],
    }
    if archive.start is None:
        # What a curve of the best ten needs, in the order of the calls.
        found["asked"] = archive.utility().tolist()
    if archive.start in archive.rows:
        values = archive.values[archive.rows[archive.start]]
        found["start_values"] = dict(zip(names, values.tolist()))
    if wanted.shape[1] > 1 and len(good):
        found["front"] = [_entry(archive, i) for i in good[front(wanted)][:TOP]]
    if best is not None:
        found |= _entry(archive, best)
        found["path"] = archive.path(best)
    return found


def _entry(archive: Archive, row: int) -> dict:
    names = archive.objective.properties
    return {
        "smiles": archive.smiles[row],
        "values": dict(zip(names, archive.values[row].tolist())),
        "similarity": archive.frame.similarity(archive.molecules[row]),
        "call": int(row) + 1,
        "proposer": archive.proposers.get(archive.smiles[row], ""),
    }


def _curve(archive: Archive) -> list[tuple[int, list[float]]]:
    """The values of the best molecule at each call that brought a better."""
    good, utility = archive.feasible(), archive.utility()
    best, found = -np.inf, []
    for row in np.flatnonzero(good):
        if utility[row] > best:
            best = utility[row]
            found.append((int(row) + 1, archive.values[row].tolist()))
    return found


def _credit(archive: Archive) -> dict[str, int]:
    names = map(archive.proposers.get, archive.smiles)
    return dict(collections.Counter(filter(None, names)))

"""Oracles of molecules, by name."""

import functools
import pathlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from reprogram.blackbox.ledger import Oracle
from reprogram.molecules import properties
from reprogram.molecules.smiles import parse
from reprogram.optimization.oracles import external
from reprogram.optimization.oracles import pmo
from reprogram.parallel import map_chunks

ORACLES: dict[str, Callable[[Chem.Mol], float]] = {
    "qed": properties.qed,
    "logp": properties.logp,
    "sa": properties.synthetic_accessibility,
    "weight": properties.weight,
    "tpsa": properties.polar_surface,
    "penalized_logp": properties.penalized_logp,
    "penalized_logp_rings": properties.penalized_logp_rings,
    "penalized_logp_normalized": properties.penalized_logp_normalized,
    **pmo.PMO,
}


def get(name: str) -> Oracle:
    """Looks up an oracle, which scores many molecules.

    Args:
        name: Key of `ORACLES`; `module:function`, a function of yours from a
            list of SMILES to as many numbers; `http://...`, a service that
            takes `{"smiles": [...]}` and returns `{"values": [...]}`; `folder`
            or `folder:target`, a run of `scripts.train`; or a file of
            `fit_kinase`.

    Returns:
        A function from a list of canonical SMILES to as many numbers, NaN
        where there is none.

    Raises:
        ValueError: If there is no such oracle.

    Example:
    >>> [round(value, 3) for value in get("logp")(["CCO", "CCCC"])]
    [-0.001, 1.806]
    """
    if name in ORACLES:
        return lambda smiles: [ORACLES[name](parse(row)) for row in smiles]
    if name.startswith(("http://", "https://")):
        return external.service(name)
    if run := external.run_of(name):
        return external.run(*run)
    if ":" in name:
        return external.function(name)
    if name.endswith(".npz") and pathlib.Path(name).exists():
        from reprogram.optimization.oracles import kinases

        return kinases.load(name)
    raise ValueError(
        f"No oracle {name!r}. Expected one of {', '.join(ORACLES)};"
        " module:function; an http address; the folder of a run, or"
        " folder:target; or a .npz of optimization.oracles.kinases."
    )


def score(smiles: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Computes properties of many molecules on all cores.

    Args:
        smiles: Valid SMILES strings.
        names: Keys of `ORACLES`.

    Returns:
        A float64 array `(molecules, names)`.

    Raises:
        ValueError: If a string is not a molecule, or a name is not known.

    Example:
    >>> score(["CCO"], ["weight"]).round(1).tolist()
    [[46.1]]
    """
    unknown = [name for name in names if name not in ORACLES]
    if unknown:
        raise ValueError(
            f"No property {unknown[0]!r}. Expected: {', '.join(ORACLES)}."
        )
    parts = map_chunks(functools.partial(_score, names=names), smiles)
    return np.concatenate(parts or [np.zeros((0, len(names)))])


def _score(smiles: Sequence[str], names: Sequence[str]) -> np.ndarray:
    rows = [[ORACLES[name](m) for name in names] for m in map(parse, smiles)]
    return np.array(rows, "float64").reshape(-1, len(names))

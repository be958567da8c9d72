"""The twenty tasks of the PMO benchmark that RDKit alone can score.

Reference: Gao et al., Sample Efficiency Matters: A Benchmark for Practical
Molecular Optimization, 2022; Brown et al., GuacaMol, 2019.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

from rdkit import Chem
from rdkit import DataStructs
from rdkit.Chem import Descriptors
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors
from rdkit.Chem.Pharm2D import Generate
from rdkit.Chem.Pharm2D import Gobbi_Pharm2D

from reprogram.molecules import properties

Score = Callable[[Chem.Mol], float]

TARGETS = {
    "albuterol": "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1",
    "amlodipine": r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC",
    "camphor": "CC1(C)C2CCC1(C)C(=O)C2",
    "celecoxib": ("CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"),
    "fexofenadine": (
        "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4"
    ),
    "kinase inhibitor": ("CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C"),
    "menthol": "CC(C)C1CCC(C)CC1O",
    "mestranol": (
        "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"
    ),
    "osimertinib": (
        "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
    ),
    "perindopril": "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC",
    "ranolazine": "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2",
    "sildenafil": (
        "CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C"
    ),
    "sitagliptin": "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F",
    "tadalafil": ("O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C"),
    "thiothixene": "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1",
    "troglitazone": "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O",
    "zaleplon": "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1",
}
SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"
THIAZOLE = "[#7]-c1ccc2ncsc2c1"
SULFONE = "CS([#6])(=O)=O"
DECORATION = "[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"
BIPHENYL_AMIDE = "CN(C=O)Cc1ccc(c2ccccc2)cc1"
FEATURES = rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
FINGERPRINTS = {
    "ecfp4": rdFingerprintGenerator.GetMorganGenerator(2),
    "ecfp6": rdFingerprintGenerator.GetMorganGenerator(3),
    "fcfp4": rdFingerprintGenerator.GetMorganGenerator(
        2, atomInvariantsGenerator=FEATURES
    ),
    "pairs": rdFingerprintGenerator.GetAtomPairGenerator(maxDistance=10),
}


def _fingerprint(molecule: Chem.Mol, kind: str) -> Any:
    if kind == "gobbi":
        return Generate.Gen2DFingerprint(molecule, Gobbi_Pharm2D.factory)
    return FINGERPRINTS[kind].GetSparseCountFingerprint(molecule)


@functools.cache
def _target(name: str, kind: str) -> Any:
    return _fingerprint(Chem.MolFromSmiles(TARGETS[name]), kind)


@functools.cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


def _similarity(target: str, kind: str) -> Score:
    def score(molecule: Chem.Mol) -> float:
        found = _fingerprint(molecule, kind)
        return DataStructs.TanimotoSimilarity(_target(target, kind), found)

    return score


def _clipped(score: Score, limit: float) -> Score:
    return lambda molecule: min(score(molecule) / limit, 1.0)


def _bell(score: Score, mean: float, deviation: float) -> Score:
    def found(molecule: Chem.Mol) -> float:
        return math.exp(-0.5 * ((score(molecule) - mean) / deviation) ** 2)

    return found


def _above(score: Score, mean: float, deviation: float) -> Score:
    bell = _bell(score, mean, deviation)
    return lambda m: 1.0 if score(m) >= mean else bell(m)


def _below(score: Score, mean: float, deviation: float) -> Score:
    bell = _bell(score, mean, deviation)
    return lambda m: 1.0 if score(m) <= mean else bell(m)


def _mean(*scores: Score) -> Score:
    return lambda molecule: sum(s(molecule) for s in scores) / len(scores)


def _geometric(*scores: Score) -> Score:
    def found(molecule: Chem.Mol) -> float:
        values = [score(molecule) for score in scores]
        if min(values) <= 0:
            return 0.0
        return math.exp(sum(map(math.log, values)) / len(values))

    return found


def _has(smarts: str) -> Score:
    return lambda molecule: float(molecule.HasSubstructMatch(_pattern(smarts)))


def _lacks(smarts: str) -> Score:
    return lambda molecule: 1.0 - _has(smarts)(molecule)


def _count(symbol: str) -> Score:
    def found(molecule: Chem.Mol) -> float:
        if symbol == "H":
            return sum(a.GetTotalNumHs() for a in molecule.GetAtoms())
        return sum(a.GetSymbol() == symbol for a in molecule.GetAtoms())

    return found


def _isomer(**atoms: int) -> Score:
    def total(molecule: Chem.Mol) -> float:
        return molecule.GetNumAtoms() + _count("H")(molecule)

    parts = [_bell(_count(symbol), n, 1) for symbol, n in atoms.items()]
    return _geometric(*parts, _bell(total, sum(atoms.values()), 2))


def _rings(molecule: Chem.Mol) -> float:
    return rdMolDescriptors.CalcNumRings(molecule)


def _aromatic_rings(molecule: Chem.Mol) -> float:
    return rdMolDescriptors.CalcNumAromaticRings(molecule)


def _like_sitagliptin(score: Score, deviation: float) -> Score:
    target = Chem.MolFromSmiles(TARGETS["sitagliptin"])
    return _bell(score, score(target), deviation)


LOGP, TPSA = properties.logp, properties.polar_surface
PMO: dict[str, Score] = {
    "albuterol_similarity": _clipped(_similarity("albuterol", "fcfp4"), 0.75),
    "amlodipine_mpo": _geometric(
        _similarity("amlodipine", "ecfp4"), _bell(_rings, 3, 0.5)
    ),
    "celecoxib_rediscovery": _similarity("celecoxib", "ecfp4"),
    "deco_hop": _mean(
        _clipped(_similarity("kinase inhibitor", "gobbi"), 0.85),
        *(_lacks(SULFONE), _lacks(THIAZOLE), _has(SCAFFOLD)),
    ),
    "fexofenadine_mpo": _geometric(
        _clipped(_similarity("fexofenadine", "pairs"), 0.8),
        *(_above(TPSA, 90, 10), _below(LOGP, 4, 1)),
    ),
    "isomers_c7h8n2o2": _isomer(C=7, H=8, N=2, O=2),
    "isomers_c9h10n2o2pf2cl": _isomer(C=9, H=10, N=2, O=2, P=1, F=2, Cl=1),
    "median1": _geometric(
        _similarity("camphor", "ecfp4"), _similarity("menthol", "ecfp4")
    ),
    "median2": _geometric(
        _similarity("tadalafil", "ecfp6"), _similarity("sildenafil", "ecfp6")
    ),
    "mestranol_similarity": _clipped(_similarity("mestranol", "pairs"), 0.75),
    "osimertinib_mpo": _geometric(
        _clipped(_similarity("osimertinib", "fcfp4"), 0.8),
        _below(_similarity("osimertinib", "ecfp6"), 0.85, 0.1),
        *(_above(TPSA, 100, 10), _below(LOGP, 1, 1)),
    ),
    "perindopril_mpo": _geometric(
        _similarity("perindopril", "ecfp4"), _bell(_aromatic_rings, 2, 0.5)
    ),
    "qed": properties.qed,
    "ranolazine_mpo": _geometric(
        _clipped(_similarity("ranolazine", "pairs"), 0.7),
        *(_above(LOGP, 7, 1), _bell(_count("F"), 1, 1), _above(TPSA, 95, 20)),
    ),
    "scaffold_hop": _mean(
        _clipped(_similarity("kinase inhibitor", "gobbi"), 0.75),
        *(_has(DECORATION), _lacks(SCAFFOLD)),
    ),
    "sitagliptin_mpo": _geometric(
        _bell(_similarity("sitagliptin", "ecfp4"), 0, 0.1),
        _like_sitagliptin(LOGP, 0.2),
        _like_sitagliptin(TPSA, 5),
        _isomer(C=16, H=15, F=6, N=5, O=1),
    ),
    "thiothixene_rediscovery": _similarity("thiothixene", "ecfp4"),
    "troglitazone_rediscovery": _similarity("troglitazone", "ecfp4"),
    "valsartan_smarts": _geometric(
        _has(BIPHENYL_AMIDE),
        _like_sitagliptin(TPSA, 5),
        _like_sitagliptin(LOGP, 0.2),
        _like_sitagliptin(Descriptors.BertzCT, 30),
    ),
    "zaleplon_mpo": _geometric(
        _similarity("zaleplon", "ecfp4"), _isomer(C=19, H=17, N=3, O=2)
    ),
}

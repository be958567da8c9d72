"""A Gaussian process over molecules, learned from the calls so far.

Its inputs are count fingerprints, and the weight and counts of atoms, rings
and bonds that any drawing of the molecule shows. QED is made of some of them,
but no estimate of a property, such as logP, surface area or QED, is among
them: what a call answers must be learned from calls.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem import Fragments
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors
from scipy import linalg

FOLDS = 1024  # columns of the fingerprint
LEVELS = 3  # counts above this are alike
MORGAN = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=FOLDS)
ELEMENTS = (6, 7, 8, 9, 16, 17, 35, 15, 53)
COUNTS = (
    rdMolDescriptors.CalcNumRings,
    rdMolDescriptors.CalcNumAromaticRings,
    rdMolDescriptors.CalcNumAliphaticRings,
    rdMolDescriptors.CalcNumHeterocycles,
    rdMolDescriptors.CalcNumAromaticHeterocycles,
    rdMolDescriptors.CalcNumRotatableBonds,
    rdMolDescriptors.CalcNumHBD,
    rdMolDescriptors.CalcNumHBA,
    rdMolDescriptors.CalcNumAmideBonds,
    rdMolDescriptors.CalcFractionCSP3,
    rdMolDescriptors.CalcNumSpiroAtoms,
    rdMolDescriptors.CalcNumBridgeheadAtoms,
    rdMolDescriptors.CalcExactMolWt,
    Fragments.fr_NH0,
    Fragments.fr_Ar_N,
    Fragments.fr_C_O,
    Fragments.fr_halogen,
)


def features(molecules: Sequence[Chem.Mol]) -> tuple[np.ndarray, np.ndarray]:
    """Describes molecules to the process.

    Args:
        molecules: Sanitized molecules.

    Returns:
        Thermometer codes of the counts of 1,024 folded environments, 0 or 1,
        float32 `(molecules, 3 * 1024)`; and 30 counts of the whole molecule,
        float32 `(molecules, 30)`.
    """
    counts = np.zeros((len(molecules), FOLDS), "uint8")
    whole = np.zeros((len(molecules), 4 + len(ELEMENTS) + len(COUNTS)))
    for row, molecule in enumerate(molecules):
        found = MORGAN.GetCountFingerprintAsNumPy(molecule)
        counts[row] = np.minimum(found, LEVELS)
        pairs = [
            (a.GetAtomicNum(), a.GetFormalCharge()) for a in molecule.GetAtoms()
        ]
        atoms, charges = map(list, zip(*pairs))
        rings = molecule.GetRingInfo().AtomRings()
        whole[row] = [
            len(atoms),
            sum(charges),
            sum(map(abs, charges)),
            max(map(len, rings), default=0),
            *(atoms.count(number) for number in ELEMENTS),
            *(count(molecule) for count in COUNTS),
        ]
    codes = [counts >= level for level in range(1, LEVELS + 1)]
    return np.concatenate(codes, axis=1).astype("float32"), whole


def tanimoto(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Computes the Tanimoto similarity of all pairs of codes."""
    shared = first @ second.T
    total = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - shared
    return shared / np.maximum(total, 1e-9)


class Surrogate:
    """Predicts values with their uncertainty.

    The kernel is a mixture of the Tanimoto kernel and a Gaussian one on
    scaled counts; mixture, width and noise are those of the highest marginal
    likelihood on a grid, with the scale in closed form.

    Args:
        most: Molecules to learn from; of more, half are the best and half
            the latest.

    Example:
    >>> mols = [Chem.MolFromSmiles("C" * n) for n in range(1, 12)]
    >>> model = Surrogate().fit(features(mols), np.arange(11.0))
    >>> mean, deviation = model.predict(features(mols[4:5]))
    >>> abs(mean[0] - 4) < 0.5
    np.True_

    Reference: Rasmussen and Williams, Gaussian Processes for Machine
    Learning, 2006; Griffiths et al., GAUCHE, 2023.
    """

    grid = tuple(
        itertools.product((0.1, 0.5, 0.9), (0.7, 1.5, 3.0), (1e-3, 1e-2, 0.1))
    )

    def __init__(self, most: int = 400):
        self.most = most
        self._chosen, self._size = None, 0

    def fit(
        self, inputs: tuple[np.ndarray, np.ndarray], values: np.ndarray
    ) -> "Surrogate":
        """Learns from values `(molecules,)` of inputs from `features`."""
        values = np.asarray(values, "float64")
        rows = np.arange(len(values))
        if len(rows) > self.most:
            late = rows[-self.most // 2 :]
            best = np.argsort(-values[: -self.most // 2], kind="stable")
            rows = np.union1d(late, best[: self.most // 2])
        codes, whole = (part[rows] for part in inputs)
        self._codes, values = codes, values[rows]
        self._center = whole.mean(axis=0)
        self._spread = whole.std(axis=0) + 0.1 * (whole.std(axis=0) == 0) + 1e-6
        self._whole = (whole - self._center) / self._spread
        self._mean, self._scale = values.mean(), values.std() + 1e-12
        target = (values - self._mean) / self._scale
        alike, near = tanimoto(codes, codes), self._distances(self._whole)
        if self._chosen is None or len(rows) > 1.5 * self._size:
            self._size = len(rows)
            fits = [self._fit(alike, near, target, *g) for g in self.grid]
            best = int(np.argmax([fit[0] for fit in fits]))
            self._chosen, fit = self.grid[best], fits[best]
        else:
            fit = self._fit(alike, near, target, *self._chosen)
        _, self._factor, self._weights, self._variance = fit
        return self

    def predict(
        self, inputs: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and standard deviations `(molecules,)`."""
        codes, whole = inputs
        whole = (whole - self._center) / self._spread
        mix, width, _ = self._chosen
        near = self._distances(whole)
        cross = mix * tanimoto(codes, self._codes)
        cross += (1 - mix) * np.exp(-0.5 * near / width**2)
        mean = cross @ self._weights
        solved = linalg.solve_triangular(self._factor, cross.T, lower=True)
        variance = np.maximum(1 - (solved**2).sum(axis=0), 1e-9)
        deviation = np.sqrt(variance * self._variance) * self._scale
        return mean * self._scale + self._mean, deviation

    def _distances(self, whole: np.ndarray) -> np.ndarray:
        """Squared distances to what was learned, a mean over the counts."""
        from scipy.spatial import distance

        found = distance.cdist(whole, self._whole, "sqeuclidean")
        return found / whole.shape[1]

    def _fit(
        self,
        alike: np.ndarray,
        near: np.ndarray,
        target: np.ndarray,
        mix: float,
        width: float,
        noise: float,
    ) -> tuple:
        kernel = mix * alike + (1 - mix) * np.exp(-0.5 * near / width**2)
        kernel[np.diag_indices_from(kernel)] += noise
        factor = linalg.cholesky(kernel, lower=True)
        weights = linalg.cho_solve((factor, True), target)
        variance = max(target @ weights / len(target), 1e-9)
        evidence = -0.5 * len(target) * np.log(variance)
        evidence -= np.log(np.diag(factor)).sum()
        return evidence, factor, weights, variance

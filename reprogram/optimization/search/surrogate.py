"""A Gaussian process over molecules, learned from the calls so far.

Its inputs are count fingerprints, and the weight and counts of atoms, rings
and bonds that any drawing of the molecule shows. QED is made of some of them,
but no estimate of a property, such as logP, surface area or QED, is among
them: what a call returns must be learned from calls.
"""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem import Fragments
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors
from scipy.spatial import distance

from reprogram.molecules.similarity import tanimoto
from reprogram.predictors.gaussian_process import KernelSum
from reprogram.predictors.gaussian_process import Posterior

FOLDS = 1024  # columns of the fingerprint
LEVELS = 3  # counts above this are alike
MORGAN = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=FOLDS)
KERNELS = KernelSum((False, True))
ELEMENTS = (6, 7, 8, 9, 16, 17, 35, 15, 53)
FRAGMENTS = ("fr_NH0", "fr_Ar_N", "fr_C_O", "fr_halogen")
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
    *(getattr(Fragments, name) for name in FRAGMENTS),
)


def features(molecules: Sequence[Chem.Mol]) -> tuple[np.ndarray, np.ndarray]:
    """Computes the features of molecules.

    Args:
        molecules: Sanitized RDKit molecules.

    Returns:
        Thermometer codes of the counts of 1,024 folded environments, 0 or 1,
        float32 `(molecules, 3 * 1024)`; and 30 counts of the whole molecule,
        float32 `(molecules, 30)`.
    """
    counts = np.zeros((len(molecules), FOLDS), "uint8")
    whole = np.zeros((len(molecules), 4 + len(ELEMENTS) + len(COUNTS)))
    for row, molecule in enumerate(molecules):
        fragments = MORGAN.GetCountFingerprintAsNumPy(molecule)
        counts[row] = np.minimum(fragments, LEVELS)
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


class Surrogate:
    """Predicts values with their uncertainty.

    The kernel is a mixture of the Tanimoto kernel and a Gaussian one on
    scaled counts; mixture, width and noise are those of the highest marginal
    likelihood on a grid, with the scale in closed form.

    Args:
        most: Largest number of molecules to learn from, half of them the best
            and half the latest.

    Example:
    >>> mols = [Chem.MolFromSmiles("C" * n) for n in range(1, 12)]
    >>> model = Surrogate().fit(features(mols), np.arange(11.0))
    >>> mean, deviation = model.predict(features(mols[4:5]))
    >>> abs(mean[0] - 4) < 0.5
    np.True_

    Reference: Rasmussen and Williams, Gaussian Processes for Machine
    Learning, 2006; Griffiths et al., GAUCHE, 2023.
    """

    grid: Sequence[tuple[float, ...]] = [
        (mix, 1 - mix, width, noise)
        for mix in (0.1, 0.5, 0.9)
        for width in (0.7, 1.5, 3.0)
        for noise in (1e-3, 1e-2, 0.1)
    ]

    def __init__(self, most: int = 400):
        self.most = most
        self._chosen, self._size = np.zeros(0), 0

    def fit(
        self, inputs: tuple[np.ndarray, np.ndarray], values: np.ndarray
    ) -> "Surrogate":
        """Learns from values `(molecules,)` of inputs from `features`."""
        values = np.asarray(values, "float64")
        rows = np.arange(len(values))
        if len(rows) > self.most:
            late = rows[self.most // 2 - self.most :]
            best = np.argsort(-values[: late[0]], kind="stable")
            rows = np.union1d(late, best[: self.most // 2])
        self._codes, whole = (part[rows] for part in inputs)
        values = values[rows]
        deviation = whole.std(axis=0)
        self._center = whole.mean(axis=0)
        self._spread = deviation + 0.1 * (deviation == 0) + 1e-6
        self._whole = (whole - self._center) / self._spread
        self._mean, self._scale = values.mean(), values.std() + 1e-12
        target = (values - self._mean) / self._scale
        matrices = self._matrices(self._codes, self._whole)
        if len(rows) > 1.5 * self._size:
            self._size = len(rows)
            grid = [np.log(row) for row in self.grid]
            self._chosen = max(
                grid, key=lambda theta: self._fit(matrices, target, theta)
            )
        self._fit(matrices, target, self._chosen)
        return self

    def predict(
        self, inputs: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and standard deviations `(molecules,)`."""
        codes, whole = inputs
        whole = (whole - self._center) / self._spread
        cross = KERNELS.covariance(self._matrices(codes, whole), self._chosen)
        mean = self._posterior.mean(cross)
        variance = self._posterior.variance(cross, np.ones(len(cross)))
        deviation = np.sqrt(np.maximum(variance, 1e-9) * self._variance)
        return mean * self._scale + self._mean, deviation * self._scale

    def _matrices(
        self, codes: np.ndarray, whole: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Similarities, and mean squared distances, to what was learned."""
        squares = distance.cdist(whole, self._whole, "sqeuclidean")
        return tanimoto(codes, self._codes), squares / whole.shape[1]

    def _fit(
        self,
        matrices: tuple[np.ndarray, np.ndarray],
        target: np.ndarray,
        theta: np.ndarray,
    ) -> float:
        """Returns the evidence, with the best scale of the kernel."""
        covariance = KERNELS.covariance(matrices, theta)
        covariance.flat[:: len(target) + 1] += np.exp(theta[-1])
        self._posterior = Posterior(covariance, target)
        fit, determinant = self._posterior.evidence()
        self._variance = max(fit / len(target), 1e-9)
        return -0.5 * (len(target) * np.log(self._variance) + determinant)

"""Applicability domain: similarity to the training molecules."""

import dataclasses

import numpy as np
from scipy import sparse

from reprogram.molecules.similarity import minmax_kernel

CHUNK = 2048


@dataclasses.dataclass(frozen=True)
class Domain:
    """The training molecules, and the least similarity to them.

    Args:
        counts: Counts of the fragments of the training molecules, see
            `fingerprints.unfolded_counts`.
        limit: Least similarity inside the domain, from 0 to 1.

    Example:
    >>> from reprogram.molecules.fingerprints import unfolded_counts
    >>> domain = learn(unfolded_counts(["CCO", "CCCO", "CCCCO"]))
    >>> nearest, similarity, inside = domain(unfolded_counts(["CCCO", "[Na]"]))
    >>> nearest.tolist(), similarity.tolist(), inside.tolist()
    ([1, 0], [1.0, 0.0], [True, False])
    """

    counts: sparse.csr_matrix
    limit: float

    def __call__(
        self, counts: sparse.csr_matrix
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Finds the nearest training molecules.

        Args:
            counts: Counts of the fragments of molecules.

        Returns:
            For each molecule the row of its nearest training molecule, the
            MinMax-Tanimoto similarity to it, and whether that is inside.
        """
        nearest, similarity = _nearest(counts, self.counts)
        return nearest, similarity, similarity >= self.limit


def learn(counts: sparse.csr_matrix, share: float = 0.05) -> Domain:
    """Draws the border where the least usual training molecules are.

    Args:
        counts: Counts of the fragments of the training molecules.
        share: Share of the training molecules that are less similar to their
            nearest neighbor than the border.

    Returns:
        The domain.
    """
    _, similarity = _nearest(counts, counts, own=True)
    return Domain(counts, float(np.quantile(similarity, share)))


def _nearest(
    counts: sparse.csr_matrix, train: sparse.csr_matrix, own: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    places, values = [np.zeros(0, int)], [np.zeros(0)]
    for start in range(0, counts.shape[0], CHUNK):
        kernel = minmax_kernel(counts[start : start + CHUNK], train)
        if own and kernel.shape[1] > 1:
            rows = np.arange(len(kernel))
            kernel[rows, start + rows] = -1
        places.append(kernel.argmax(axis=1))
        values.append(kernel.max(axis=1))
    return np.concatenate(places), np.concatenate(values)

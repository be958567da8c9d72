"""The MinMax-Tanimoto kernel of counts."""

import numpy as np
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from reprogram.molecules import fingerprints
from reprogram.molecules import similarity

SMILES = ["CCO", "c1ccccc1O", "C" * 40 + "C(=O)O", "[Na+].[Cl-]", "CC(N)C(=O)O"]


COUNTS = arrays.arrays("float32", (4, 6), elements=st.integers(0, 9).map(float))


@settings(deadline=None, max_examples=30)
@given(COUNTS, COUNTS)
def test_kernel_is_minima_over_maxima(first, second):
    found = similarity.minmax_kernel(
        sparse.csr_matrix(first), sparse.csr_matrix(second)
    )
    low = np.minimum(first[:, None], second[None]).sum(axis=2)
    high = np.maximum(first[:, None], second[None]).sum(axis=2)
    expected = np.where(high > 0, low / np.where(high > 0, high, 1), 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@settings(deadline=None, max_examples=20)
@given(COUNTS)
def test_kernel_is_a_kernel(counts):
    found = similarity.minmax_kernel(sparse.csr_matrix(counts))
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(np.diag(found), 1)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_kernel_in_chunks(monkeypatch):
    counts = fingerprints.unfolded_counts(SMILES)
    whole = similarity.minmax_kernel(counts)
    monkeypatch.setattr(similarity, "CHUNK", 2)
    np.testing.assert_array_equal(similarity.minmax_kernel(counts), whole)

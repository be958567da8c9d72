"""Series of different lengths: what is there, and what stands behind it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reprogram import series as lengths
from reprogram import sources
from reprogram.predictors import features

values = arrays.arrays(
    "float64",
    st.tuples(st.integers(1, 9), st.integers(1, 3)),
    elements=st.floats(-100, 100),
)


@given(st.lists(values.filter(lambda x: x.shape[1] == 2), min_size=1))
def test_joined_series_come_out_again(series):
    batch = np.stack(lengths.joined(series))
    for x, row, seen in zip(series, batch, lengths.known(batch)):
        np.testing.assert_array_equal(row[seen], x)
        assert np.isnan(row[~seen]).all()


@given(values, st.integers(0, 9))
def test_what_follows_the_end_changes_no_statistic(x, more):
    batch = lengths.ended(x, len(x) + more)[None]
    filled = lengths.filled(batch)[0]
    np.testing.assert_allclose(filled.mean(axis=0), x.mean(axis=0), atol=1e-9)
    stretched = lengths.stretched(batch)[0]
    np.testing.assert_allclose(stretched[0], x[0])
    np.testing.assert_allclose(stretched[-1], x[-1])
    assert stretched.min() >= x.min() and stretched.max() <= x.max()


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (np.ones((2, 3)), r"\(batch, length, channels\).*\(2, 3\)"),
        ([[[1.0], [np.nan], [2.0]]], "1 that are not, first at row 0"),
        ([[[1.0]], [[np.nan]]], "1 that are not, first at row 1"),
        ([[[1.0, 2.0], [1.0, np.nan]]], "first at row 0. Fill or drop"),
        ([[[np.inf]]], "first at row 0"),
    ],
)
def test_gaps_are_refused(series, message):
    with pytest.raises(ValueError, match=message):
        lengths.known(series)


def test_sources_and_baselines_read_shorter_series():
    x = np.sin(np.arange(40)).reshape(1, 40, 1)
    x = np.concatenate([x, x])
    x[1, 20:] = np.nan
    source = sources.load("waves")
    found = source.preprocess(x)
    np.testing.assert_array_equal(found[0], source.preprocess(x[:1])[0])
    np.testing.assert_allclose(
        found[1], source.preprocess(lengths.stretched(x))[1]
    )
    for key in ("raw", "series"):
        assert np.isfinite(features.compute(key, x)).all()

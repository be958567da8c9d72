"""Every mapping says what it maps to what, by name."""

import conformance
import keras
import numpy as np
import pytest
from keras import ops

from reprogram import mappings
from reprogram.mappings import describe
from reprogram.report.pages import run_context

SOURCES = ("ant", "bee", "cat", "dog")
TARGETS = ("no", "yes")
CASES = {
    name: case
    for name, case in conformance.CASES.items()
    if case.layer in mappings.MAPPINGS.values()
}


@pytest.mark.parametrize("name", CASES)
def test_every_mapping_names_all_its_targets(name):
    mapping = CASES[name].build()
    shape = CASES[name].shape
    count = mapping.compute_output_shape(shape)[-1]
    sources = [f"source {i}" for i in range(shape[-1])]
    targets = [f"target {i}" for i in range(count)]
    rows = describe(mapping, sources, targets)
    assert [row[0] for row in rows] == targets
    for _, found in rows:
        names = [one if isinstance(one, str) else one[0] for one in found]
        assert names and set(names) <= set(sources)
        assert len(set(names)) == len(names)
    shown = run_context.mapping_rows({"mapping": rows})
    assert [row["target"] for row in shown] == targets
    assert all(row["sources"] for row in shown)


def test_assigned_source_classes_are_named():
    mapping = mappings.ExplicitMapping([[2], [0, 3]])
    mapping.build((None, 4))
    assert describe(mapping, SOURCES, TARGETS) == [
        ["no", ["cat"]],
        ["yes", ["ant", "dog"]],
    ]
    assert describe(mapping) == [["0", ["2"]], ["1", ["0", "3"]]]


def test_the_strongest_weights_are_named_with_their_sign():
    mapping = mappings.LinearMapping(2)
    mapping.build((None, 4))
    mapping.kernel.assign([[0.1, 0], [-2, 0], [0.5, 1], [0, 0]])
    rows = describe(mapping, SOURCES, TARGETS, strongest=2)
    assert rows == [
        ["no", [["bee", -2.0], ["cat", 0.5]]],
        ["yes", [["cat", 1.0]]],
    ]
    assert len(describe(mapping, SOURCES, TARGETS)[0][1]) == 3


def test_a_correction_is_part_of_the_description():
    mapping = mappings.CorrectionMapping(
        2, base=mappings.ExplicitMapping([[1], [2]])
    )
    mapping.build((None, 4))
    mapping.left.assign([[0.0], [1.0]])
    mapping.right.assign([[-0.25, 0.0]])
    assert describe(mapping, SOURCES, TARGETS) == [
        ["no", [["bee", 1.0], ["cat", -0.25]]],
        ["yes", [["cat", 1.0]]],
    ]
    same = mappings.CorrectionMapping(2, base=keras.layers.Identity())
    same.build((None, 2))
    assert describe(same, SOURCES[:2], TARGETS)[1] == ["yes", [["bee", 1.0]]]


def test_identity_pairs_the_names():
    rows = describe(keras.layers.Identity(), SOURCES, TARGETS)
    assert rows == [["no", ["ant"]], ["yes", ["bee"]]]


def test_inner_features_and_foreign_layers_have_no_names():
    mapping = mappings.LinearMapping(2)
    mapping.build((None, 8))
    assert describe(mapping, SOURCES, TARGETS) is None
    assert describe(keras.layers.Dense(2), SOURCES, TARGETS) is None
    base = mappings.CorrectionMapping(2, base=keras.layers.Dense(2))
    base.build((None, 4))
    assert describe(base, SOURCES, TARGETS) is None


def test_matrices_agree_with_the_answers():
    x = np.random.default_rng(0).normal(size=(3, 7)).astype("float32")
    for name in ("frequency mapping", "Bayesian mapping"):
        mapping = CASES[name].build()
        x = np.resize(x, (3, CASES[name].shape[-1]))
        expected = x @ mappings.description.matrix(mapping)
        np.testing.assert_allclose(
            ops.convert_to_numpy(mapping(x)), expected, atol=1e-5
        )

"""Splits and draws: disjoint, complete, nested, stratified; errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram import tasks
from reprogram.molecules.featurizers import scaffold
from reprogram.tasks import splits

RINGS = ("c1ccccc1", "C1CCCC1", "c1ccncc1", "c1ccoc1", "C1CCNCC1", "")
CHAINS = ("C", "CC", "CO", "CCN", "C(=O)O")
MOLECULES = sorted(chain + ring for ring in RINGS for chain in CHAINS)


def make_task(problem: str, targets: object, **fields: object) -> tasks.Task:
    targets = np.asarray(targets)
    columns = 1 if problem == "classification" else targets.shape[1]
    names = [f"t{i}" for i in range(max(columns, 10))]
    if problem != "classification":
        names = names[:columns]
    inputs = ["C" * (i + 1) for i in range(len(targets))]
    return tasks.Task(
        "toy", "molecule", problem, inputs, targets, names, "rmse", **fields
    )


def classes_task(*counts: int) -> tasks.Task:
    return make_task("classification", np.repeat(range(len(counts)), counts))


@pytest.fixture(scope="module")
def nav17() -> tasks.Task:
    return tasks.load("nav17")


def test_nav17_scaffold_split_is_the_published_one(nav17):
    train, test = splits.split(nav17)
    assert (len(train), len(test)) == (814, 203)
    assert test[:5].tolist() == [0, 5, 11, 12, 13]
    assert test.sum() == 106821
    assert nav17.targets[test].mean() == pytest.approx(6.12266, abs=1e-5)


def test_nav17_similarity_of_test_to_train(nav17):
    train, test = splits.split(nav17)
    report = splits.similarity_report(nav17.inputs[train], nav17.inputs[test])
    assert report["nearest_median"] == pytest.approx(0.741935, abs=1e-6)
    assert report["share_above_0.7"] == pytest.approx(144 / 203)
    assert report["share_identical"] == 0


def test_similarity_of_known_molecules():
    report = splits.similarity_report(["CCO", "c1ccccc1"], ["OCC", "[Na+]"])
    assert report["share_identical"] == report["share_above_0.7"] == 0.5
    assert report["nearest_median"] == 0.5


def test_similarity_needs_both_sides():
    with pytest.raises(ValueError, match="1 to train and 0 to test"):
        splits.similarity_report(["C"], [])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(MOLECULES), unique=True), st.floats(0.1, 0.9))
def test_scaffold_split_covers_and_separates(smiles, fraction):
    train, test = splits.scaffold_split(smiles, fraction)
    assert sorted([*train, *test]) == list(range(len(smiles)))
    assert len(test) >= len(smiles) - round(len(smiles) * (1 - fraction))
    sides = [{scaffold(smiles[row]) for row in side} for side in (train, test)]
    assert not sides[0] & sides[1]


@settings(max_examples=20, deadline=None)
@given(st.permutations(MOLECULES))
def test_scaffold_split_does_not_depend_on_the_order_of_rows(smiles):
    expected, _ = splits.scaffold_split(MOLECULES)
    train, _ = splits.scaffold_split(smiles)
    assert {smiles[i] for i in train} == {MOLECULES[i] for i in expected}


def test_scaffold_split_fills_the_largest_group_first():
    smiles = ["CCO", "Cc1ccccc1", "Oc1ccccc1", "Nc1ccccc1", "C1CC1"]
    train, test = splits.scaffold_split(smiles, 0.4)
    assert train.tolist() == [1, 2, 3]
    assert test.tolist() == [0, 4]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(10, 30), min_size=2, max_size=4), st.integers(0, 9))
def test_random_split_covers_and_stratifies(counts, seed):
    task = classes_task(*counts)
    train, test = splits.random_split(task, 0.2, seed)
    assert sorted([*train, *test]) == list(range(sum(counts)))
    share = np.bincount(task.targets[test]) / np.array(counts)
    assert (abs(share - 0.2) < 0.11).all()
    again, _ = splits.random_split(task, 0.2, seed)
    assert (train == again).all()


def test_random_split_varies_with_the_seed():
    task = make_task("regression", np.arange(50.0)[:, None])
    drawn = {tuple(splits.random_split(task, seed=s)[1]) for s in range(3)}
    assert len(drawn) == 3


def test_split_prefers_the_given_one():
    task = make_task(
        "regression", [[1], [2], [3]], split=["test", "train", "train"]
    )
    train, test = splits.split(task)
    assert (train.tolist(), test.tolist()) == ([1, 2], [0])


def test_sides_name_the_odd_ones():
    found, reasons = splits.sides([" TRAIN", "Valid", "fold 3", "test"])
    assert found == ["train", "train", "", "test"]
    assert reasons[2] == "the split is neither train nor test: 'fold 3'"


@pytest.mark.parametrize(
    ("kind", "targets", "message"),
    [
        ("given", [0, 1, 0, 1], "without a split"),
        ("murcko", [0, 1, 0, 1], "Choose one of scaffold, random, given"),
        ("random", [0, 1, 1, 1], "cannot be split at random"),
        ("scaffold", [0, 1, 0, 1], "0 rows with 0 different targets on the tr"),
    ],
)
def test_split_errors(kind, targets, message):
    with pytest.raises(ValueError, match=message):
        splits.split(make_task("classification", targets), kind)


def test_split_refuses_a_side_of_one_class():
    sides = ["train", "train", "test", "test"]
    task = make_task("classification", [0, 1, 1, 1], split=sides)
    with pytest.raises(ValueError, match="1 different targets on the test"):
        splits.split(task)
    columns = [[0, 1], [1, 0], [1, 0], [1, 0]]
    task = make_task("multilabel", columns, split=sides)
    with pytest.raises(ValueError, match="1 different targets on the test"):
        splits.split(task)


def test_only_molecules_have_scaffolds():
    with pytest.raises(ValueError, match="not image inputs"):
        splits.split(tasks.load("digits"), "scaffold")


@pytest.mark.parametrize("fraction", [0, 1, 20])
def test_test_fraction_is_a_share(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        splits.scaffold_split(["C", "CC"], fraction)
    with pytest.raises(ValueError, match="between 0 and 1"):
        splits.random_split(classes_task(4, 4), fraction)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(3, 60), min_size=2, max_size=6),
    st.integers(0, 5),
    st.data(),
)
def test_draws_are_nested_disjoint_and_stratified(counts, seed, data):
    task = classes_task(*counts)
    rows = np.arange(sum(counts))
    sizes = st.integers(3 * len(counts), sum(counts))
    small, large = sorted((data.draw(sizes), data.draw(sizes)))
    fit, validation = splits.draw(task, rows, small, seed)
    more_fit, more_validation = splits.draw(task, rows, large, seed)
    assert len(fit) + len(validation) == small
    assert len({*fit, *validation}) == small
    assert {*fit} <= {*more_fit}
    assert {*validation} <= {*more_validation}
    drawn = np.bincount(task.targets[fit], minlength=len(counts))
    held = np.bincount(task.targets[validation], minlength=len(counts))
    assert drawn.min() >= 2 and held.min() >= 1
    again = splits.draw(task, rows[::-1], small, seed)
    assert (fit == again[0]).all() and (validation == again[1]).all()


def test_draw_keeps_the_share_of_classes_and_validates_a_fifth():
    task = classes_task(800, 200)
    fit, validation = splits.draw(task, np.arange(1000), 100)
    drawn = np.bincount(task.targets[[*fit, *validation]])
    assert abs(drawn - [80, 20]).max() <= 1
    assert len(validation) == 20


def test_draw_stays_inside_the_training_rows():
    task = make_task("regression", np.arange(40.0)[:, None])
    train = np.arange(5, 25)
    for size in (None, 0, 20):
        fit, validation = splits.draw(task, train, size, seed=3)
        assert sorted([*fit, *validation]) == train.tolist()
        assert len(validation) == 4
    drawn = {tuple(splits.draw(task, train, 10, s)[0]) for s in range(3)}
    assert len(drawn) == 3


def test_draw_of_a_rare_label_is_not_left_to_chance():
    targets = np.zeros((500, 2))
    targets[:4, 1], targets[4:, 0] = 1, np.nan
    task = make_task("multilabel", targets)
    fit, validation = splits.draw(task, np.arange(500), 30)
    assert targets[fit, 1].sum() == 2
    assert targets[validation, 1].sum() == 1


def test_draw_takes_what_there_is_of_a_class_of_two():
    task = classes_task(2, 20)
    fit, validation = splits.draw(task, np.arange(22), 8)
    assert (task.targets[fit] == 0).sum() == 2
    assert (task.targets[validation] == 1).all()


@pytest.mark.parametrize(
    ("counts", "size", "message"),
    [
        ((9, 9, 9), 8, "at least 9 labels.*3 classes.*size=8"),
        ((9, 9), 19, "no more than the 18 training rows.*size=19"),
        ((9, 9), -1, "size=-1"),
        ((1, 1), None, "at least 3 labels"),
        ((2, 2), None, "at least 4 labels"),
    ],
)
def test_draw_errors(counts, size, message):
    with pytest.raises(ValueError, match=message):
        splits.draw(classes_task(*counts), np.arange(sum(counts)), size)

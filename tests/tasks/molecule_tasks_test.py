"""Tables of molecules: columns, bad rows, repeated molecules, errors."""

import gzip
import pathlib

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from rdkit import Chem

from reprogram import tasks
from reprogram.tasks import molecules
from reprogram.tasks import readers
from reprogram.tasks import targets


def write(path: pathlib.Path, *lines: str) -> pathlib.Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_csv_of_bad_rows(tmp_path):
    path = write(
        tmp_path / "bbbp.csv",
        "num,smiles,y",
        "1,CCO,1",
        "2,C1CC,1",
        "3,CCN,",
        "4,OCC,1",
        "5,CC(N)C(=O)O,0",
        "6,C[C@H](N)C(=O)[O-].[Na+],1",
        "7,,0",
        "8,c1ccccc1,0",
        "9,CO,0,9",
        "10,CCCC,n/a",
        "11",
    )
    task = tasks.load(path)
    assert task.problem == "classification" and task.name == "bbbp"
    assert task.inputs.tolist() == ["CCO", "c1ccccc1"]
    assert task.targets.tolist() == [1, 0]
    reasons = dict(task.dropped)
    assert sorted(reasons) == [2, 3, 4, 5, 6, 7, 9, 10, 11]
    assert reasons[2].startswith("Not a valid SMILES: 'C1CC'")
    assert reasons[3] == reasons[10] == "empty target"
    assert reasons[4] == "the same molecule as row 1"
    assert reasons[5] == "the same molecule as row 6, labels conflict"
    assert reasons[6] == "the same molecule as row 5, labels conflict"
    assert reasons[7] == "Empty SMILES. Received: ''. Expected a string."
    assert reasons[9] == "more cells than the 3 columns"
    assert reasons[11] == "Empty SMILES. Received: ''. Expected a string."


def test_csv_regression_averages_and_names_what_is_no_number(tmp_path):
    rows = ["CCO,5.5", "OCC,6.5", "CO,>7", "C,4.25", "CC,inf", "CCC,x"]
    path = write(tmp_path / "a.csv", "canonical_smiles,pIC50", *rows)
    task = tasks.load(path, unit="log M", metric="mae", problem=None)
    assert task.problem == "regression"
    assert task.targets.tolist() == [[6.0], [4.25]]
    assert (task.unit, task.metric) == ("log M", "mae")
    assert task.dropped == (
        (2, "the same molecule as row 1, targets averaged"),
        (3, "pIC50 is not a number: '>7'"),
        (5, "pIC50 is not a number: 'inf'"),
        (6, "pIC50 is not a number: 'x'"),
    )


def test_csv_multilabel_keeps_missing_apart_from_zero(tmp_path):
    rows = ["CCO,1,", "CO,,0", "CC,,", "OCC,0,1", "CN,0,1", "C,2,1"]
    path = write(tmp_path / "tox.csv", "smiles,a,b", *rows)
    task = tasks.load(path, target_column="a, b", problem="multilabel")
    assert task.target_names == ("a", "b") and task.metric == "roc_auc"
    expected = [[np.nan, 1], [np.nan, 0], [0, 1]]
    np.testing.assert_array_equal(task.targets, expected)
    assert task.dropped == (
        (3, "empty target"),
        (4, "the same molecule as row 1, labels conflict"),
        (6, "a is not 0, 1 or empty: '2'"),
    )


def test_csv_of_several_numbers_is_a_regression(tmp_path):
    rows = ["CCO,1.5,", "CO,2.5,0", "OCC,,4"]
    path = write(tmp_path / "a.csv", "smiles,a,b", *rows)
    task = tasks.load(path, target_column="a,b")
    assert task.problem == "regression"
    np.testing.assert_array_equal(task.targets, [[1.5, 4], [2.5, 0]])


def test_csv_with_a_given_split_tests_on_no_training_molecule(tmp_path):
    rows = ["CCO,1,train", "OCC,2,test", "CO,3,valid", "C,4,?", "CC,5,Test"]
    path = write(tmp_path / "a.csv", "smiles,y,fold", *rows)
    task = tasks.load(path, split_column="fold", problem="regression")
    assert task.inputs.tolist() == ["CCO", "CO", "CC"]
    assert task.targets[:, 0].tolist() == [2, 3, 5]
    assert task.split.tolist() == ["test", "train", "test"]
    assert task.dropped == (
        (1, "the same molecule as test row 2"),
        (4, "the split is neither train nor test: '?'"),
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_dialects(tmp_path, delimiter):
    lines = ["\ufeffDrug_ID,Drug,Y", "", '"a",CCO,-1', "b,CO,1.0", "c,C,1", ""]
    text = "\r\n".join(lines).replace(",", delimiter).encode("utf-8")
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    for name in ("a.csv", "a.csv.gz"):
        task = tasks.load(tmp_path / name)
        assert task.name == "a" and task.dropped == ()
        assert task.inputs.tolist() == ["CCO", "CO", "C"]
        assert task.target_names == ("-1", "1")
        assert task.targets.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("smiles,y", {"target_column": "z"}, "named 'z'. The columns are: smi"),
        ("smiles,y", {"smiles_column": "z"}, "`smiles_column` named 'z'"),
        ("smiles,y", {"split_column": "z"}, "`split_column` named 'z'"),
        ("a,y", {}, "`smiles_column`: no name is a usual one"),
        ("smiles,a,b", {}, "`target_column`: no name is a usual one"),
        ("smiles,label,pIC50", {}, "`target_column`: label or pIC50?"),
        ("smiles,y,y", {}, "name each column once. Received: smiles, y, y"),
        ("smiles,y", {"problem": "ranking"}, "must be one of classification"),
        ("smiles,y", {"image_size": 8}, "does not take image_size"),
        ("smiles,y", {}, "the file has no rows"),
    ],
)
def test_csv_errors(tmp_path, header, options, message):
    with pytest.raises(ValueError, match=message):
        tasks.load(write(tmp_path / "a.csv", header), **options)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["C1,1", "x,0"], {}, "none of the 2 rows can be used .row 1: Not a"),
        (["C,1", "CC,1"], {}, r"one class \(1\); at least two"),
        (["C,2.5", "CC,2.5"], {}, "fewer than two different values"),
        (["C,1"], {"target_column": "smiles,y", "problem": "classification"},
         "has one target column"),
    ],
)  # fmt: skip
def test_csv_without_anything_to_learn(tmp_path, rows, options, message):
    with pytest.raises(ValueError, match=message):
        tasks.load(write(tmp_path / "a.csv", "smiles,y", *rows), **options)


def test_csv_that_is_none(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"smiles,y\nC,\xe9\n")
    (tmp_path / "a.csv.gz").write_bytes(b"smiles,y")
    (tmp_path / "empty.csv").touch()
    for name, message in [
        ("latin.csv", "not a table of UTF-8 text"),
        ("a.csv.gz", "not a table of UTF-8 text"),
        ("empty.csv", "Received: an empty file"),
        ("none.csv", "There is no file"),
    ]:
        with pytest.raises(ValueError, match=message):
            tasks.load(tmp_path / name)


def test_build_needs_a_target_for_each_molecule():
    with pytest.raises(ValueError, match="2 SMILES need as many targets"):
        molecules.build("toy", ["C", "CC"], {"y": [1.0]})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text("ab01-. ", min_size=1).filter(str.strip)
        | st.integers(-3, 3).map(str),
        min_size=1,
    )
)
def test_class_numbers_are_a_bijection(labels):
    found = targets.read({"y": labels}, "classification")
    back = [found.names[int(code)] for code in found.values[:, 0]]
    assert back == [targets.label(label) for label in labels]
    assert len(set(found.names)) == len(found.names)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (["0", "1", "1", "0"], "classification"),
        (["1.0", "0.0", ""], "classification"),
        (["-1", "1", "1"], "classification"),
        (["False", "True"], "classification"),
        (["yes", "no", "?"], "classification"),
        (["1", "2", "3"] * 4, "classification"),
        (["1", "2", "3", "4"], "regression"),
        (["1.5", "0", "1", "x"], "regression"),
        ([str(i) for i in range(40)], "regression"),
    ],
)
def test_guessed_problem(column, problem):
    assert targets.guess([column]) == problem


ROWS = [("m1", "CCO", 1.5), ("m2", "C1CC", 2.5), ("m3", "CCN", 3.5)]


def write_as(path: pathlib.Path) -> pathlib.Path:
    """Writes three rows, one of them no molecule, in any format."""
    frame = pandas.DataFrame(ROWS, columns=["Compound", "SMILES", "pIC50"])
    kind = path.suffix
    if kind in (".csv", ".tsv"):
        frame.to_csv(path, index=False, sep="," if kind == ".csv" else "\t")
    elif kind == ".xlsx":
        frame.to_excel(path, index=False)
    elif kind == ".sdf":
        blocks = []
        for name, smiles, value in ROWS:
            molecule = Chem.MolFromSmiles(smiles) or Chem.Mol()
            molecule.SetProp("_Name", name)
            block = Chem.MolToMolBlock(molecule)
            blocks.append(f"{block}> <pIC50>\n{value}\n\n$$$$\n")
        path.write_text("".join(blocks))
    else:
        path.write_text("".join(f"{s} {n} {y}\n" for n, s, y in ROWS))
    return path


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".xlsx", ".smi", ".sdf"])
def test_every_format_is_read_for_training_and_for_prediction(tmp_path, kind):
    path = write_as(tmp_path / f"a{kind}")
    task = tasks.load(path)
    assert task.inputs.tolist() == ["CCO", "CCN"]
    np.testing.assert_allclose(task.targets[:, 0], [1.5, 3.5])
    assert task.identifiers.tolist() == ["m1", "m3"]
    assert [row for row, _ in task.dropped] == [2]
    assert (kind == ".tsv") == bool(task.notes)
    record = {"task": {"modality": "molecule"}, "flags": {}}
    _, smiles, reasons = next(readers.load(path, record).parts())
    assert smiles[::2] == ["CCO", "CCN"]
    assert bool(reasons[1]) and not reasons[0]


def test_a_column_called_smiles_wins_and_others_are_refused(tmp_path):
    assert readers.smiles_column(["Compound", "SMILES", "pIC50"]) == "SMILES"
    assert readers.smiles_column(["mol", "drug"], "drug") == "drug"
    with pytest.raises(ValueError, match="mol or drug. The columns are"):
        readers.smiles_column(["mol", "drug"])


def test_rows_without_a_name_are_called_by_their_number():
    task = molecules.build("toy", ["CO", "CCO", "OC"], {"y": [1.0, 2.5, 3.0]})
    assert task.identifiers.tolist() == ["1", "2"]
    task = molecules.build("t", ["CO", "CC"], {"y": [1, 2.5]}, identifiers="ab")
    assert task.identifiers.tolist() == ["a", "b"]

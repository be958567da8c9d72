"""What to predict for: every row stays where it is."""

import csv
import gzip
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image

from reprogram.tasks import readers
from reprogram.tasks.readers import molecules as molecule_files
from reprogram.tasks.readers import table


def record(modality: str, *shape: int, **flags: str) -> dict:
    task = {"modality": modality, "input_shape": list(shape)}
    return {"task": task, "flags": flags}


def everything(found: readers.Inputs, start: int = 0) -> tuple:
    cells, values, reasons = [], [], []
    for part in found.parts(start):
        cells.extend(part[0])
        values.extend(part[1])
        reasons.extend(part[2])
    return cells, values, reasons


def test_table_keeps_rows_and_cells(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        '\ufeffname;Smiles;note\n"a;1";OCC;"two\nlines"\nb;C1CC;x\n\nc;;\n'
        'd;C;x;more\ne\n"f";[Na+].CC(=O)[O-];ü\n',
        encoding="utf-8",
    )
    found = readers.load(path, record("molecule"))
    assert (found.columns, found.delimiter) == (["name", "Smiles", "note"], ";")
    cells, values, reasons = everything(found)
    assert cells == [
        ["a;1", "OCC", "two\nlines"],
        ["b", "C1CC", "x"],
        ["c", "", ""],
        ["d", "C", "x"],
        ["e", "", ""],
        ["f", "[Na+].CC(=O)[O-]", "ü"],
    ]
    assert values[0] == "CCO" and values[5] == "CC(=O)O"
    assert reasons[0] == reasons[5] == ""
    assert reasons[1].startswith("Not a valid SMILES: 'C1CC'")
    assert reasons[2] == reasons[4]
    assert reasons[2].startswith("Empty SMILES. Received: ")
    assert reasons[3] == "more cells than the 3 columns"


def test_table_column_of_the_run_is_the_default(tmp_path):
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("smiles,mine,other\nC,CC,CCC\n")

    def first(chosen: str | None, trained: str | None) -> str:
        about = record("molecule", smiles_column=trained)
        return everything(readers.load(path, about, chosen))[1][0]

    assert first(None, "mine") == "CC"
    assert first("other", "mine") == "CCC"
    assert first(None, "gone") == first(None, None) == "C"
    with pytest.raises(ValueError, match="no `smiles_column` named 'no'. The"):
        first("no", None)


CELL = st.text("ab,;\"'\n é", max_size=4)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=6),
    delimiter=st.sampled_from(",;\t"),
)
def test_stream_reads_what_the_tasks_read(tmp_path_factory, rows, delimiter):
    path = tmp_path_factory.mktemp("table") / "a.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([["x", "y", "z"], *rows])
    _, columns, found = table.stream(path)
    cells, reasons = [], []
    for row, reason in found:
        cells.append(row)
        reasons.append(reason)
    assert all(len(row) == 3 for row in cells)
    read = table.read(path)
    assert columns == read[0] and reasons == read[2]
    assert [dict(zip(columns, row)) for row in cells] == read[1]


def test_table_is_read_a_part_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("smiles\n" + "C\n" * 10)
    seen = []

    def standardize(texts):
        seen.append(len(texts))
        return list(texts), [""] * len(texts)

    monkeypatch.setattr(molecule_files.smiles, "read", standardize)
    found = readers.load(path, record("molecule"))._replace(size=4)
    assert len(everything(found, start=3)[0]) == 7
    assert seen == [4, 3]
    endless = ((["C"], ("C", "")) for _ in itertools.count())
    parts = found._replace(rows=endless).parts()
    assert len(next(parts)[0]) == len(next(parts)[0]) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must name each column once. Received: an empty file"),
        (b"a,a\n1,2\n", "must name each column once. Received: a, a"),
        (b"a,b\nC,1\n", "Say which column is the `smiles_column`"),
        (b"smiles\nC\n\xff\n", "is not a table of UTF-8 text: 'utf-8' codec"),
        (b"smiles\n" + b"C" * 200_000, "field larger than field limit"),
    ],
)
def test_no_table(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        everything(readers.load(path, record("molecule")))


def test_folder_of_images(tmp_path):
    for name in ("b/2.png", "10.png", "a.tif", ".hidden/3.png", "b/.4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (5, 6), (8, 8, 8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    found = readers.load(tmp_path, record("image", 4, 3, 1))
    cells, values, reasons = everything(found)
    names = [["10.png"], ["a.tif"], ["b/2.png"], ["notes.txt"]]
    assert (found.columns, cells) == (["file"], names)
    assert reasons[:3] == [""] * 3
    assert reasons[3].startswith("not an image to read (cannot identify")
    for value in values[:3]:
        np.testing.assert_array_equal(value, np.full((4, 3, 1), 8))
    assert everything(found, start=2)[0] == names[2:]


def test_folder_without_files(tmp_path):
    with pytest.raises(ValueError, match="no file in .* Put images into it"):
        readers.load(tmp_path, record("image", 4, 3, 1))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "up\t1\t2\n?\t3\nup\t1\tx\n\t1\t?\nx\t5\t6\n"),
        ("a.ts", "@classLabel false\n@data\n1,2\n3\n1,x\n1,?\n5,6\n"),
    ],
)
def test_series(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = readers.load(tmp_path / name, record("series", 2, 1))
    cells, values, reasons = everything(found)
    assert cells == [["1"], ["2"], ["3"], ["4"], ["5"]]
    assert reasons == [
        "",
        "1 x 1 values where the run was trained on 2 x 1",
        "not numbers separated by commas",
        "missing values",
        "",
    ]
    assert values[0].tolist() == [[1], [2]]
    assert values[4].tolist() == [[5], [6]]


def test_arrays(tmp_path):
    path = tmp_path / "a.npz"
    series = np.array([[1, 2], [np.nan, 0], [5, 6]])
    np.savez(path, series)
    for shape in ((2, 1), (3, 1)):
        found = readers.load(path, record("series", *shape))
        cells, values, reasons = everything(found)
        assert cells == [["1"], ["2"], ["3"]]
        assert reasons[1] == "missing values"
        assert [v.shape for v in values] == [(2, 1)] * 3
        assert (reasons[0] == "") == (shape == (2, 1))
    pixels = np.full((3, 4, 4), 9)
    pixels[1, 0, 0] = 256
    np.savez(path, x=pixels, y=series)
    found = readers.load(path, record("image", 4, 4, 1))
    assert everything(found)[2] == [
        "",
        "values from 0 to 256 where images have 0 to 255",
        "",
    ]
    np.savez(path, x=pixels / 1000)
    with pytest.raises(ValueError, match="values up to 0.256. Scale them"):
        readers.load(path, record("image", 4, 4, 1))


def test_no_arrays(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="not an .npz file of plain arrays"):
        readers.load(path, record("series", 2, 1))
    for arrays in ({"a": [1], "b": [2]}, {"x": ["text"]}, {"x": 1.0}, {}):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match="must hold one array of numbers"):
            readers.load(path, record("series", 2, 1))


MOLECULES = f"files {', '.join(molecule_files.ENDINGS)}"


@pytest.mark.parametrize(
    ("modality", "name", "accepted"),
    [
        ("molecule", "a.npz", MOLECULES),
        ("molecule", "", MOLECULES),
        ("image", "a.csv", "a folder or .npz"),
        ("series", "a.csv", ".ts or .tsv or .npz"),
        ("series", "", ".ts or .tsv or .npz"),
    ],
)
def test_input_of_another_kind(tmp_path, modality, name, accepted):
    path = tmp_path / name
    if name:
        path.touch()
    with pytest.raises(ValueError, match="The run was trained") as error:
        readers.load(path, record(modality, 2, 1))
    assert str(error.value) == (
        f"The run was trained on {modality} inputs and predicts for {accepted}."
        f" Received: {path}."
    )


def test_other_errors_of_load(tmp_path):
    path = tmp_path / "a.tsv"
    with pytest.raises(ValueError, match="no file or folder .*a.tsv. Check"):
        readers.load(path, record("series", 2, 1))
    path.write_text("a\t1\t2\n")
    with pytest.raises(ValueError, match="which have no SMILES. Received"):
        readers.load(path, record("series", 2, 1), "smiles")
    with pytest.raises(ValueError, match="does not say the `input_shape`"):
        readers.load(path, record("series"))

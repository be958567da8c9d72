"""Published tasks of molecules: files, splits, labels, checksums, readers."""

import gzip

import keras
import numpy as np
import pytest

from benchmarks import molecule_draws
from reprogram import tasks
from reprogram.tasks.official import moleculeace
from reprogram.tasks.official import moleculenet
from reprogram.tasks.official import published
from reprogram.tasks.official import tdc
from reprogram.tasks.readers import molecules as chemistry


def test_all_published_tasks_have_names():
    assert len(moleculenet.TASKS) == 11
    assert len(tdc.TASKS) == 22 and len(moleculeace.TASKS) == 30
    for module in (moleculenet, tdc, moleculeace):
        assert set(module.TASKS) <= set(tasks.TASKS)


def test_labels_that_are_missing_stay_missing(tmp_path):
    table = "NR-AR,SR-p53,mol_id,smiles\n0,,T1,CCO\n1,0,T2,CO\n,1,T3,CN\n"
    (tmp_path / "tox21.csv").write_text(table)
    task = tasks.load("tox21", data_dir=tmp_path)
    assert task.problem == "multilabel"
    assert task.target_names == ("NR-AR", "SR-p53")
    np.testing.assert_array_equal(
        task.targets, [[0, np.nan], [1, 0], [np.nan, 1]]
    )


def test_molecules_stay_as_they_are_given(tmp_path):
    rows = ["CT_TOX,smiles", "0,C[NH3+]", "1,CC.[Cl-]", "0,C1CC", "1,CC.[Cl-]"]
    (tmp_path / "moleculenet").mkdir()
    (tmp_path / "moleculenet" / "clintox.csv").write_text("\n".join(rows))
    task = tasks.load("clintox", data_dir=tmp_path)
    assert task.inputs.tolist() == ["C[NH3+]", "CC.[Cl-]"]
    assert [row for row, _ in task.dropped] == [3, 4]


def test_official_split_and_metric(tmp_path):
    folder = tmp_path / "tdc_admet" / "cyp2d6_veith"
    folder.mkdir(parents=True)
    with gzip.open(folder / "train_val.csv.gz", "wt") as file:
        file.write("Drug_ID,Drug,Y\na,CCO,0.0\nb,CCO,1.0\nc,CN,1.0\n")
    (folder / "test.csv").write_text("Drug_ID,Drug,Y\nd,CCO,1.0\n")
    task = tasks.load("tdc-cyp2d6_veith", data_dir=tmp_path)
    assert (task.problem, task.metric) == ("multilabel", "average_precision")
    # Repeated molecules stay: the official score counts every row.
    assert task.split.tolist() == ["train"] * 3 + ["test"]
    with pytest.raises(ValueError, match="There is no herg/train_val.csv or"):
        tasks.load("tdc-herg", data_dir=tmp_path)


def test_cliffs(tmp_path):
    (tmp_path / "CHEMBL262_Ki.csv").write_text(
        "smiles,y,cliff_mol,split\nCCO,1.5,0,train\nCO,2.5,1,train\n"
        "CN,0.5,1,test\n"
    )
    task = moleculeace.load("CHEMBL262_Ki", tmp_path)
    assert task.split.tolist() == ["train", "train", "test"]
    found = moleculeace.cliffs("CHEMBL262_Ki", tmp_path)
    assert found.tolist() == [False, True, True]


@pytest.mark.parametrize("module", [moleculenet, tdc, moleculeace])
def test_unknown_names_are_refused(module):
    with pytest.raises(ValueError, match="There is no .* task 'qm7'"):
        module.load("qm7")


def test_downloads_are_checked(tmp_path, monkeypatch):
    content = ["smiles,exp\nCCO,1.0\nCO,2.0\n"]

    def get_file(name, url, cache_dir, cache_subdir):
        path = cache_dir / name
        path.write_text(content[0])
        return path

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setattr(published, "CACHE", tmp_path)
    with pytest.raises(ValueError, match="has the checksum .* expected aed4"):
        moleculenet.load("lipophilicity")
    monkeypatch.setitem(
        moleculenet.SETS, "hiv", moleculenet.Set(("h.csv",), ("exp",), "x")
    )
    assert moleculenet.load("hiv").targets.tolist() == [[1], [2]]
    # The checksum of the first download holds from then on.
    assert (tmp_path / "h.csv.sha256").exists()
    (tmp_path / "h.csv").write_text("smiles,exp\nCCO,1.0\nCO,3.0\n")
    with pytest.raises(ValueError, match="has the checksum"):
        moleculenet.load("hiv")


def test_failed_downloads_say_what_to_do(tmp_path, monkeypatch):
    def get_file(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setattr(published, "CACHE", tmp_path)
    with pytest.raises(ValueError, match="by hand and name its folder"):
        moleculenet.load("bbbp")


@pytest.mark.parametrize(
    ("name", "rows", "dropped"),
    [("bbbp", 1965, 85), ("esol", 1117, 11), ("freesolv", 642, 0)],
)
def test_real_sets(shared, name, rows, dropped):
    task = tasks.load(name, data_dir=shared / "data" / "molecules")
    assert (len(task.inputs), len(task.dropped)) == (rows, dropped)


def test_real_splits(shared):
    data = shared / "data" / "molecules"
    task = tasks.load("tdc-herg", data_dir=data)
    assert (task.split == "test").sum() == 132 and len(task.inputs) == 655
    task = tasks.load("moleculeace-CHEMBL2835_Ki", data_dir=data)
    assert len(moleculeace.cliffs("CHEMBL2835_Ki", data)) == len(task.inputs)


def test_scaffold_parts_are_the_usual_ones():
    smiles = ["c1ccccc1" + "C" * n for n in range(7)]
    smiles += ["C1CCCCC1", "c1ccncc1", "C1CC1"]
    train, test = molecule_draws.scaffold_parts(np.array(smiles))
    # The largest group, then the last of the single ones, by their rows.
    assert train.tolist() == [0, 1, 2, 3, 4, 5, 6, 9]
    assert test.tolist() == [7]


def test_draws_have_two_of_a_class():
    y = (np.arange(100) < 5).astype("int64")
    rows = molecule_draws.draw(y, np.arange(100), 16, 0)
    assert y[rows].sum() == 2 and len(set(rows)) == len(rows)


SDF = """ethanol
     RDKit          2D

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    1.2990    0.7500    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    2.5981   -0.0000    0.0000 O   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
  2  3  1  0
M  END
> <logS>
1.1

$$$$
broken

$$$$
"""


def test_sdf_keeps_every_record(tmp_path):
    (tmp_path / "a.sdf").write_text(SDF)
    found = chemistry.load(tmp_path / "a.sdf")
    assert found.columns == ["name", "smiles", "logS"]
    cells, smiles, reasons = next(found.parts())
    assert cells == (["ethanol", "CCO", "1.1"], ["broken", "", ""])
    assert smiles == ["CCO", None]
    assert reasons == ["", "RDKit cannot read this record of the SDF"]


def test_lists_and_tables(tmp_path):
    (tmp_path / "a.smi").write_text("C[NH3+]\tmethylamine\nCC\n\n")
    found = chemistry.load(tmp_path / "a.smi", standard=False)
    cells, smiles, _ = next(found.parts())
    assert cells[0] == ["C[NH3+]", "methylamine"] and smiles[0] == "C[NH3+]"
    _, smiles, _ = next(chemistry.load(tmp_path / "a.smi").parts(1))
    assert smiles == ["CC"]
    (tmp_path / "a.csv").write_text("Drug;y\nCCO;1\n;2\n")
    found = chemistry.load(tmp_path / "a.csv")
    assert found.delimiter == ";"
    _, smiles, reasons = next(found.parts())
    assert smiles == ["CCO", None] and "Empty SMILES" in reasons[1]
    with pytest.raises(ValueError, match="Only tables have a column"):
        chemistry.load(tmp_path / "a.smi", "smiles")
    with pytest.raises(ValueError, match="come in files .csv"):
        chemistry.load(__file__)
    with pytest.raises(ValueError, match="There is no file"):
        chemistry.load(tmp_path / "b.csv")


def test_list_as_task(tmp_path):
    (tmp_path / "a.smi").write_text("OCC a 1\nCO b 0\nCN c 1\n")
    task = tasks.load(tmp_path / "a.smi")
    assert task.problem == "classification"
    assert task.inputs.tolist() == ["CCO", "CO", "CN"]

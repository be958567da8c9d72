"""Tables of molecules become structures and a page of pictures."""

import csv

import pytest
from page_reader import Reader
from rdkit import Chem

from reprogram.report.pages import molecule_grid

ROWS = [
    ("CCO", "1.25", "true", ""),
    ("c1ccccc1<b>", "", "", "Not a valid SMILES"),
    ("CC(=O)O", "2.5", "false", ""),
]
COLUMNS = ("prediction", "in_domain", "reason")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "predictions.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("smiles", *COLUMNS), *ROWS])
    return path


def test_every_row_is_a_record_of_the_sdf(table, tmp_path):
    path = tmp_path / "predictions.sdf"
    molecule_grid.write_sdf(path, table, ",", "smiles", COLUMNS)
    records = list(Chem.SDMolSupplier(str(path)))
    assert [mol.GetNumAtoms() for mol in records] == [3, 0, 4]
    assert records[0].GetProp("prediction") == "1.25"
    assert records[1].GetProp("reason") == "Not a valid SMILES"
    assert records[2].GetProp("_Name") == "CC(=O)O"


@pytest.mark.parametrize(("limit", "drawn"), [(200, 3), (2, 2)])
def test_the_page_draws_the_first_rows(table, tmp_path, limit, drawn):
    path = tmp_path / "grid.html"
    shape = (table, ",", "smiles", COLUMNS)
    molecule_grid.write_page(path, *shape, limit)
    page = Reader(path.read_text("utf-8"))
    figures = [a for tag, a in page.tags if tag == "figure"]
    assert len(figures) == drawn
    assert figures.count({"class": "out"}) == (drawn == 3)
    assert page.titles()[0] == "Structure of CCO"
    assert all(image["src"].startswith("data:") for image in page.images)
    assert "prediction: 1.25" in page.text and "c1ccccc1<b>" in page.text
    assert "in_domain: true" in page.text
    assert "not a molecule RDKit can draw" in page.text


def test_results_of_a_search_without_a_start():
    top = {"smiles": "CCO", "values": {"qed": 0.4}, "similarity": None}
    result = {"start": None, "top": [top | {"call": 3}], "smiles": "CCO"}
    result |= {"solved": True, "reason": ""}
    text = molecule_grid.results_table([result], ["qed"])
    assert text.splitlines()[1] == ",CCO,0.4,,,3,1,,"
    assert "> <calls>\n3\n" in molecule_grid.results_sdf([result])
    failed = {"start": "C", "smiles": None, "calls": 9, "reason": ""}
    line = molecule_grid.results_table([failed | {"solved": False}], ["qed"])
    assert line.splitlines()[1].endswith("nothing within the bounds in 9 calls")

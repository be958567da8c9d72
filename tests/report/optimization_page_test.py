"""The page of a search for molecules, from invented results."""

from page_reader import Reader
from page_reader import svg_text

from reprogram.report.pages import optimization as page

WANTED = ("Wanted: raise qed.", ["qed"])
PLAN = {"search": "evolution", "seed": 0, "budget": 500}


def result(start: str, **more: object) -> dict:
    entry = {"start": start, "smiles": None, "calls": 90, "reason": ""}
    entry |= {"values": None, "start_values": {"qed": 0.4}, "solved": False}
    return entry | {"curve": [(1, [0.4])]} | more


def results() -> list[dict]:
    floors = {"one alkyl chain": {"values": {"qed": 0.5}, "feasible": True}}
    solved = {"smiles": "CCc1ccccc1O", "values": {"qed": 0.7}, "solved": True}
    solved |= {"similarity": 0.55, "path": ["Cc1ccccc1O", "CCc1ccccc1O"]}
    curve = [(1, [0.4]), (30, [0.7])]
    return [
        result("Cc1ccccc1O", floors=floors, **solved | {"curve": curve}),
        result("CCO"),
        result("C1CC", reason="Not a valid SMILES: 'C1CC'", calls=0),
    ]


def test_the_page_of_a_search():
    text = page.page(results(), *WANTED, PLAN)
    found = Reader(text)
    assert not {tag for tag, _ in found.tags} & {"script", "link", "iframe"}
    for line in (
        "Wanted: raise qed.",
        "1 of 3 starts have a molecule within the bounds, 1 could not be used",
        "Without a search, one alkyl chain: 1 of 1 within the bounds",
        "C1CC: Not a valid SMILES",
        "90 calls, similarity 0.55: qed 0.7",
        "start: qed 0.4",
        "Shown are 1 of 3 starts",
    ):
        assert line in found.text, line
    assert found.titles()[-2:] == [
        "Structure of Cc1ccccc1O",
        "Structure of CCc1ccccc1O",
    ]
    curves = svg_text(found.images[0]["src"])
    assert ">10<" in curves and "mathdefault" not in curves


def test_a_search_that_could_use_nothing():
    text = page.page(results()[2:], *WANTED, PLAN)
    assert "0 of 1 starts have a molecule" in Reader(text).text

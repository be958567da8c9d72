"""Properties of molecules, the PMO tasks, and oracles of others."""

import http.server
import json
import math
import pathlib
import threading

import numpy as np
import pytest
from rdkit import Chem
from sklearn.ensemble import RandomForestClassifier

from reprogram.molecules import count_fingerprints
from reprogram.optimization import Objective
from reprogram.optimization import Plan
from reprogram.optimization import optimize
from reprogram.optimization import oracles
from reprogram.optimization.oracles import external
from reprogram.optimization.oracles import kinases
from reprogram.optimization.oracles.pmo import PMO
from reprogram.optimization.oracles.pmo import TARGETS
from reprogram.optimization.oracles.timed import timed
from tests import commands

REFERENCE = (
    pathlib.Path(__file__).parents[2]
    / "../shared/data/molecules/optimization/pmo_reference.json"
)
# Published with the issue about wrong values in TDC's documentation.
AMIDE = "CC(C)(C)[C@H]1CCc2c(sc(NC(=O)COc3ccc(Cl)cc3)c2C(N)=O)C1"
PUBLISHED = {
    "sitagliptin_mpo": 3.34970667598234e-12,
    "zaleplon_mpo": 0.0019017991803329235,
    "isomers_c7h8n2o2": 2.1987591132394053e-34,
    "isomers_c9h10n2o2pf2cl": 1.713908431542013e-15,
}


def value(name, smiles):
    return oracles.get(name)([smiles])[0]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_values(name):
    assert value(name, AMIDE) == pytest.approx(PUBLISHED[name], rel=1e-9)


@pytest.mark.parametrize("name", PMO)
def test_pmo_tasks_agree_with_the_reference(name):
    if not REFERENCE.exists():
        pytest.skip("needs ../shared/data/molecules/optimization")
    reference = json.loads(REFERENCE.read_text())
    found = oracles.get(name)(reference["molecules"])
    expected = reference["scores"][name.replace("_", " ")]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("albuterol_similarity", "albuterol"),
        ("celecoxib_rediscovery", "celecoxib"),
        ("mestranol_similarity", "mestranol"),
        ("thiothixene_rediscovery", "thiothixene"),
        ("troglitazone_rediscovery", "troglitazone"),
    ],
)
def test_a_target_scores_one(name, target):
    assert value(name, TARGETS[target]) == 1


def test_isomers_score_one():
    assert value("isomers_c7h8n2o2", "CCO") < 1
    assert value("isomers_c7h8n2o2", "NC(=O)c1cccnc1OC") == 1


def test_three_definitions_of_penalized_logp():
    smiles = "CC1CCCCCCCCC1"  # one ring of ten atoms
    logp, sa = value("logp", smiles), value("sa", smiles)
    assert value("penalized_logp", smiles) == logp - sa
    assert value("penalized_logp_rings", smiles) == logp - sa - 4
    expected = (
        (logp - 2.4570953396190123) / 1.434324401111988
        + (-sa + 3.0525811293166134) / 0.8335207024513095
        + (-4 + 0.0485696876403053) / 0.2860212110245455
    )
    found = value("penalized_logp_normalized", smiles)
    assert found == pytest.approx(expected)


def test_the_ring_term_takes_a_cycle_basis():
    """Smallest rings of cubane have four atoms, a basis has longer cycles."""
    cubane = Chem.MolFromSmiles("C12C3C4C1C5C2C3C45")
    assert max(map(len, cubane.GetRingInfo().AtomRings())) == 4
    found = value("penalized_logp", "C12C3C4C1C5C2C3C45") - value(
        "penalized_logp_rings", "C12C3C4C1C5C2C3C45"
    )
    assert found == int(found) >= 0


def test_an_unknown_oracle_names_what_there_is():
    with pytest.raises(ValueError, match="No oracle 'gap'.*qed.*module:func"):
        oracles.get("gap")
    with pytest.raises(ValueError, match="'nowhere:f' cannot be imported"):
        oracles.get("nowhere:f")
    with pytest.raises(ValueError, match="TARGETS is no function"):
        oracles.get("reprogram.optimization.oracles.pmo:TARGETS")
    with pytest.raises(ValueError, match="No property 'gap'"):
        oracles.score(["C"], ["gap"])


def test_a_function_of_the_user(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def f(rows): return map(len, rows)\n")
    monkeypatch.chdir(tmp_path)
    assert list(oracles.get("mine:f")(["CC", "C"])) == [2, 1]


def test_a_refitted_forest_is_that_of_scikit_learn(tmp_path):
    smiles = ["C" * n + end for n in range(1, 12) for end in ("O", "N", "F")]
    active = np.arange(len(smiles)) % 3 == 0
    kinases.fit_kinase(smiles, active, tmp_path / "a.npz", trees=7, seed=3)
    bits = count_fingerprints(smiles) > 0
    forest = RandomForestClassifier(7, random_state=3).fit(bits, active)
    found = oracles.get(str(tmp_path / "a.npz"))(smiles)
    expected = forest.predict_proba(bits)[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(ValueError, match="must hold 0 and 1"):
        kinases.fit_kinase(["C"], [1], tmp_path / "b.npz")


def test_a_service():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            size = int(self.headers["Content-Length"])
            rows = json.loads(self.rfile.read(size))["smiles"]
            values = [len(row) if row != "C" else None for row in rows]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"values": values}).encode())

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ask = oracles.get(f"http://127.0.0.1:{server.server_port}/score")
    first, second = ask(["CCC", "C"])
    server.shutdown()
    server.server_close()
    assert first == 3
    assert math.isnan(second)


def test_an_oracle_that_hangs_is_killed(tmp_path, monkeypatch):
    (tmp_path / "slow_oracle.py").write_text(
        "import time\n"
        "def f(rows):\n"
        "    if 'O' in rows: time.sleep(60)\n"
        "    if 'N' in rows: raise KeyError('no nitrogen')\n"
        "    return [len(row) for row in rows]\n"
    )
    monkeypatch.chdir(tmp_path)
    ask = timed("slow_oracle:f", 1.0)
    assert ask(["CC"]) == [2]
    with pytest.raises(TimeoutError, match="no answer to 1 molecules within 1"):
        ask(["O"])
    with pytest.raises(RuntimeError, match="KeyError.*no nitrogen"):
        ask(["N"])


def test_runs_of_every_kind_are_oracles(tmp_path):
    """The few-label ensemble, a forest, and a program for one column."""
    made = commands.runs()
    for folder in (made.ensemble, made.forest, made.molecules):
        first, bad = oracles.get(str(folder))(["CN(C)CCCO", "C1CC"])
        named = oracles.get(f"{folder}:target")(["CN(C)CCCO"])
        assert first == named[0] and math.isnan(bad)
        with pytest.raises(ValueError, match="predicts target. Received the"):
            oracles.get(f"{folder}:other")
    with pytest.raises(ValueError, match="Expected a run of a task with mol"):
        oracles.get(str(made.images))
    wanted = Objective(maximise=[f"{made.ensemble}:target"])
    plan = Plan(budget=8, options={"generations": 1, "children": 10})
    (result,) = optimize(wanted, ["CN(C)CCO"], tmp_path, plan, tell=id)
    assert result["calls"] == 8 and result["unknown"] == 0
    assert result["values"][f"{made.ensemble}:target"] > 0


def test_a_column_must_be_named_where_a_run_predicts_several():
    several = {"target_names": ["a", "b", "c"], "modality": "molecule"}
    several["problem"] = "multilabel"
    with pytest.raises(ValueError, match="Name one of them: runs/x:c"):
        external._column(several, "runs/x", "")
    assert external._column(several, "runs/x", "b") == 1
    classes = {**several, "target_names": ["no", "yes"]}
    classes["problem"] = "classification"
    assert external._column(classes, "runs/x", "") == 1

"""What is wanted of molecules, and the searches for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.gaussian_process.kernels import WhiteKernel

from reprogram import sources
from reprogram.optimization import floors
from reprogram.optimization import search as searches
from reprogram.optimization.constraints import IMPLAUSIBLE
from reprogram.optimization.constraints import Frame
from reprogram.optimization.constraints import plain
from reprogram.optimization.objective import Objective
from reprogram.optimization.objective import front
from reprogram.optimization.search import changes
from reprogram.optimization.search import edits
from reprogram.optimization.search import islands
from reprogram.optimization.search import rings
from reprogram.optimization.search import surrogate
from reprogram.optimization.search.archive import Archive
from reprogram.optimization.search.qmo import QMO
from tests.small_molecules import ChainSource

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(C)Cc1ccc(C(C)C(=O)[O-])cc1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "C[NH+]1CCC(=C2c3ccccc3CCc3ccccc32)CC1",
    "O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O",
    "C#CC1(O)CCC2C3CCc4cc(O)ccc4C3CCC21C",
)
START = "CCC(C)C(NC(=O)N1CCCCC1)C(=O)[O-]"
fast = settings(deadline=None, derandomize=True, max_examples=30)


@given(st.sampled_from(DRUGS), st.integers(0, 10_000))
@fast
def test_an_edit_gives_another_whole_molecule(drug, seed):
    rng = np.random.default_rng(seed)
    found = edits.mutate(Chem.MolFromSmiles(drug), rng)
    molecule = Chem.MolFromSmiles(found)
    assert molecule is not None
    assert found == Chem.MolToSmiles(molecule)
    assert "." not in found
    assert found != Chem.CanonSmiles(drug)
    assert not any(a.GetNumRadicalElectrons() for a in molecule.GetAtoms())


@pytest.mark.parametrize("change", {**changes.CHANGES, **rings.RING_CHANGES})
def test_every_change_can_be_made(change):
    rng, made = np.random.default_rng(0), 0
    for drug in DRUGS * 5:
        molecule = Chem.RWMol(Chem.MolFromSmiles(drug))
        Chem.Kekulize(molecule, clearAromaticFlags=True)
        made += edits._valid(change(molecule, rng)) is not None
    assert made > 3


def test_a_ring_is_exchanged_with_all_that_hangs_on_it():
    """Few changes of atoms do not lead from a benzene to a pyrazole."""
    rng = np.random.default_rng(0)
    molecule = Chem.RWMol(Chem.MolFromSmiles("Fc1ccc(Cl)cc1"))
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    found = {
        edits._valid(rings.exchange_ring(Chem.RWMol(molecule), rng))
        for _ in range(300)
    } - {None}
    assert all("F" in row and "Cl" in row for row in found)
    five = Chem.MolFromSmarts("[#9,#17]~c1:[c,n]:[c,n]:[c,n]:[c,n]:1")
    assert any(Chem.MolFromSmiles(row).HasSubstructMatch(five) for row in found)
    assert len(found) > 50


def test_a_ring_is_put_between_two_atoms():
    rng = np.random.default_rng(0)
    molecule = Chem.RWMol(Chem.MolFromSmiles("FCl"))
    found = [
        edits._valid(rings.insert_ring(Chem.RWMol(molecule), rng))
        for _ in range(50)
    ]
    assert all("F" in row and "Cl" in row for row in found if row)
    assert all(
        rdMolDescriptors.CalcNumRings(Chem.MolFromSmiles(row))
        for row in found
        if row
    )


def test_crossing_takes_parts_of_both():
    rng = np.random.default_rng(0)
    pair = [Chem.MolFromSmiles(s) for s in ("BrCCCBr", "SCCCS")]
    found = {edits.cross(*pair, rng) for _ in range(20)}
    assert any("Br" in row and "S" in row for row in found)
    assert edits.cross(Chem.MolFromSmiles("C"), pair[0], rng) is None


def test_equal_seeds_edit_alike():
    molecule = Chem.MolFromSmiles(DRUGS[0])
    first, second = (
        edits.mutations(molecule, 20, np.random.default_rng(4))
        for _ in range(2)
    )
    assert first == second


def test_similarity_is_that_of_the_published_task():
    generator = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)
    first, second = map(Chem.MolFromSmiles, DRUGS[:2])
    expected = DataStructs.TanimotoSimilarity(
        *map(generator.GetFingerprint, (first, second))
    )
    frame = Frame(Objective(maximise="qed", similarity=0.4), DRUGS[0])
    assert frame.similarity(second) == expected
    assert not frame.allows(second)
    exact = Objective(maximise="qed", similarity=expected)
    assert Frame(exact, DRUGS[0]).allows(second)


def test_counts_cannot_be_gamed_by_a_chain():
    """Bits do not see the fifth carbon of a chain, counts do."""
    start = "Oc1ccc(CCCCCCCC)cc1"
    longer = Chem.MolFromSmiles("Oc1ccc(CCCCCCCCCCCCCCCCCC)cc1")
    bits = Frame(Objective(maximise="logp"), start)
    counts = Frame(Objective(maximise="logp", counts=True), start)
    assert bits.similarity(longer) == 1
    assert counts.similarity(longer) < 0.75


def test_the_size_of_a_large_start_is_allowed():
    frame = Frame(Objective(maximise="qed", max_heavy_atoms=3), "CCCCC")
    assert frame.allows(Chem.MolFromSmiles("CCCCO"))
    assert not frame.allows(Chem.MolFromSmiles("CCCCCO"))


def test_what_a_start_has_is_allowed():
    wanted = Objective(maximise="qed", alerts=False)
    aldehyde, plain_one = "O=Cc1ccccc1", "Cc1ccccc1"
    assert Frame(wanted, aldehyde).allows(Chem.MolFromSmiles(aldehyde))
    assert not Frame(wanted, plain_one).allows(Chem.MolFromSmiles(aldehyde))
    assert not Frame(wanted, plain_one).allows(Chem.MolFromSmiles("COOC"))
    assert Frame(wanted, "CCOOC").allows(Chem.MolFromSmiles("COOC"))


def test_no_drug_is_implausible():
    for drug in DRUGS:
        molecule = Chem.MolFromSmiles(drug)
        for name, pattern in IMPLAUSIBLE:
            assert not molecule.HasSubstructMatch(pattern), (drug, name)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Nothing is wanted"),
        ({"maximise": "qed", "minimise": "qed"}, "raised and lowered"),
        (
            {"at_least": {"sa": 4}, "at_most": {"sa": 3}},
            "sa cannot be at least 4 and at most 3",
        ),
        ({"maximise": "qed", "similarity": 40}, "from 0 to 1. Received: 40"),
    ],
)
def test_wrong_objectives(fields, message):
    with pytest.raises(ValueError, match=message):
        Objective(**fields)


def test_bounds_are_inclusive_and_unknown_values_miss_them():
    wanted = Objective(["qed"], at_least={"qed": 0.9}, at_most={"sa": 3})
    values = np.array([[0.9, 3], [0.8, 3.5], [np.nan, 1]])
    expected = [0, 0.6, np.inf]
    np.testing.assert_allclose(wanted.shortfall(values), expected)
    assert wanted.enough
    assert not Objective(["qed", "logp"], at_least={"qed": 0.9}).enough
    assert wanted.utility(values)[2] == -np.inf
    assert np.argmax(wanted.utility(values)) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
@fast
def test_the_front_is_what_nothing_dominates(rows):
    values = np.array(rows)
    for row, kept in zip(values, front(values)):
        better = [
            other
            for other in values
            if (other >= row).all() and (other > row).any()
        ]
        assert kept == (not better)


def test_the_surrogate_is_a_gaussian_process():
    """With its Gaussian kernel alone it equals scikit-learn's."""
    rng = np.random.default_rng(0)
    codes = np.ones((25, 4), "float32")
    whole, values = rng.normal(size=(25, 3)), rng.normal(size=25)
    model = surrogate.Surrogate()
    model.grid = [(1e-12, 1.0, 1.5, 0.1)]
    model.fit((codes[:20], whole[:20]), values[:20])
    mean, deviation = model.predict((codes[20:], whole[20:]))
    center, spread = whole[:20].mean(axis=0), whole[:20].std(axis=0) + 1e-6
    scaled = (whole - center) / spread / np.sqrt(3)
    target = (values[:20] - values[:20].mean()) / values[:20].std()
    kernel = RBF(1.5, "fixed") + WhiteKernel(0.1, "fixed")
    peer = GaussianProcessRegressor(kernel, optimizer=None)
    peer.fit(scaled[:20], target)
    expected = peer.predict(scaled[20:])
    expected = expected * values[:20].std() + values[:20].mean()
    np.testing.assert_allclose(mean, expected, rtol=1e-4)
    assert (deviation > 0).all()


def test_the_surrogate_keeps_the_best_and_the_latest():
    rng = np.random.default_rng(0)
    codes = (rng.random((60, 20)) < 0.3).astype("float32")
    whole, values = rng.normal(size=(60, 3)), np.zeros(60)
    values[5] = 9.0
    model = surrogate.Surrogate(most=20).fit((codes, whole), values)
    assert len(model._codes) == 20
    assert (model._codes == codes[5]).all(axis=1).any()
    assert (model._codes == codes[59]).all(axis=1).any()


def test_an_island_that_no_longer_pays_is_left():
    archive = Archive(Objective(["qed"]))
    place = islands.Islands(patience=50)
    rising = np.linspace(0, 1, 120)
    assert place.mask(archive, rising).all()
    flat = np.concatenate([rising, np.full(51, 0.9)])
    mask = place.mask(archive, flat)
    assert mask.sum() == islands.SEEDS and not mask[100:].any()
    grown = np.concatenate([flat, np.full(20, 0.8)])
    mask = place.mask(archive, grown)
    assert mask[-20:].all() and mask.sum() == islands.SEEDS + 20
    later = np.concatenate([grown, np.zeros(60)])
    assert place.mask(archive, later).all() and place.mixed
    order = place.turns(np.argsort(-later, kind="stable"))
    assert order[0] < 171 <= order[1]
    assert sorted(order) == list(range(len(later)))


def test_a_surrogate_learns_from_the_island_and_from_all_others():
    utility = np.arange(100.0)
    utility[7] = -np.inf
    mask = np.arange(100) < 50
    rows = islands.lessons(utility, mask, 40)
    assert len(rows) == 40 == len(set(rows)) and 7 not in rows
    assert set(range(30, 50)) | set(range(90, 100)) <= set(rows)
    assert min(rows) == 0
    assert len(islands.lessons(utility, mask, 99)) == 99


def test_what_is_alike_comes_last():
    rows = ["CCCCCCO", "CCCCCCCO", "CCCCCCCCO", "c1ccncc1"]
    molecules = list(map(Chem.MolFromSmiles, rows))
    found = islands.apart(rows, molecules, 4)
    assert found[0] == rows[0] and sorted(found) == sorted(rows)
    assert found.index("c1ccncc1") < found.index("CCCCCCCCO")
    assert islands.apart(rows, molecules, 0) == []


def test_no_property_is_among_the_features():
    """QED, logP and SA must be learned from calls."""
    used = {f.__name__ for f in surrogate.COUNTS}
    assert not used & {"MolLogP", "qed", "CalcTPSA", "CalcCrippenDescriptors"}


def search_for(name, budget, seed=0, start=START, **options):
    wanted = Objective(["qed"], at_least={"qed": 0.9}, similarity=0.4)
    archive = Archive(wanted, plain(start), seed)
    evaluate = searches.evaluator(wanted)
    search = searches.get(name, **options)
    searches.drive([archive], search, evaluate, budget)
    return archive


def test_the_default_solves_what_a_genetic_algorithm_does_not():
    options = {"generations": 2, "children": 60}
    found = search_for("evolution", 150, **options)
    best = found.best()
    molecule = found.molecules[best]
    assert found.values[best, 0] >= 0.9
    assert found.frame.similarity(molecule) >= 0.4
    assert found.path(best)[0] == plain(START)
    other = search_for("genetic", len(found), **options)
    assert not other.solved()


def test_no_molecule_is_its_own_ancestor():
    wanted = Objective(["qed"])
    archive = Archive(wanted, "CCO", 0)
    evaluate = searches.evaluator(wanted)
    search = searches.get("genetic", children=10)
    searches.drive([archive], search, evaluate, 150)
    for row in archive.parents:
        seen = [row]
        while seen[-1] in archive.parents:
            seen.append(archive.parents[seen[-1]])
            assert len(set(seen)) == len(seen)
        assert seen[-1] == "CCO"


def test_equal_seeds_search_alike():
    first, second, third = (
        search_for("evolution", 25, seed, generations=2, children=30).smiles
        for seed in (1, 1, 2)
    )
    assert first == second != third


@pytest.mark.parametrize("name", sorted(set(searches.SEARCHES) - {"language"}))
def test_every_search_keeps_the_budget(name):
    """One ask/tell shape: several starts, no molecule asked twice."""
    wanted = Objective(["logp"])
    archives = [Archive(wanted, plain(s), 0) for s in ("CCCCO", "CCN")]
    asked = []

    def evaluate(smiles):
        asked.append(list(smiles))
        return np.array([[len(row)] for row in smiles], float)

    quick = {"generations": 1, "children": 30} if name == "evolution" else {}
    search = searches.get(name, ChainSource(), **quick)
    searches.drive(archives, search, evaluate, 40)
    for archive in archives:
        assert 1 < len(archive) <= 40
        assert len(set(archive.smiles)) == len(archive)
        assert archive.best() is not None
    assert all(len(set(rows)) == len(rows) for rows in asked)
    for name in searches.NEED_SOURCE:
        with pytest.raises(ValueError, match="works with a molecular"):
            searches.get(name)


def test_a_search_goes_on_where_nothing_is_known():
    archive = Archive(Objective(["logp"]), None, 0)
    search = searches.get("evolution", generations=1, children=20)
    searches.drive(
        [archive], search, lambda rows: np.full((len(rows), 1), np.nan), 12,
        [["CCO", "CCN", "c1ccccc1", "CCCC", "CCCCO"]],
    )  # fmt: skip
    assert len(archive) == 12 and archive.best() is None


def test_what_is_no_molecule_is_not_asked():
    wanted = Objective(["logp"])
    archive = Archive(wanted, "CCO", 0)

    def search(archives, counts):
        return [["C1CC", "CCC", "c1ccccc1C(C)(C)(C)C"]]

    searches.drive([archive], search, searches.evaluator(wanted), 10)
    assert archive.smiles == ["CCO", "CCC"]


def test_the_estimate_of_qmo_points_uphill():
    """On a linear loss the mean estimate is the gradient."""
    wanted = Objective(["logp"])

    class Linear(ChainSource):
        latent_size = 4
        number = 0

        def decode(self, latents):
            rows = []
            for latent in latents:
                Linear.number += 1
                text = plain(f"[{Linear.number + 1}CH4]")
                values[text] = float(latent @ [1.0, -2.0, 0.5, 0.0])
                rows.append(text)
            return rows

    values = {"C": 0.0}
    archive = Archive(wanted, "C", 0)
    search = QMO(Linear(), directions=400, radius=0.5, steps=3)
    archive.add(["C"], np.array([[0.0]]))
    rows = search([archive], [500])[0]
    archive.add(rows, np.array([[values[row]] for row in rows]))
    losses = search._losses(archive, archive.memory["qmo"].written)
    directions = archive.memory["qmo"].directions
    estimate = 4 / (0.5 * 400) * (losses[1:] - losses[0]) @ directions
    np.testing.assert_allclose(estimate, [-1, 2, -0.5, 0], atol=0.3)


def test_a_prompt_learns_from_its_hits():
    """Trained on nitriles, the frozen language model writes nitriles."""
    source = sources.load("zinc-autoencoder")
    before = source.writer.get_weights()
    archive = Archive(Objective(["logp"], plausible=False), None, 0)
    search = searches.get("language", source, batch=32, learning_rate=0.2)
    nitriles = ["C" * n + "C#N" for n in range(1, 13)]
    archive.add(nitriles, np.ones((len(nitriles), 1)))
    for _ in range(3):
        search([archive], [99])
    found = search([archive], [99])[0]
    plain_ones = [row for row in source.generate(32, seed=0) if row]
    share = [sum("C#N" in row for row in rows) / len(rows)
             for rows in (found, plain_ones)]  # fmt: skip
    assert share[0] > share[1] + 0.3
    for old, new in zip(before, source.writer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_the_floor_of_one_chain():
    wanted = Objective(["penalized_logp"], similarity=0.3, max_heavy_atoms=30)
    start = plain(DRUGS[4])
    frame = Frame(wanted, start)
    rows = floors.chains(start, frame)
    sizes = [Chem.MolFromSmiles(row).GetNumHeavyAtoms() for row in rows]
    assert 24 < max(sizes) <= 30
    assert all(frame.allows(Chem.MolFromSmiles(row)) for row in rows)
    found = floors.reached(wanted, start, rows, searches.evaluator(wanted))
    begin = searches.evaluator(wanted)([start])[0, 0]
    assert found["values"]["penalized_logp"] > begin + 1
    assert found["calls"] == len(rows) + 1
    near = floors.neighbors(start, frame, 5, np.random.default_rng(0))
    assert 0 < len(near) <= 5 and start not in near

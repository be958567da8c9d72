"""The molecular source that ships: whole, quick, and as good as its card."""

import json
import shutil
import time

import keras
import numpy as np
import pytest
from rdkit import RDConfig

from reprogram import molecules
from reprogram import sources
from reprogram.molecules import DESCRIPTOR_NAMES
from reprogram.sources import card
from reprogram.sources import corpus
from reprogram.sources import evaluation
from reprogram.sources import molecular

FOLDER = molecular.WEIGHTS / "zinc-encoder"


@pytest.fixture(scope="module")
def source():
    return sources.load("zinc-encoder")


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "copy")


def nci(count):
    path = f"{RDConfig.RDDataDir}/NCI/first_5K.smi"
    rows = corpus.read_smiles(path)[::25]
    explain = molecular.restore(FOLDER)[1].explain
    found = [s for s in molecules.read(rows)[0] if s and not explain(s)]
    return np.array(found[:count], object)


def test_it_loads_in_seconds_and_is_small():
    start = time.perf_counter()
    sources.load("zinc-encoder")
    assert time.perf_counter() - start < 10
    size = sum(file.stat().st_size for file in FOLDER.iterdir())
    assert size < 5e6


def test_it_says_what_it_is(source):
    assert source.modality == "molecule" and source.licence == "Apache-2.0"
    assert "ZINC" in source.citation
    assert source.model.trainable_weights == []
    assert source.model.output_shape == (None, len(source.class_names))
    assert set(source.class_names) < set(DESCRIPTOR_NAMES)
    for name in (source.input_layer, source.feature_layer):
        assert source.model.get_layer(name)
    assert all(np.isfinite(w).all() for w in source.model.get_weights())


def test_it_knows_the_descriptors_of_rdkit(source):
    smiles = nci(50)
    answers = source.model.predict(source.preprocess(smiles), verbose=0)
    table = molecules.descriptors(list(smiles))
    for name in ("MolWt", "MolLogP", "TPSA", "RingCount", "HeavyAtomCount"):
        found = answers[:, source.class_names.index(name)]
        expected = table[:, DESCRIPTOR_NAMES.index(name)]
        assert np.corrcoef(found, expected)[0, 1] > 0.95, name


def test_padding_does_not_change_the_answer(source):
    smiles = ["CCO", "c1ccccc1C(=O)NC"]
    _, tokenizer, _ = molecular.restore(FOLDER)
    short, long = tokenizer(smiles), tokenizer(smiles, 64)
    expected = source.model.predict(short, verbose=0)
    found = source.model.predict(long, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    alone = source.model.predict(source.preprocess(smiles[:1]), verbose=0)
    np.testing.assert_allclose(alone[0], expected[0], atol=1e-4)


def test_preprocessing_pads_to_sixteens(source):
    batch = source.preprocess(np.array(["CCO", "C" * 17], object))
    assert batch.shape == (2, 32) and batch.dtype == np.int32
    assert source.preprocess(np.array(["C" * 128], object)).shape == (1, 128)
    assert source.preprocess(np.array([], object)).shape == (0, 16)


def test_it_explains_what_it_cannot_read(source):
    assert source.explain("CCO") == ""
    reason = source.explain("C[Si](C)(C)C")
    assert "'C[Si](C)(C)C'" in reason and "[Si]" in reason
    with pytest.raises(ValueError, match=r"vocabulary of the source: \[Si\]"):
        source.preprocess(np.array(["CCO", "C[Si](C)(C)C"], object))
    assert "129 tokens; the source reads 1 to 128" in source.explain("C" * 129)


def test_other_writings_are_of_the_same_molecules(source):
    smiles = nci(20)
    written = source.augment(smiles, 3)
    assert (written == source.augment(smiles, 3)).all()
    assert (written != smiles).mean() > 0.5
    assert molecules.read(written)[0] == list(smiles)
    assert all(source.explain(row) == "" for row in written)


@pytest.mark.parametrize("name", ["config.json", "weights.npz"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(ValueError, match=f"No {name} in .*scripts/pretrain.py"):
        molecular.load(copy, "copy")


def test_damaged_weights_are_refused(copy):
    content = bytearray((copy / "weights.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "weights.npz").write_bytes(content)
    with pytest.raises(ValueError, match="weights.npz is damaged: .*Install"):
        molecular.load(copy, "copy")


def test_what_is_saved_is_restored(copy, source):
    encoder, tokenizer, config = molecular.restore(copy)
    scale = molecular.scale(config)
    molecular.save(copy, encoder, config["sizes"], tokenizer, scale)
    again = molecular.load(copy, "copy")
    for mine, shipped in zip(again.model.weights, source.model.weights):
        np.testing.assert_array_equal(mine, shipped)
    assert json.loads((copy / "config.json").read_text()) == config


def metrics():
    return json.loads((FOLDER / "metrics.json").read_text())


def test_the_numbers_of_the_card_are_right():
    facts = metrics()
    encoder, tokenizer, config = molecular.restore(FOLDER)
    sample = facts["sample"]
    found = evaluation.evaluate(
        encoder, tokenizer, molecular.scale(config), sample["smiles"]
    )
    assert found["molecules"] == sample["molecules"]
    assert found["median_r2"] == pytest.approx(sample["median_r2"], abs=2e-3)
    for name in card.SHOWN:
        assert found["r2"][name] == pytest.approx(sample["r2"][name], abs=2e-3)
        assert found["r2"][name] == pytest.approx(
            facts["test"]["r2"][name], abs=0.05
        )
    assert facts["test"]["median_r2"] > 0.6
    assert facts["test"]["masked_tokens"] > facts["test"]["commonest_token"]
    bits = facts["test"]["fingerprint_bits"]
    assert bits > facts["test"]["frequency_of_bits"]


def test_the_card_says_what_the_facts_say():
    facts, text = metrics(), (FOLDER / "CARD.md").read_text()
    assert text == card.text(facts)
    assert f"{facts['test']['median_r2']:.3f}" in text
    assert f"{facts['steps']:,} steps" in text
    for name, rows in {**facts["files"], **facts["held_out"]}.items():
        assert f"`{name}` ({rows:,} rows)" in text
        assert "/" not in name
    assert "/work" not in text and "/tmp" not in text
    assert (
        facts["parameters"] == sources.load("zinc-encoder").model.count_params()
    )


def test_the_whole_test_file_gives_the_numbers_of_the_card(shared):
    facts = metrics()
    path = shared / "data" / "molecules" / "zinc250k" / facts["test_file"]
    smiles = corpus.read_smiles(path)
    assert len(smiles) == facts["held_out"][path.name]
    encoder, tokenizer, config = molecular.restore(FOLDER)
    found = evaluation.evaluate(
        encoder, tokenizer, molecular.scale(config), smiles[::25]
    )
    for name in card.SHOWN:
        assert found["r2"][name] == pytest.approx(
            facts["test"]["r2"][name], abs=0.05
        )


def test_a_card_without_a_test_file_says_so():
    facts = metrics()
    facts.pop("test")
    assert "Not measured" in card.text(facts)
    assert "unknown" in card.text(facts | {"files": {"mine.smi": 5}})


def test_the_global_policy_does_not_change_the_measurement():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder, _, _ = molecular.restore(FOLDER)
        assert encoder.get_layer("sequence").compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_users_own_encoder_loads_by_its_folder():
    folder = molecular.WEIGHTS / "zinc-encoder"
    source = sources.load(folder)
    assert source.modality == "molecule" and source.name == str(folder)
    assert source.preprocess(np.array(["CCO"], object)).shape == (1, 16)

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
from reprogram.molecules.tokenizer import TOKEN
from reprogram.optimization import oracles
from reprogram.sources.molecular import files
from reprogram.sources.molecular.networks import sequence_loss
from reprogram.sources.pretraining import card
from reprogram.sources.pretraining import corpus
from reprogram.sources.pretraining import evaluation

FOLDER = files.WEIGHTS / "zinc-autoencoder"


@pytest.fixture(scope="module")
def source():
    return sources.load("zinc-autoencoder")


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "copy")


def nci(count):
    path = f"{RDConfig.RDDataDir}/NCI/first_5K.smi"
    rows = corpus.read_smiles(path)[::25]
    explain = files.restore(FOLDER)[1].explain
    found = [s for s in molecules.read(rows)[0] if s and not explain(s)]
    return np.array(found[:count], object)


def test_it_loads_in_seconds_and_is_small():
    start = time.perf_counter()
    sources.load("zinc-autoencoder")
    assert time.perf_counter() - start < 10
    size = sum(file.stat().st_size for file in FOLDER.iterdir())
    assert size < 12e6


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
    _, tokenizer, _ = files.restore(FOLDER)
    short, long = tokenizer(smiles), tokenizer(smiles, 64)
    expected = source.model.predict(short, verbose=0)
    found = source.model.predict(long, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    alone = source.model.predict(source.preprocess(smiles[:1]), verbose=0)
    np.testing.assert_allclose(alone[0], expected[0], atol=1e-4)


def test_preprocessing_pads_to_sixteens(source):
    batch = source.preprocess(np.array(["CCO", "C" * 17], object))
    assert batch.shape == (2, 32) and batch.dtype == np.int32
    assert source.preprocess(np.array(["C" * 250], object)).shape == (1, 256)
    assert source.preprocess(np.array([], object)).shape == (0, 16)


def test_it_explains_what_it_cannot_read(source):
    assert source.explain("CCO") == ""
    reason = source.explain("C[Si](C)(C)C")
    assert "'C[Si](C)(C)C'" in reason and "[Si]" in reason
    with pytest.raises(ValueError, match=r"vocabulary of the source: \[Si\]"):
        source.preprocess(np.array(["CCO", "C[Si](C)(C)C"], object))
    assert "257 tokens; the source reads 1 to 256" in source.explain("C" * 257)


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
        files.load(copy, "copy")


def test_damaged_weights_are_refused(copy):
    content = bytearray((copy / "weights.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "weights.npz").write_bytes(content)
    with pytest.raises(ValueError, match="weights.npz is damaged: .*Install"):
        files.load(copy, "copy")


def test_what_is_saved_is_restored(copy, source):
    parts, tokenizer, config = files.restore(copy)
    scale = files.scale(config)
    files.save(copy, parts, config["sizes"], tokenizer, scale)
    again = files.load(copy, "copy")
    for face in ("model", "encoder", "decoder", "language"):
        mine, shipped = getattr(again, face), getattr(source, face)
        for weight, expected in zip(mine.weights, shipped.weights):
            np.testing.assert_array_equal(weight, expected)
    assert json.loads((copy / "config.json").read_text()) == config


def test_molecules_come_back(source):
    smiles = list(nci(100))
    decoded = source.decode(source.encode(smiles))
    assert np.mean([a == b for a, b in zip(smiles, decoded)]) > 0.75
    assert source.encode(smiles).shape == (100, source.latent_size)
    raw = "[Na+].C[C@H](N)C(=O)[O-]"
    latent = source.encode([raw], standardized=False)
    assert source.decode(latent) == ["CC(N)C(=O)O"]


def test_the_faces_are_models_on_token_ids(source):
    ids = source.preprocess(nci(4))
    latents = source.encoder(ids)
    for smiles, row in zip(nci(4), np.array(latents)):
        np.testing.assert_allclose(source.encode([smiles])[0], row, atol=1e-4)
    written = source.tokenizer.detokenize(np.array(source.decoder(latents)))
    assert written == source.write(np.array(latents))
    scores = source.language(ids)
    assert scores.shape == (*ids.shape, source.tokenizer.size)
    for face in (source.encoder, source.decoder, source.language):
        assert isinstance(face, keras.Model) and not face.trainable_weights


def test_describing_is_in_the_units_of_rdkit(source):
    smiles = list(nci(40))
    found = source.describe(smiles)[:, source.class_names.index("MolWt")]
    weights = oracles.score(smiles, ["weight"])[:, 0]
    assert np.abs(found - weights).mean() < 0.1 * weights.mean()


def test_the_language_model_expects_what_molecules_have(source):
    def surprise(rows):
        ids = source.tokenizer(rows, 64)
        return np.array(sequence_loss(ids, source.language(ids)))

    rng = np.random.default_rng(0)
    real = list(nci(30))
    shuffled = ["".join(rng.permutation(TOKEN.findall(s))) for s in real]
    assert (surprise(real) < surprise(shuffled)).mean() > 0.9


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(source):
    rows = ["CCO", "C[Si](C)(C)C", "", "[Na+].CC(=O)[O-]", "C" * 96, "CCN"]
    with pytest.warns(UserWarning, match="4 of 6 .*Si.*And 1 more") as caught:
        latents = source.encode(rows)
    assert "'C[Si](C)(C)C'" in str(caught[0].message)
    assert "standardize" in str(caught[0].message)
    bad = np.isnan(latents).all(axis=1)
    assert bad.tolist() == [False, True, True, True, True, False]
    expected = source.encode(["CCO", "CCN"])
    np.testing.assert_allclose(latents[~bad], expected, atol=1e-5)
    with pytest.raises(ValueError, match="NaN or infinity in 4 of 6 .* 1. "):
        source.decode(latents)
    with pytest.warns(UserWarning, match="no atoms|Empty|cannot be read"):
        source.describe(["", "CC"], standardized=False)


def test_latents_of_another_width_are_refused(source):
    with pytest.raises(ValueError, match=r"\(molecules, 240\).*\(2, 7\)"):
        source.decode(np.zeros((2, 7)))
    with pytest.raises(ValueError, match="Received: \\(240,\\)"):
        source.write(np.zeros(240))


def test_nothing_to_read_or_write_is_no_error(source):
    assert source.encode([]).shape == (0, 240)
    assert source.decode(np.zeros((0, 240))) == []


def test_draws_depend_on_the_seed_alone(source):
    latents = source.encode(list(nci(8))) + 0.5
    first = source.write(latents, temperature=1.5, seed=3)
    assert first == source.write(latents, temperature=1.5, seed=3)
    assert first != source.write(latents, temperature=1.5, seed=4)
    assert source.generate(8, seed=1) == source.generate(8, seed=1)
    prior = source.sample_latents(4, seed=2)
    np.testing.assert_array_equal(prior, source.sample_latents(4, seed=2))
    assert prior.shape == (4, 240) and np.isfinite(prior).all()


def test_drawing_again_mends_what_is_not_valid(source):
    noise = np.random.default_rng(0).normal(size=(40, 240))
    latents = source.encode(list(nci(40))) + 0.7 * noise
    once = source.decode(latents)
    often = source.decode(latents, attempts=6)
    assert sum(row is None for row in often) < sum(r is None for r in once)
    for before, after in zip(once, often):
        assert before is None or before == after


def test_the_beam_finds_likelier_strings_than_greed(source):
    latents = source.encode(list(nci(8)))
    latents = latents + np.random.default_rng(1).normal(size=latents.shape)
    contexts = source.expander(latents)
    beams, greedy = source.write(latents, beams=4), source.write(latents)

    strings = [[*row, smiles] for row, smiles in zip(beams, greedy)]
    ids = source.tokenizer(sum(strings, []), 96)
    scores = source.writer(np.repeat(contexts, 5, axis=0), ids)
    surprise = np.reshape(sequence_loss(ids, scores), (-1, 5))
    for row, costs in zip(beams, surprise.tolist()):
        assert len(set(row)) == 4
        assert costs[:4] == sorted(costs[:4])
        assert costs[0] <= costs[4] + 1e-3


def metrics():
    return json.loads((FOLDER / "metrics.json").read_text())


def test_the_numbers_of_the_card_are_right(source):
    facts = metrics()
    sample, test = facts["sample"], facts["test"]
    found = evaluation.evaluate(source, sample["smiles"])
    assert found["molecules"] == sample["molecules"]
    for name in ("median_r2", "exact", "characters", "tanimoto"):
        assert found[name] == pytest.approx(sample[name], abs=2e-2)
    for name in card.SHOWN:
        assert found["r2"][name] == pytest.approx(sample["r2"][name], abs=2e-3)
        assert found["r2"][name] == pytest.approx(test["r2"][name], abs=0.1)
    assert test["exact"] > 0.75 and test["kl"] > 0


def test_the_card_says_what_the_facts_say():
    facts, text = metrics(), (FOLDER / "CARD.md").read_text()
    assert text == card.text(facts)
    assert f"{facts['test']['median_r2']:.3f}" in text
    assert f"{facts['steps']:,} steps" in text
    for name, rows in {**facts["files"], **facts["held_out"]}.items():
        assert f"`{name}` ({rows:,} rows)" in text
        assert "/" not in name
    assert "/work" not in text and "/tmp" not in text
    parts, _, _ = files.restore(FOLDER)
    assert facts["parameters"] == sum(part.count_params() for part in parts)


def test_the_whole_test_file_gives_the_numbers_of_the_card(source, shared):
    facts = metrics()
    path = shared / "data" / "molecules" / "zinc250k" / facts["test_file"]
    smiles = corpus.read_smiles(path)
    assert len(smiles) == facts["held_out"][path.name]
    by_folder = sources.load(FOLDER)
    for name in ("encoder", "decoder", "language"):
        for mine, other in zip(
            getattr(by_folder, name).get_weights(),
            getattr(source, name).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(mine, other)
    found = evaluation.evaluate(source, smiles[::25])
    for name in ("exact", "characters", "tanimoto"):
        assert found[name] == pytest.approx(facts["test"][name], abs=0.07)
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
        (reader, _, _), _, _ = files.restore(FOLDER)
        assert reader.get_layer("sequence").compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_users_own_encoder_loads_by_its_folder():
    folder = files.WEIGHTS / "zinc-autoencoder"
    source = sources.load(folder)
    assert source.modality == "molecule" and source.name == str(folder)
    assert source.preprocess(np.array(["CCO"], object)).shape == (1, 16)

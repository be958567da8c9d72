"""Batches, budget, and going on after an interruption."""

import json
import shutil

import keras
import numpy as np
import pytest

from reprogram import molecules
from reprogram.molecules.tokenizer import TOKEN
from reprogram.sources.molecular import networks
from reprogram.sources.pretraining import corpus
from reprogram.sources.pretraining import training
from reprogram.sources.pretraining.batches import Batches

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "Br")]


def batches(steps=4, batch_size=8, seed=0, smiles=CHAINS, **limits):
    tokenizer = corpus.fit_tokenizer(smiles, 1, **limits)
    targets = np.arange(3 * len(smiles), dtype="float32").reshape(-1, 3)
    bits = corpus.fingerprint_bits(smiles)
    made = corpus.Corpus(smiles, tokenizer, {}, targets, bits)
    return Batches(made, 48, steps, batch_size, seed)


def same(first, second):
    return [
        np.array_equal(a, b)
        for a, b in zip(
            keras.tree.flatten(first), keras.tree.flatten(second), strict=True
        )
    ]


def test_a_batch_depends_on_seed_and_number_alone():
    data, twin, other = batches(), batches(), batches(seed=1)
    for number in (7, 0, 3):
        assert all(same(data[number], twin[number]))
    assert not any(same(data[3], data[4])[1:2])
    assert not any(same(data[3], other[3])[1:2])
    stream = data.stream(epoch=2)
    for number in (8, 9, 10):
        assert all(same(next(stream), data[number]))


def test_a_batch_has_three_kinds_of_rows():
    data = batches(batch_size=16)
    for number in range(4):
        inputs, targets, weights = data[number]
        known = inputs["known"][:, 0]
        ids = targets["reconstruction"]
        np.testing.assert_array_equal(inputs["tokens"], ids)
        np.testing.assert_array_equal(targets["language"], ids)
        written, free = weights["reconstruction"], weights["language"]
        assert known.sum() == 8 and (free > 0).sum() == 6
        np.testing.assert_array_equal(known > 0, written > 0)
        assert not ((written > 0) & (free > 0)).any()
        assert written.mean() == free.mean() == 1.0
        names = data.corpus.tokenizer.detokenize(ids[2:])
        assert set(names) <= set(data.corpus.smiles)
        assert (weights["descriptors"] == 1).all()
        assert (ids[:, -1] == 0).all()


def test_the_sample_is_read_and_written_whole():
    inputs, targets, weights = batches().sample(5)
    assert (inputs["known"] == 1).all() and (weights["language"] == 0).all()
    assert (weights["reconstruction"] == 1).all()
    assert inputs["tokens"].shape == (5, 48)


def test_targets_belong_to_the_molecules():
    data = batches(batch_size=24)
    inputs, targets, weights = data[1]
    names = data.corpus.tokenizer.detokenize(targets["reconstruction"])
    rows = [CHAINS.index(molecules.standardize(name)) for name in names]
    np.testing.assert_array_equal(
        targets["descriptors"], data.corpus.targets[rows]
    )
    bits = np.unpackbits(data.corpus.bits[rows], axis=1)
    np.testing.assert_array_equal(targets["fingerprints"], bits)
    assert (weights["descriptors"] == 1).all()
    assert len(inputs["tokens"]) == len(inputs["known"]) == 24


def test_an_eighth_of_the_molecules_are_rewritten():
    smiles = ["CC(N)C(=O)NCC(C)C(=O)OCCNC(C)CO"] * 4
    data = batches(batch_size=64, smiles=smiles)
    names = [
        name
        for number in range(4)
        for name in data.corpus.tokenizer.detokenize(
            data[number][1]["reconstruction"]
        )
    ]
    kept = np.mean([name == smiles[0] for name in names])
    assert kept == pytest.approx(7 / 8, abs=0.05)


def test_a_rewritten_molecule_that_cannot_be_read_stays_as_it_was():
    # Written from another atom, this cage needs the ring digit 4.
    cage = "C1CC2CCC3CCC1C23"
    written = {molecules.randomize(cage, seed) for seed in range(200)}
    longest = max(len(TOKEN.findall(cage)), 1)
    tokens = {t for name in written for t in TOKEN.findall(name)}
    assert tokens - set(TOKEN.findall(cage))
    data = batches(smiles=[cage] * 4, batch_size=64, max_length=longest)
    for number in range(4):
        names = data.corpus.tokenizer.detokenize(
            data[number][1]["reconstruction"]
        )
        assert len(names) == 64
        assert {molecules.standardize(name) for name in names} == {
            molecules.standardize(cage)
        }


def test_the_first_batch_of_an_epoch_is_as_long_as_any():
    data = batches()
    lengths = [data[number][0]["tokens"].shape[1] for number in range(8)]
    assert lengths[0] == lengths[4] == 48
    assert {*lengths[1:4], *lengths[5:]} == {16}


SIZES = {"width": 8, "depth": 1, "slots": 12, "code": 2, "units": 8}


def model_for(data):
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(5)
    parts = networks.parts(data.corpus.tokenizer.size, 3, **SIZES)
    return parts, training.pretraining_model(parts)


def train(folder, steps):
    """What one start of the script does, in a fresh state."""
    data = batches(steps=3)
    _, model = model_for(data)
    budget = training.Budget(folder / "state.json", 0.0, 0.1, steps)
    balance = training.Balance(model.get_layer("posterior"), 5.0)
    state = training.train(model, data, budget, folder, [balance])
    return [np.array(w) for w in model.get_weights()], state, model


def test_a_run_in_two_parts_is_the_run_in_one(tmp_path, monkeypatch):
    rates, half = {}, []
    original = training.Budget.on_train_batch_begin

    def begin(self, batch, logs=None):
        original(self, batch, logs)
        steps = int(self.model.optimizer.iterations)
        rates[steps] = float(self.model.optimizer.learning_rate)
        if steps == 6 and not half:
            # What is on the disk when a process is killed at this moment.
            half.extend(np.array(w) for w in self.model.get_weights())
            shutil.copytree(tmp_path / "whole", tmp_path / "parts")

    monkeypatch.setattr(training.Budget, "on_train_batch_begin", begin)
    whole, state, _ = train(tmp_path / "whole", 12)
    assert state["steps"] == 12
    in_one = dict(rates)
    assert json.loads((tmp_path / "parts/state.json").read_text())["steps"] == 6
    rates.clear()
    parts, state, _ = train(tmp_path / "parts", 12)
    assert state["steps"] == 12
    assert rates == {k: v for k, v in in_one.items() if k >= 6}
    assert min(in_one) == 0 and min(rates) == 6
    assert any((a != b).any() for a, b in zip(half, whole))
    for first, second in zip(whole, parts):
        np.testing.assert_array_equal(first, second)
    log = (tmp_path / "parts" / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["epoch", *"0123"]
    # The budget is used: only the weights come back.
    restored, later, model = train(tmp_path / "parts", 12)
    assert later == state and int(model.optimizer.iterations) == 12
    for first, second in zip(whole, restored):
        np.testing.assert_array_equal(first, second)


def test_minutes_are_counted_over_all_runs(tmp_path, monkeypatch):
    clock = iter([100.0, 130.0, 500.0, 530.0, 900.0])
    monkeypatch.setattr(training.time, "time", lambda: next(clock))
    _, model = model_for(batches())
    for run, seconds, used in ((1, 30.0, False), (2, 60.0, True)):
        budget = training.Budget(tmp_path / "state.json", 1.0, 0.1)
        model.stop_training = False
        budget.set_model(model)
        budget.on_train_begin()
        model.optimizer.iterations.assign(run)
        budget.on_epoch_end(run)
        assert budget.state() == {"seconds": seconds, "steps": run}
        assert model.stop_training == used
    assert budget.spent(budget.state()) == 1.0
    longer = training.Budget(tmp_path / "state.json", 4.0, 0.1)
    assert longer.spent(longer.state()) == 0.25


def test_the_learning_rate_rises_and_falls(tmp_path):
    data = batches()
    _, model = model_for(data)
    budget = training.Budget(tmp_path / "state.json", 0.0, 0.5, 1000)
    budget.set_model(model)
    budget.on_train_begin()
    rates = []
    for step in (0, 150, 300, 500, 1000):
        model.optimizer.iterations.assign(step)
        budget.on_train_batch_begin(0)
        rates.append(float(model.optimizer.learning_rate))
    cosine = [0.5 * (1 + np.cos(np.pi * s)) for s in (0.15, 0.3, 0.5)]
    expected = [5e-4, 0.25 * cosine[0], 0.5 * cosine[1], 0.5 * cosine[2], 5e-4]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_a_lost_checkpoint_is_an_error(tmp_path):
    state = {"seconds": 9.0, "steps": 4}
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match="4 steps .* checkpoint is gone"):
        train(tmp_path, 8)

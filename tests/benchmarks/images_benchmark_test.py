"""The benchmark of images: which cells, how they are read, what is held."""

import dataclasses
import json

import numpy as np
import pytest
from absl import flags
from small_sources import images as small

from benchmarks import image_cells
from benchmarks import images
from benchmarks.image_cells import Cell
from reprogram import mappings
from reprogram import transforms
from reprogram.sources.images import shifted


@pytest.fixture(autouse=True)
def parsed():
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["images"])


@pytest.fixture
def data(tmp_path):
    """Files of digits and X-rays with a few images of 6 x 6."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()

    def part(count, classes):
        y = np.arange(count) % classes
        x = 20 * y[:, None, None] + rng.integers(0, 40, (count, 6, 6))
        return x.astype("uint8"), y.astype("uint8")

    x, y = part(120, 10)
    xt, yt = part(40, 10)
    named = {"x_train": x, "y_train": y, "x_test": xt, "y_test": yt}
    np.savez(folder / "mnist.npz", **named)
    parts = {"train": part(20, 2), "val": part(10, 2), "test": part(8, 2)}
    named = {f"{k}_images": v[0] for k, v in parts.items()}
    named |= {f"{k}_labels": v[1][:, None] for k, v in parts.items()}
    np.savez(folder / "pneumoniamnist_rebuilt.npz", **named)
    return folder


@pytest.fixture
def bench(data, monkeypatch):
    monkeypatch.setattr(
        image_cells,
        "read_source",
        lambda *_: dataclasses.replace(small(), augment=shifted),
    )
    return image_cells.Bench(data, data, 6)


def test_every_factor_is_studied_alone():
    cells = images.study()
    assert len({cell.slug() for cell in cells}) == len(cells)
    pairs = {tuple(cell.model.split("+")) for cell in cells}
    assert {seed for cell in cells for seed in (cell.seed,)} == {0, 1, 2}
    assert all(t == "overlay" or m == "linear" for t, m in pairs)
    known = {transform.split()[0] for transform, _ in pairs}
    series = {"segments", "resampling", "missing", "rendering"}
    series |= {"sonification"}
    inner = {"soft_prompt", "dense_token_map", "sparse_token_map"}
    inner |= {"token_rewriting", "table_image"}
    assert known == set(transforms.TRANSFORMS) - series - inner
    # What needs an assignment, names or as many classes cannot run here.
    mapped = {m.split()[0] for _, m in pairs}
    without = {"identity", "explicit", "semantic"}
    assert mapped == set(mappings.MAPPINGS) - without


def test_the_grid_has_every_rival_and_five_seeds():
    cells = images.grid(["overlay+linear", "gain+linear"])
    assert len(cells) == len(set(cells)) == 3 * 7 * 10 * 5
    assert cells[0].source == "MobileNet 0.25" and cells[0].size == 100
    assert set(images.RIVALS) <= set(image_cells.RIVALS)


def results(losses):
    return {
        cell: {"validation_loss": losses.get(cell.model, 9.0) + 0.1 * cell.seed}
        for cell in images.study()
    }


def test_the_two_best_have_the_lowest_validation_loss():
    found = results({"gain+linear": 0.5, "overlay+bayesian": 0.4})
    assert images.best(found) == ["overlay+bayesian", "gain+linear"]
    missing = [cell for cell in found if cell.model == "overlay+bayesian"]
    del found[missing[0]]
    assert images.best(found)[0] == "gain+linear"
    missing = [cell for cell in found if cell.model == "patch+linear"]
    del found[missing[0]]
    assert images.best(found) == []


def test_no_cell_is_wanted_twice():
    found = results({"gain+linear": 0.5, "patch+linear": 0.4})
    cells = images.wanted(found)
    # Three models of the study are in the grid, with three of its seeds.
    assert len(cells) == len(images.study()) + 3 * 7 * 10 * 5 - 3 * 3
    assert len(set(cells)) == len(cells)
    assert set(images.study()) <= set(cells)


def one(cell, accuracy, loss=None):
    result = {"metrics": {"balanced_accuracy": accuracy}, "seconds": 1.0}
    return {cell: result | ({} if loss is None else {"validation_loss": loss})}


@pytest.mark.parametrize(
    ("task", "gain", "holds"),
    [("usps", 0.1, True), ("usps", -0.01, False), ("pneumonia", -0.1, False)],
)
def test_the_program_is_held_against_the_probe(task, gain, holds):
    found = {}
    for seed in range(3):
        cell = Cell("MobileNetV2", task, 50, seed, "linear probe")
        found |= one(cell, 0.7 + 0.01 * seed)
        for model, loss in (("gain+linear", 2.0), ("overlay+linear", 1.0)):
            cell = dataclasses.replace(cell, model=model)
            more = gain if loss == 1.0 else 0.0
            found |= one(cell, 0.7 + 0.01 * seed + more, loss)
    line = images.figures(found)[-1]
    assert "overlay+linear - linear probe" in line["name"]
    assert line["value"] == pytest.approx(gain) and line["holds"] is holds
    json.dumps(images.figures(found), allow_nan=False)


def test_one_seed_has_no_interval():
    cell = Cell("MobileNetV2", "usps", 50, 0, "linear probe")
    lines = images.figures(one(cell, 0.5))
    assert lines[0]["half_width"] is None and lines[0]["seeds"] == 1


def test_tasks_keep_the_official_test_images(data):
    task = image_cells.read_task(data, "pneumonia")
    assert task.inputs.shape == (38, 6, 6, 1)
    assert (task.split == "test").sum() == 8 and task.target_names == ("0", "1")
    task = image_cells.read_task(data, "mnist")
    assert (task.split == "test").sum() == 40 and len(task.target_names) == 10


@pytest.mark.parametrize(
    "model", ["overlay+linear", "gain+bayesian", "linear probe", "LoRA"]
)
def test_a_cell_is_measured(bench, model):
    cell = Cell("MobileNet 0.25", "mnist", 50, 0, model)
    found = bench.run(cell, quick=True)
    assert 0 <= found["metrics"]["balanced_accuracy"] <= 1
    assert {"roc_auc", "mcc", "ece"} <= set(found["metrics"])
    assert ("validation_loss" in found) is ("+" in model)
    assert Cell(**json.loads(json.dumps(found["cell"]))) == cell


def test_a_source_that_changes_is_an_error(bench, monkeypatch):
    def spoil(cell, data, source, quick):
        weights = source.model.get_weights()
        source.model.set_weights([weight + 1 for weight in weights])
        return np.tile([0.1] * 10, (len(data.test), 1)), 0, {}

    monkeypatch.setattr(bench, "_program", spoil)
    with pytest.raises(RuntimeError, match="has changed"):
        bench.run(Cell("MobileNet 0.25", "mnist", 50, 0, "gain+linear"))


def test_a_missing_folder_names_the_flags(tmp_path):
    with pytest.raises(FileNotFoundError, match="--data and --weights"):
        image_cells.Bench(tmp_path / "none", tmp_path, 32)


def test_finished_cells_are_not_run_again(bench, tmp_path, monkeypatch):
    ran = []

    def run(cell, quick):
        ran.append(cell)
        return {"cell": dataclasses.asdict(cell), "validation_loss": 1.0}

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(image_cells, "Bench", lambda *_: bench)
    cells = [Cell("MobileNet 0.25", "mnist", 50, s, "LoRA") for s in range(3)]
    monkeypatch.setattr(images, "wanted", lambda found: cells)
    (tmp_path / f"{cells[1].slug()}.json").write_text(
        json.dumps({"cell": dataclasses.asdict(cells[1])})
    )
    images.run(tmp_path)
    assert ran == [cells[0], cells[2]]
    assert len(images.read(tmp_path)) == 3

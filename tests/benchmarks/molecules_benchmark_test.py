"""Tables of the benchmark of molecules: ranks, means, published scores."""

import pytest

from benchmarks import molecule_cells
from benchmarks import molecule_tables


def cell(task: str, model: str, seed: int, value: float, **more) -> dict:
    metric = "rmse" if task == "esol" else "roc_auc"
    return {
        "suite": "lowdata",
        "task": task,
        "size": 32,
        "seed": seed,
        "model": model,
        "metric": metric,
        metric: value,
        **more,
    }


DONE = [
    cell("esol", "ours", 0, 1.0, coverage=0.8),
    cell("esol", "ours", 1, 1.2, coverage=1.0),
    cell("esol", "floor", 0, 2.0),
    cell("bbbp", "ours", 0, 0.9),
    cell("bbbp", "floor", 0, 0.8),
]


def test_figures(tmp_path):
    rows = list(molecule_tables.figures("lowdata", DONE, tmp_path))
    found = {row["name"]: row for row in rows}
    ours = found["esol, 32 labels, ours"]
    assert ours["value"] == pytest.approx(1.1) and ours["seeds"] == 2
    assert ours["half_width"] > 0 and ours["deviation"] > 0
    # Low errors and high areas are both good.
    assert found["mean rank, 32 labels, ours"]["value"] == 1
    assert found["mean rank, 32 labels, floor"]["value"] == 2
    coverage = found["coverage at 0.9, 32 labels, ours"]
    assert coverage["value"] == pytest.approx(0.9)


def test_published_scores(tmp_path):
    (tmp_path / "TDC_ADMET_Benchmark_Performance_by_Model.csv").write_text(
        "Dataset,Model,Score_Mean\nherg,A,0.8\nherg,B,0.9\names,C,0.7\n"
    )
    best = molecule_tables.published("tdc", "herg", "roc_auc", tmp_path)
    assert best == [("B", 0.9), ("A", 0.8)]
    (tmp_path / "moleculeace_results.csv").write_text(
        "dataset,algorithm,descriptor,augmentation,rmse,cliff_rmse\n"
        "X,SVM,ECFP,0,0.7,0.9\nX,RF,ECFP,0,0.8,0.8\n"
    )
    best = molecule_tables.published("moleculeace", "X", "rmse", tmp_path)
    assert best[0] == ("SVM ECFP", 0.7)


def test_cells_have_names_of_their_own():
    first = molecule_cells.Cell("lowdata", "esol", 0, 1, "linear, ECFP4")
    second = molecule_cells.Cell("lowdata", "esol", 32, 1, "linear, ECFP4")
    assert first.path("a").name == "lowdata-esol-all-linear_ECFP4-1.json"
    assert second.path("a") != first.path("a")

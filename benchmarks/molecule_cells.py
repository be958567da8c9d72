"""The cells of `benchmarks.molecules`: one model, one draw of one task."""

import dataclasses
import pathlib
import time

import numpy as np

from benchmarks import molecule_draws as draws

LOWDATA = ("bbbp", "bace", "clintox", "esol", "freesolv", "lipophilicity")
DEFAULT = "default predictor"
CONTROLS = {
    "default predictor without source": "",
    "default predictor, random-weight source": "random",
}
RIDGES = {
    "ridge, source": "zinc-autoencoder",
    "ridge, random-weight source": "random",
}
METRICS = {
    "roc_auc": "higher",
    "average_precision": "higher",
    "spearman": "higher",
    "rmse": "lower",
    "mae": "lower",
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One model on `size` labels (0: all) of a task, drawn by a seed."""

    suite: str
    task: str
    size: int
    seed: int
    model: str

    def path(self, folder: str) -> pathlib.Path:
        words = (self.suite, self.task, self.size or "all", self.model)
        name = "-".join(map(str, (*words, self.seed)))
        name = name.replace(" ", "_").replace(",", "")
        return pathlib.Path(folder) / f"{name}.json"


def run(cell: Cell, data_dir: str, folder: str) -> dict:
    """Trains and tests the model of a cell."""
    task, train, test = draws.load(cell.suite, cell.task, data_dir)
    rows = draws.draw(task.targets, train, cell.size, cell.seed)
    if cell.model == DEFAULT or cell.model in CONTROLS:
        found = _default(cell, task, rows, test, folder)
    else:
        found = _part(cell, task, rows, test, folder)
    prediction = found.pop("prediction")
    scores = score(task, test, prediction)
    if cell.suite == "moleculeace":
        from reprogram.tasks.official import moleculeace

        steep = moleculeace.cliffs(cell.task, data_dir)
        steep = np.flatnonzero(steep & (task.split == "test"))
        place = np.searchsorted(test, steep)
        scores["cliff_rmse"] = score(task, steep, prediction[place])["rmse"]
    return {
        **dataclasses.asdict(cell),
        **scores,
        **found,
        "rows": len(rows),
        "metric": task.metric,
    }


def score(task: object, test: np.ndarray, prediction: np.ndarray) -> dict:
    """All metrics of the test rows; labels that are missing do not count."""
    from reprogram import metrics

    problem = task.problem
    if problem == "classification":
        prediction = np.stack([1 - prediction, prediction], axis=1)
    found = dict(metrics.evaluate(problem, task.targets[test], prediction))
    if problem == "classification":
        from sklearn.metrics import average_precision_score

        area = average_precision_score(task.targets[test], prediction[:, 1])
        found["average_precision"] = float(area)
    return found


def _tables(
    task: object, names: tuple, source: str, rows: np.ndarray, folder: str
) -> dict:
    return {
        name: draws.view(task, name, source, folder)[rows] for name in names
    }


def _default(
    cell: Cell, task: object, rows: np.ndarray, test: np.ndarray, folder: str
) -> dict:
    from reprogram.predictors.molecules import MoleculePredictor

    source = CONTROLS.get(cell.model, "zinc-autoencoder")
    model = MoleculePredictor(task.problem, source, cell.seed)
    names = tuple({v for part in model.parts for v in part.views})
    tables = [_tables(task, names, source, r, folder) for r in (rows, test)]
    y = task.targets[rows]
    start = time.perf_counter()
    model.fit(task.inputs[rows], y, tables[0])
    middle = time.perf_counter()
    found = model.assess(task.inputs[test], 0.9, tables[1])
    end = time.perf_counter()
    prediction = model.predict(task.inputs[test], tables[1])
    return {
        "prediction": prediction,
        "seconds": middle - start,
        "seconds_predict": end - middle,
        "carried": model.carried()[:1],
        **_trust(found, task, test),
    }


def _trust(found: object, task: object, test: np.ndarray) -> dict:
    """Coverage of the intervals or sets, inside the domain and in all."""
    truth = task.targets[test]
    truth = truth[:, None] if truth.ndim == 1 else truth
    known = np.isfinite(truth)
    if found.sets is None:
        held = (found.lower <= truth) & (truth <= found.upper)
        size = found.upper - found.lower
    else:
        label = np.nan_to_num(truth).astype(int)
        held = np.take_along_axis(found.sets, label[..., None], 2)[..., 0]
        size = found.sets.sum(axis=2)
    inside = known & found.in_domain[:, None]
    near = float(held[inside].mean()) if inside.any() else None
    return {
        "coverage": float(held[known].mean()),
        "coverage_in_domain": near,
        "width": float(np.median(size[known])),
        "in_domain": float(found.in_domain.mean()),
    }


def _part(
    cell: Cell, task: object, rows: np.ndarray, test: np.ndarray, folder: str
) -> dict:
    from reprogram.predictors.molecules import parts

    table = {part.name: part for part in parts.FLOORS}
    source = RIDGES.get(cell.model, "")
    for name in RIDGES:
        table[name] = parts.Part(name, ("source",), parts.Linear)
    part = table[cell.model]
    kind = "regression" if task.problem == "regression" else "labels"
    fit, new = (
        _tables(task, part.views, source, r, folder) for r in (rows, test)
    )
    y = task.targets[rows].astype(float)
    y = y[:, None] if y.ndim == 1 else y
    start, columns = time.perf_counter(), []
    for column in y.T:
        known = np.isfinite(column)
        if len(np.unique(column[known])) < 2:
            columns.append(np.zeros(len(test)))
            continue
        own = {name: value[known] for name, value in fit.items()}
        model = part.make(kind, cell.seed).fit(own, column[known])
        columns.append(model.predict(new))
    found = np.stack(columns, axis=1)
    flat = task.targets.ndim == 1
    return {
        "prediction": found[:, 0] if flat else found,
        "seconds": time.perf_counter() - start,
    }

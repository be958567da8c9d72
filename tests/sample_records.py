"""Records of invented runs, for the tests of the report."""

import itertools

import numpy as np

LOSSES = {
    "mean predictor": [1.0, 1.02],
    "linear probe": [0.9, 0.8],
    "reprogrammed": [0.7, 0.62],
}
GROUPS = ("C", "CC", "C(C)C", "CC(F)(F)F", "c1ccccc1", "C1CC1", "CCOC")
RINGS = ("c2nccs2", "c2ncns2", "c2ccncn2", "c2cccnc2", "c2nccn2C")
SEEDS = [0, 1, 2, 3, 4]


def small(seeds: tuple[int, ...] = (0, 1)) -> dict:
    models = [
        {
            "name": name,
            "parameters": 1300,
            "seconds": [2.0, 4.0][: len(seeds)],
            "metrics": {"rmse": values[: len(seeds)]},
        }
        for name, values in LOSSES.items()
    ]
    return {
        "schema": "reprogram.record/1",
        "command": f"train --seeds={len(seeds)}",
        "created": "2026-11-20T10:00:00",
        "flags": {"task": "nav17", "seeds": list(seeds)},
        "versions": {"keras": "3.15.1"},
        "seeds": list(seeds),
        "task": {
            "name": "nav17",
            "modality": "molecule",
            "problem": "regression",
            "metric": "rmse",
            "unit": "pIC50",
            "similarity": {"nearest_median": 0.5},
        },
        "source": {
            "name": "smiles-small",
            "fingerprint_before": "a1",
            "fingerprint_after": "a1",
        },
        "train_size": 128,
        "trainable_parameters": 1300,
        "seconds": 12.5,
        "models": models,
        "history": [{"seed": seed, "loss": [1.0, 0.5]} for seed in seeds],
        "test": {"inputs": ["CCO"], "targets": [1.0], "predictions": [1.5]},
        "mapping": None,
        "warnings": [],
    }


def run(task: dict, models: dict, test: dict) -> dict:
    names = ("linear probe", "random forest on ECFP4 counts", "reprogrammed")
    return {
        "command": f"python -m scripts.train --task={task['name']}",
        "created": "2026-11-20T21:45:00+00:00",
        "flags": {"task": task["name"], "train_size": 128, "resume": False},
        "versions": {"keras": "3.15.1", "python": "3.11.7", "rdkit": "2026.9"},
        "seeds": SEEDS,
        "task": {"citation": "Someone, 2013.", "licence": "CC BY", **task},
        "source": {
            "name": "smiles-small",
            "parameters": 1234567,
            "fingerprint_before": "5b1d" * 16,
            "fingerprint_after": "5b1d" * 16,
            "licence": "Apache-2.0",
            "citation": "",
        },
        "train_size": 128,
        "trainable_parameters": 2497,
        "seconds": 212.4,
        "models": [
            {
                "name": name,
                "parameters": 2497 if name in names[::2] else None,
                "seconds": list(np.full(5, 3.1)),
                "metrics": metrics,
            }
            for name, metrics in models.items()
        ],
        "history": history(),
        "test": test,
        "mapping": None,
        "warnings": [],
    }


def history() -> list[dict]:
    curves = []
    for seed in SEEDS:
        noise = np.random.default_rng(seed).normal(0, 0.03, (2, 60 + 5 * seed))
        decay = np.exp(-np.arange(noise.shape[1]) / 15)
        loss, val_loss = 0.4 + 0.9 * decay + noise, 0.6 + 0.7 * decay + noise
        curve = {"seed": seed, "loss": loss[0], "val_loss": val_loss[1]}
        curves.append(curve)
    return curves


def around(mean: float, spread: float) -> list[float]:
    return [mean + spread * step for step in (-1, 0.4, 1.1, -0.6, 0.1)]


def molecules(rows: int = 35) -> dict:
    pairs = itertools.islice(itertools.product(GROUPS, RINGS), rows)
    smiles = [f"N#Cc1cc(S(=O)(=O)N{r})ccc1O{g}" for g, r in pairs]
    rng = np.random.default_rng(0)
    targets = rng.normal(6.3, 0.9, (rows, 1))
    guesses = 6.3 + 0.7 * (targets - 6.3) + rng.normal(0, 0.4, (rows, 1))
    task = {
        "name": "nav17",
        "modality": "molecule",
        "problem": "regression",
        "metric": "rmse",
        "unit": "pIC50",
        "target_names": ["pIC50"],
        "rows": 1017,
        "dropped": [[4, "Not a valid SMILES: 'C1CC'"], [9, "empty target"]],
        "train_rows": 813,
        "test_rows": rows,
        "similarity": {"nearest_median": 0.61234, "share_above_0.7": 0.25},
    }
    missing = [None] * 5
    models = {
        "mean predictor": {"rmse": around(1.02, 0.01), "spearman": missing},
        "linear probe": {
            "rmse": around(0.83, 0.03),
            "spearman": around(0.55, 0.03),
        },
        "Tanimoto-kernel Gaussian process": {
            "rmse": around(0.71, 0.02),
            "spearman": around(0.69, 0.02),
        },
        "random forest on ECFP4 counts": {
            "rmse": around(0.76, 0.02),
            "spearman": around(0.64, 0.02),
        },
        "RDKit descriptors + forest": {
            "rmse": around(0.79, 0.02),
            "spearman": around(0.61, 0.02),
        },
        "reprogrammed": {
            "rmse": list(reversed(around(0.81, 0.03))),
            "spearman": around(0.58, 0.03),
        },
    }
    test = {"inputs": smiles, "targets": targets, "predictions": guesses}
    return run(task, models, test)


def images(rows: int = 200, classes: int = 10) -> dict:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, classes, rows)
    logits = rng.normal(0, 1, (rows, classes))
    logits[np.arange(rows), targets] += 2.5
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    names = [f"digit {i}" for i in range(classes)]
    task = {
        "name": "digits",
        "modality": "image",
        "problem": "classification",
        "metric": "balanced_accuracy",
        "target_names": names,
        "rows": 1797,
        "train_rows": 1437,
        "test_rows": rows,
    }
    models = {
        "majority class": {"balanced_accuracy": [0.1] * 5},
        "linear probe": {"balanced_accuracy": around(0.81, 0.01)},
        "reprogrammed": {"balanced_accuracy": around(0.88, 0.02)},
    }
    inputs = [str(i) for i in range(rows)]
    test = {"inputs": inputs, "targets": targets, "predictions": scores}
    record = run(task, models, test)
    record["mapping"] = [
        [name, *(f"n0{7 * i + j}" for j in range(3 + 5 * i))]
        for i, name in enumerate(names)
    ]
    record["warnings"] = ["The linear probe stopped at its iteration limit."]
    return record


def ensemble() -> dict:
    record = molecules()
    metrics = {"rmse": around(0.64, 0.03), "coverage": around(0.93, 0.02)}
    metrics |= {"in domain": [0.8] * 5, "coverage in domain": [1.0] * 5}
    one = {"name": "few-label ensemble", "kind": "five parts"}
    record["models"].append(one | {"metrics": metrics})
    parts = {"forest": 0.3, "kernels on ECFP4": 0.695, "probe": 0.005}
    column = {k: {"share": v, "error": 0.7} for k, v in parts.items()}
    record |= {"predictor": "few-label ensemble", "carried": [column]}
    return record | {"refit": "refitted on all 128 labels", "source": None}

"""How strong our attacks are beside the same attacks of ART and Foolbox.

    python -m benchmarks.robustness_strength [--models=cnn] [--attacks=pgd]

Three models: a small adversarially trained CNN on digits, ResNet-8 for
CIFAR-10 on patches of scikit-learn's two photographs (there are no CIFAR-10
images; its own answers are the labels), and a MobileNet reprogrammed to
digits (--run, a folder of scripts.train). A cell is one model, attack and
peer: the peer attacks with its budget, ours with the same radius and steps,
or with the queries that the peer has spent. All images are ones that the model
gets right; what counts is the model's answer to what an attack returns. Cells
stay in --output_dir, and the same command goes on. Prints one JSON line a
cell.
"""

import itertools
import json
import pathlib
import time

import numpy as np
from absl import app
from absl import flags

from benchmarks import robustness_peers as peers
from benchmarks.robustness_models import MODELS
from benchmarks.robustness_peers import Setting

FLAGS = flags.FLAGS
flags.DEFINE_list("models", ["cnn", "resnet8", "mobilenet"], "Which models.")
flags.DEFINE_list("attacks", list(peers.ART), "Which attacks.")
flags.DEFINE_list("peers", list(peers.PEERS), "Which peers.")
flags.DEFINE_integer("images", 0, "Images of each model; 0: as in SETTINGS.")
flags.DEFINE_string("shared", "../shared", "Folder of data and sources.")
flags.DEFINE_string("run", "runs/mobilenet-digits", "Of MobileNet on digits.")
flags.DEFINE_string(
    "output_dir", "runs/benchmark-robustness-strength", "Cells."
)

# Radii at which about half of the images withstand PGD.
SETTINGS = {
    "cnn": Setting(64, 0.1, 1.5),
    "resnet8": Setting(32, 5e-4, 0.02, 20, 20, 20, searches=3, jumps=5),
    "mobilenet": Setting(
        16,
        5e-4,
        0.08,
        long_steps=20,
        leaps=15,
        searches=3,
        square=200,
        jumps=4,
        walks=150,
    ),
}
NEAREST = ("deepfool", "carlini_wagner", "hop_skip_jump", "boundary")


def subject(name: str) -> tuple:
    """A model, images that it gets right, and their labels."""
    model, x, y = MODELS[name](FLAGS.shared, FLAGS.run)
    x = np.clip(x, 0, 1).astype("float32")
    answers = model.predict(x, verbose=0).argmax(axis=1)
    rows = np.flatnonzero(answers == y)
    rows = rows[: FLAGS.images or SETTINGS[name].images]
    return model, x[rows], np.asarray(y[rows], "int32")


def ours(name: str, model, x, y, s: Setting, queries: float) -> tuple:
    """Runs our attack; returns what it found and the queries of an image."""
    from reprogram import robustness
    from reprogram.robustness import attacks

    linf, far = robustness.Linf(s.linf), robustness.L2(0.7 * x[0].size ** 0.5)
    climb = {"steps": s.steps}
    asked = {"queries": max(100, round(queries))}
    near = {"steps": s.long_steps, "searches": s.searches, "rate": s.rate}
    turned = robustness.Spatial(s.degrees, s.pixels)
    grid = (s.turns[0], s.turns[1], s.turns[1])
    threat, options = {
        "fgsm": (linf, {}),
        "pgd": (linf, climb),
        "pgd-l2": (robustness.L2(s.l2), climb),
        "apgd": (linf, {"steps": s.long_steps}),
        "deepfool": (far, {"steps": s.leaps}),
        "carlini_wagner": (far, near),
        "square": (linf, {"queries": s.square + 1}),
        "hop_skip_jump": (far, asked),
        "boundary": (far, asked),
        "spatial": (turned, {"grid": grid}),
    }[name]
    attack = attacks.get(name.removesuffix("-l2"))
    found = attack(model, x, y, threat, **options)
    return found.adversarial, float(found.queries.mean())


def judged(name: str, model, x, y, found: np.ndarray, s: Setting) -> tuple:
    """Distances of errors, infinite without, and which images withstand."""
    scores = model.predict(np.asarray(found, "float32"), verbose=0)
    inside = (found >= -1e-6) & (found <= 1 + 1e-6)
    wrong = (scores.argmax(axis=1) != y) & inside.reshape(len(x), -1).all(1)
    delta = (found - x).reshape(len(x), -1).astype("float64")
    far = np.linalg.norm(delta, axis=1)
    radius = s.l2
    if name in ("fgsm", "pgd", "apgd", "square"):
        far, radius = np.abs(delta).max(axis=1), s.linf
    far = np.where(wrong, far, np.inf)
    limit = np.inf if name == "spatial" else radius * (1 + 1e-4) + 1e-6
    return far, ~wrong | (far > limit)


def cell(name: str, attack: str, peer: str, data: tuple) -> dict:
    """Attacks the same images with a peer's attack and with ours."""
    from reprogram.robustness.shifts.intervals import wilson

    setting, (model, x, y) = SETTINGS[name], data
    run, counted = peers.PEERS[peer][0], peers.Counted(model)
    np.random.seed(0)
    start = time.perf_counter()
    theirs = run(attack, counted, x, y, setting)
    middle, spent = time.perf_counter(), counted.count / len(x)
    own, asked = ours(attack, model, x, y, setting, spent)
    line = {"cell": [name, attack, peer], "images": len(x)}
    seconds = middle - start, time.perf_counter() - middle
    line["seconds"] = dict(zip((peer, "ours"), seconds))
    line["queries"] = {peer: spent, "ours": asked}
    far, holds = {}, {}
    for who, found in ((peer, theirs), ("ours", own)):
        far[who], holds[who] = judged(attack, model, x, y, found, setting)
        share = {"value": float(holds[who].mean())}
        share["interval"] = wilson(holds[who].sum(), len(x))
        if attack in NEAREST:
            share["median"] = float(np.median(far[who]))
            share["found"] = float(np.isfinite(far[who]).mean())
        line[who] = share
    return line | _paired(attack, far["ours"], far[peer], holds, peer)


def _paired(attack: str, own, other, holds: dict, peer: str) -> dict:
    """On how many images one beats the other, and the sign test."""
    from scipy import stats

    wins = int((~holds["ours"] & holds[peer]).sum())
    losses = int((holds["ours"] & ~holds[peer]).sum())
    line = {"only ours broke": wins, "only theirs broke": losses}
    if attack in NEAREST:
        wins, losses = int((own < other).sum()), int((other < own).sum())
        line |= {"ours nearer": wins, "theirs nearer": losses}
    test = stats.binomtest(losses, max(wins + losses, 1), alternative="greater")
    line["p that theirs is stronger"] = float(test.pvalue)
    medians = [np.median(v) for v in (own, other)]
    weaker = holds["ours"].sum() > holds[peer].sum()
    if attack in NEAREST:
        weaker |= medians[0] > 1.01 * medians[1]
    return line | {"holds": not weaker}


def main(_: list[str]) -> None:
    from reprogram.files import plain
    from reprogram.files import write_text

    folder, loaded = pathlib.Path(FLAGS.output_dir), {}
    for row in itertools.product(FLAGS.models, FLAGS.attacks, FLAGS.peers):
        name, attack, peer = row
        if attack not in peers.PEERS[peer][1]:
            continue
        path = folder / f"{name}-{attack}-{peer}.json"
        if not path.exists():
            if name not in loaded:
                loaded[name] = subject(name)
            found = plain(cell(name, attack, peer, loaded[name]))
            write_text(path, json.dumps(found) + "\n")
        print(path.read_text("utf-8").strip(), flush=True)


if __name__ == "__main__":
    app.run(main)

"""Parts of the benchmarks that could flatter if they were wrong."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import blackbox_cells
from tests import commands

SHARED = commands.ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the folder ../shared beside the project"
)


DRAWS = """
import numpy as np
from benchmarks import series
labels = np.repeat([0, 1, 2], [9, 30, 12])
for each, expected in ((0, [9, 30, 12]), (5, [5, 5, 5])):
    fit, held = series.draw(labels, each, seed=3)
    assert not set(fit) & set(held)
    counts = np.bincount(labels[np.concatenate([fit, held])])
    assert counts.tolist() == expected
    assert set(labels[fit]) == set(labels[held]) == {0, 1, 2}
"""


def test_draws_are_apart_and_hold_every_class():
    # Benchmarks define flags, of which a process can have each once.
    found = commands.python("-c", DRAWS)
    assert found.returncode == 0, found.stderr


def test_curves_use_only_programs_that_the_queries_could_pay(monkeypatch):
    class Judge:
        def set_weights(self, weights):
            self.weights = weights

    monkeypatch.setattr(
        blackbox_cells, "accuracy", lambda judge, x, y: judge.weights
    )
    kept = [(200, 0.9, "start"), (2_500, 0.5, "middle"), (9_000, 0.4, "end")]
    found = blackbox_cells.curve(kept, Judge(), ((), ()), 5_000)
    assert found == [(300, "start"), (1_000, "start"), (3_000, "middle")]


def test_advice_is_right_only_where_it_won():
    script = (
        "from benchmarks import diagnose as d;"
        "print(d.won([.8], [.9]), d.won([.9], [.8]), d.won([.9], [.901]))"
    )
    found = commands.python("-c", script).stdout
    assert "linear probe" not in found.split("} ")[0]
    assert found.split("} ")[1] == "{'linear probe'"
    assert all(word in found.split("} ")[2] for word in ("both", "program"))


@needs_shared
def test_quick_series_benchmark_prints_figures_and_resumes(tmp_path):
    command = [sys.executable, "-m", "benchmarks.series", "--quick"]
    command += [f"--output_dir={tmp_path}"]
    for _ in range(2):
        found = subprocess.run(
            command, capture_output=True, text=True, cwd=commands.ROOT
        )
        assert found.returncode == 0, found.stderr
    lines = [x for x in found.stdout.splitlines() if x.startswith("{")]
    figures = [json.loads(line) for line in lines]
    assert len(figures) == 4 and all(0 <= f["value"] <= 1 for f in figures)
    # Nothing was trained again.
    assert "0 cells missing" in found.stdout
    assert "# ('Coffee'" not in found.stdout


def test_token_maps_start_as_what_the_source_knows():
    from benchmarks import language_texts as texts
    from reprogram import sources

    source = sources.load("zinc-autoencoder")
    own, tokens = texts.spelled(source, np.array(["CCW", "OW"], object))
    vocabulary = source.tokenizer.vocabulary
    known = [vocabulary.index(letter) + 2 for letter in "CO"]
    # Padding, then known tokens, then what starts as the mask.
    assert tokens[0] == 0 and sorted(tokens[1:3]) == sorted(known)
    assert tokens[3:] == [1, 1]
    ids = own.preprocess(np.array(["CWOY"], object))[0]
    assert [tokens[i] for i in ids[:5]] == [known[0], 1, known[1], 1, 0]
    assert ids[1] == 3 and ids[3] == 4
    plain = texts.readable(source).preprocess(np.array(["CWO"], object))
    assert plain[0, :4].tolist() == [known[0], 1, known[1], 0]


def test_draws_of_texts_never_hold_what_is_tested():
    from benchmarks import language_texts as texts

    x = np.array([f"{i}" for i in range(900)], object)
    y = np.arange(900) % 3 // 2
    fit, held, test = texts.parts(x, y, 100, 1)
    assert len(fit[0]) + len(held[0]) == 100 and len(test[0]) == 500
    other = texts.parts(x, y, 0, 2)
    assert sum(map(len, (other[0][0], other[1][0]))) == 400
    assert not set(test[0]) & {*other[0][0], *other[1][0]}
    assert (other[2][0] == test[0]).all()

"""How the benchmark of strength judges; a lenient judge would flatter."""

from tests import commands

JUDGED = """
import numpy as np
from benchmarks import robustness_strength as strength
from benchmarks.robustness_peers import Setting

class Model:
    def predict(self, x, verbose):
        return np.stack([x[:, 0], 1 - x[:, 0]], axis=1)

x = np.full((5, 2), [0.4, 0.5])
y = np.ones(5, int)
# Too far, outside the bounds, right, an error, an error that is nearer.
found = x + np.array([[0.4, 0], [0.15, 0.6], [0.05, 0], [0.2, 0], [0.11, 0]])
setting = Setting(5, linf=0.2, l2=0.2)
for name in ("pgd", "deepfool"):
    far, holds = strength.judged(name, Model(), x, y, found, setting)
    assert holds.tolist() == [True, True, True, False, False], holds
    assert np.isinf(far[1:3]).all() and np.allclose(far[[0, 3]], [0.4, 0.2])

def verdict(attack, ours, other):
    holds = {"ours": ours > 0.2, "art": other > 0.2}
    return strength._paired(attack, ours, other, holds, "art")

near, wide = np.full(9, 0.1), np.full(9, 0.3)
assert verdict("pgd", near, wide)["only ours broke"] == 9
assert verdict("pgd", near, wide)["holds"]
lost = verdict("pgd", wide, near)
assert not lost["holds"] and lost["p that theirs is stronger"] == 0.5**9
assert not verdict("deepfool", near, 0.9 * near)["holds"]
assert verdict("deepfool", near, near)["theirs nearer"] == 0
"""


def test_only_errors_within_radius_and_bounds_count():
    # Benchmarks define flags, of which a process can have each once.
    found = commands.python("-c", JUDGED)
    assert found.returncode == 0, found.stderr

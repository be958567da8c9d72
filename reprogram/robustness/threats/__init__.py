"""Threat models: what an attacker may change, and how much."""

from reprogram.robustness.threats.balls import L2
from reprogram.robustness.threats.balls import Linf
from reprogram.robustness.threats.norms import dual
from reprogram.robustness.threats.semantic import Semantic
from reprogram.robustness.threats.sparse import L0
from reprogram.robustness.threats.sparse import L1
from reprogram.robustness.threats.spatial import Spatial
from reprogram.robustness.threats.tabular import Grouped
from reprogram.robustness.threats.tabular import Integers
from reprogram.robustness.threats.tabular import Restricted

__all__ = [
    "L0",
    "L1",
    "L2",
    "Grouped",
    "Integers",
    "Linf",
    "Restricted",
    "Semantic",
    "Spatial",
    "dual",
]

"""Which rows train, which rows test, and how alike the two are."""

from tasks.splits.draws import draw
from tasks.splits.sides import SIDES
from tasks.splits.sides import SPLITS
from tasks.splits.sides import given_split
from tasks.splits.sides import random_split
from tasks.splits.sides import scaffold_split
from tasks.splits.sides import sides
from tasks.splits.sides import split
from tasks.splits.similarity import similarity_report

__all__ = [
    "SIDES",
    "SPLITS",
    "draw",
    "given_split",
    "random_split",
    "scaffold_split",
    "sides",
    "similarity_report",
    "split",
]

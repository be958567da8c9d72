"""Splits into training and test rows, and their similarity."""

from reprogram.tasks.splits.draws import draw
from reprogram.tasks.splits.sides import SIDES
from reprogram.tasks.splits.sides import SPLITS
from reprogram.tasks.splits.sides import given_split
from reprogram.tasks.splits.sides import random_split
from reprogram.tasks.splits.sides import scaffold_split
from reprogram.tasks.splits.sides import sides
from reprogram.tasks.splits.sides import split
from reprogram.tasks.splits.similarity import similarity_report

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

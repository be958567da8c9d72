"""The report card of a model: what is measured, on what, and how much."""

from reprogram.robustness.card.evaluation import evaluate
from reprogram.robustness.card.subjects import Subject
from reprogram.robustness.card.subjects import of_model
from reprogram.robustness.card.subjects import of_run
from reprogram.robustness.card.suites import SUITES
from reprogram.robustness.card.suites import Plan

__all__ = ["SUITES", "Plan", "Subject", "evaluate", "of_model", "of_run"]

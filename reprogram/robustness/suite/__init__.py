"""The report card of a model: what is measured, on what, and how much."""

from reprogram.robustness.suite.evaluation import evaluate
from reprogram.robustness.suite.runs import of_run
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.subjects import of_file
from reprogram.robustness.suite.subjects import of_model
from reprogram.robustness.suite.suites import SUITES
from reprogram.robustness.suite.suites import Plan

__all__ = [
    "SUITES",
    "Plan",
    "Subject",
    "evaluate",
    "of_file",
    "of_model",
    "of_run",
]

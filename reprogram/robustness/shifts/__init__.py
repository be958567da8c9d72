"""Shifts: changes of inputs without an attacker, in five severities."""

import functools

from reprogram.robustness.shifts.corruptions import CORRUPTIONS
from reprogram.robustness.shifts.corruptions import corrupt
from reprogram.robustness.shifts.evaluate import ShiftReport
from reprogram.robustness.shifts.evaluate import by_group
from reprogram.robustness.shifts.evaluate import evaluate
from reprogram.robustness.shifts.series import DISTURBANCES
from reprogram.robustness.shifts.series import disturb

# By kind of input: functions of inputs, `severity` and `seed`.
SHIFTS = {
    "images": {
        name: functools.partial(corrupt, name=name) for name in CORRUPTIONS
    },
    "series": {
        name: functools.partial(disturb, name=name) for name in DISTURBANCES
    },
}

__all__ = [
    "SHIFTS",
    "ShiftReport",
    "by_group",
    "corrupt",
    "disturb",
    "evaluate",
]

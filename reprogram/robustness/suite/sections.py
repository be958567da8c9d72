"""The sections of a report card: when each applies and how it is measured."""

import dataclasses
from collections.abc import Callable

import numpy as np

from reprogram.robustness.suite import attacking
from reprogram.robustness.suite import molecules
from reprogram.robustness.suite import observing
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan


@dataclasses.dataclass(frozen=True)
class Section:
    """One section: its title, kind, needs, and the function that measures."""

    title: str
    kind: str
    needs: tuple[str, ...]
    measure: Callable[[Subject, Plan], dict]

    def refuses(self, subject: Subject, plan: Plan) -> str:
        """Says why the section does not apply; empty if it does."""
        for need in self.needs:
            why = NEEDS[need](subject)
            if why:
                return why
        if self.measure is attacking.ensemble and not plan.auto_attack:
            return "Not in the suite quick. Take --suite=standard."
        return ""


def _attackable(subject: Subject) -> str:
    if subject.modality == "molecule":
        return (
            "Inputs are molecules, written as SMILES: no number in them can be"
            " changed a little. See the edits of molecules."
        )
    if subject.problem != "classification":
        return (
            f"The task is a {subject.problem}: no single class is right, so"
            " there is no error that an attack could reach."
        )
    return ""


def _slopes(subject: Subject) -> str:
    if subject.known.differentiable:
        return ""
    return (
        "The model has no gradients, so white-box attacks cannot run. See the"
        " black-box attacks, which need none."
    )


NEEDS = {
    "attackable": _attackable,
    "gradients": _slopes,
    "images": lambda s: (
        ""
        if s.x.ndim == 4 and s.x.shape[-1] in (1, 3)
        else f"Inputs are no images of one or three channels: a {s.modality}."
    ),
    "shifts": lambda s: (
        ""
        if s.x.ndim == 3 or s.x.ndim == 4 and s.x.shape[-1] in (1, 3)
        else f"Shifts are known for images and series, not for a {s.modality}."
    ),
    "molecules": lambda s: (
        ""
        if s.modality == "molecule"
        else f"Inputs are no molecules: the modality is {s.modality}."
    ),
    "classes": lambda s: (
        ""
        if s.problem == "classification"
        else f"A vote needs classes, and the task is a {s.problem}."
    ),
    "promises": lambda s: (
        ""
        if s.about.get("promises")
        else "The model gives no intervals or sets of its own."
    ),
    "one column": lambda s: (
        ""
        if s.problem != "multilabel" and (np.ndim(s.y) == 1 or s.y.shape[1] < 2)
        else "The task has several columns; its edits are not compared yet."
    ),
}


_WHITE = ("attackable", "gradients")
SECTIONS = {
    "clean": Section("On inputs as they are", "empirical", (), observing.clean),
    "promises": Section(
        "Intervals, sets and domain",
        "empirical",
        ("promises",),
        observing.promised,
    ),
    "gradients": Section(
        "Gradient attacks", "empirical", _WHITE, attacking.gradients
    ),
    "auto_attack": Section(
        "AutoAttack", "empirical", ("attackable",), attacking.ensemble
    ),
    "black_box": Section(
        "Black-box attacks", "empirical", ("attackable",), attacking.black_box
    ),
    "spatial": Section(
        "Rotation and translation",
        "empirical",
        ("attackable", "images"),
        attacking.spatial,
    ),
    "semantic": Section(
        "Color, light and sharpness",
        "empirical",
        ("attackable", "images"),
        attacking.semantic,
    ),
    "shifts": Section(
        "Corruptions and disturbances",
        "empirical",
        ("attackable", "shifts"),
        observing.shifted,
    ),
    "unchanged": Section(
        "Edits of molecules that must not change the prediction",
        "empirical",
        ("molecules", "one column"),
        molecules.unchanged,
    ),
    "changed": Section(
        "Edits of molecules that must change the prediction",
        "empirical",
        ("molecules", "one column"),
        molecules.changed,
    ),
    "clever": Section("CLEVER", "estimate", _WHITE, observing.estimated),
    "smoothing": Section(
        "Randomized smoothing",
        "certified",
        ("attackable",),
        observing.certified,
    ),
    "votes": Section(
        "Votes over SMILES",
        "certified",
        ("molecules", "classes"),
        molecules.voted,
    ),
}

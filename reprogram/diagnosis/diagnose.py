"""Linear probe, program or both: what to expect before training."""

import dataclasses

import numpy as np

from reprogram.diagnosis import measures
from reprogram.diagnosis import transferability
from reprogram.diagnosis.measures import Sample
from reprogram.predictors.data import Data
from reprogram.sources import Source

ENOUGH = 0.01


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Measurements and the advice that follows from them.

    Numbers that are not defined for the source and the task are NaN.

    Args:
        advice: `"linear probe"`, `"program"` (trained inputs, scores of the
            source assigned to the target's classes) or `"both"` (a program
            below a linear head).
        reasons: Reasons for the advice, a sentence each.
        skill: Cross-validated skill of the linear probe: 0 is trivial, 1
            perfect.
        start_skill: Skill of a probe below the untrained default program, on
            all views of the inputs (moved images, other SMILES).
        mapped_skill: Skill of the best assignment of source classes.
        stability: Share of target classes whose source class stays the same
            over bootstrap draws of the labels.
        evidence: LogME of the source's features, nats a sample.
        gain: Largest gain in evidence by an untrained program, in nats.
        trial: Fraction by which a few epochs of training reduce the
            validation loss of the warm start.
        distance: Sliced Wasserstein distance of the source's scores of its
            own data and of the target's, in standard deviations.
        resolution: Size of the data over the size that the source reads.
        outside: Share of the input values outside the range of the source.
        contrast: Share of that range that the input values use.
    """

    advice: str
    reasons: tuple[str, ...]
    skill: float
    start_skill: float
    mapped_skill: float
    stability: float
    evidence: float
    gain: float
    trial: float
    distance: float
    resolution: float
    outside: float
    contrast: float

    def __str__(self) -> str:
        return "\n".join([f"Advice: {self.advice}.", *self.reasons])


def diagnose(
    source: Source,
    data: Data | tuple[np.ndarray, np.ndarray],
    problem: str = "classification",
    reference: np.ndarray | None = None,
    trial_epochs: int = 3,
) -> Diagnosis:
    """Says whether a linear probe, a program or both is likely to win.

    Reads training rows only, at most 512.

    Args:
        source: The frozen source.
        data: Data of an experiment, of which the first draw is read; or raw
            inputs and targets to train with.
        problem: `"classification"`, `"multilabel"` or `"regression"`, of a
            pair of arrays.
        reference: Raw inputs from the source's own domain; drawn for the
            sources `shapes` and `waves`.
        trial_epochs: Number of epochs of a short training with the default
            recipe; 0 for no training.

    Returns:
        The numbers, the advice and its reasons.

    Raises:
        ValueError: If there are fewer than 10 rows.

    Example:
    >>> from reprogram import sources
    >>> source = sources.load("waves")
    >>> t = np.linspace(0, 6, 99)[None] * np.repeat([3, 9], 20)[:, None]
    >>> x = np.sin(t + np.arange(40)[:, None])[..., None]
    >>> diagnose(source, (x, np.arange(40) // 20), trial_epochs=0).skill
    1.0

    References: You et al., LogME, 2021; Yang, Tsai and Chen, Voice2Series,
    2021; When Does Visual Prompting Outperform Linear Probing for
    Vision-Language Models? A Likelihood Perspective, 2024.
    """
    sample = _sample(source, data, problem)
    features = measures.read(source, sample.plain, source.feature_layer)
    evidence = transferability.log_evidence(features, sample.table)
    start, below, trial = measures.programs(sample, trial_epochs)
    firm, mapped = measures.assignment(sample)
    numbers = {
        "skill": measures.skill(features, sample),
        "start_skill": start,
        "mapped_skill": mapped,
        "stability": firm,
        "evidence": evidence,
        "gain": below - evidence,
        "trial": trial,
        "distance": measures.distance(sample, reference),
        **measures.mismatch(sample),
    }
    advice, reasons = _advice(numbers, len(sample.raw))
    return Diagnosis(advice, tuple(reasons), **numbers)


def _sample(
    source: Source,
    data: Data | tuple[np.ndarray, np.ndarray],
    problem: str,
) -> Sample:
    if isinstance(data, Data):
        rows = np.concatenate(next(iter(data.draws.values())))
        inputs, targets = data.inputs[rows], data.targets[rows]
        problem, count = data.problem, len(data.names)
    else:
        inputs, targets = (np.asarray(part) for part in data)
        if problem == "classification":
            count = int(targets.max(initial=0)) + 1
        else:
            targets = targets.reshape(len(targets), -1)
            count = targets.shape[1]
    if len(inputs) != len(targets) or len(inputs) < 10:
        raise ValueError(
            "A diagnosis needs at least 10 inputs with their targets."
            f" Received: {len(inputs)} inputs, {len(targets)} targets."
        )
    if len(inputs) > measures.MOST:
        order = np.random.default_rng(0).permutation(len(inputs))
        chosen = order[: measures.MOST]
        inputs, targets = inputs[chosen], targets[chosen]
    x = source.preprocess(inputs)
    return Sample(source, inputs, x, targets, problem, count)


def _advice(numbers: dict[str, float], samples: int) -> tuple[str, list[str]]:
    n, reasons = numbers, []
    close = n["mapped_skill"] >= n["skill"] - 1 / np.sqrt(samples)
    firm = n["stability"] >= 0.8
    if np.isfinite(n["mapped_skill"]):
        reasons.append(
            f"The source's own answers, assigned to classes, reach a skill of"
            f" {n['mapped_skill']:.2f}; a linear probe on its features"
            f" {n['skill']:.2f}. The assignment keeps {n['stability']:.0%} of"
            " its pairs over bootstrap draws."
        )
    else:
        reasons.append(
            f"A linear probe reaches a skill of {n['skill']:.2f}; the source's"
            " answers cannot be assigned to these targets."
        )
    ahead = n["start_skill"] - n["skill"]
    helps = any(x > ENOUGH for x in (n["trial"], n["gain"], ahead))
    reasons += _on_programs(n) + _on_inputs(n)
    if close and firm:
        return "program", reasons
    return ("both" if helps else "linear probe"), reasons


def _on_programs(n: dict[str, float]) -> list[str]:
    reasons = []
    if np.isfinite(n["start_skill"]):
        reasons.append(
            "Below the default program at its start, with all views of the"
            f" inputs, a probe reaches a skill of {n['start_skill']:.2f}."
        )
    if np.isfinite(n["gain"]):
        word = "more" if n["gain"] > 0 else "less"
        reasons.append(
            f"Features below untrained programs explain the targets {word}"
            f" probably than features alone: {n['gain']:+.3f} nats a sample."
        )
    else:
        reasons.append("The default program of the modality cannot enter here.")
    if np.isfinite(n["trial"]):
        reasons.append(
            "A short training of program and head changes the validation loss"
            f" by {-n['trial']:+.1%}."
        )
    return reasons


def _on_inputs(n: dict[str, float]) -> list[str]:
    reasons = []
    if np.isfinite(n["distance"]):
        reasons.append(
            "The answers to the target lie"
            f" {n['distance']:.2f} standard deviations from those to the"
            " source's own data: "
            + ("a shift." if n["distance"] > 0.5 else "much the same.")
        )
    if n["resolution"] < 0.5:
        reasons.append(
            f"The data have {n['resolution']:.0%} of the size that the source"
            " reads: a frame costs no detail."
        )
    if n["outside"] > 0.01 or n["contrast"] < 0.25:
        reasons.append(
            f"Of the input values {n['outside']:.0%} are outside the range of"
            f" the source, and they use {n['contrast']:.0%} of it."
        )
    return reasons

"""Losses with their gradients, as every gradient attack needs them."""

from collections.abc import Callable
from typing import Any

from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness.attacks.tools.job import Job
from reprogram.robustness.attacks.tools.losses import LOSSES
from reprogram.robustness.models import logits


def sloped(job: Job, loss: str, targeted: bool = False) -> Callable:
    """Makes a function of a loss, its errors and its gradient.

    Losses are summed over a batch, not averaged: what else is in the batch
    does not scale a sample's gradient.

    Args:
        job: Attack with its model, inputs and threat.
        loss: Name of a loss in `LOSSES`.
        targeted: Whether the loss takes target classes.

    Returns:
        A function of inputs, labels and targets to be compiled, that returns
        the losses `(n,)`, whether the model errs `(n,)`, and the gradients.

    Raises:
        ValueError: If there is no loss of that name.
    """
    if loss not in LOSSES:
        raise ValueError(
            f"There is no loss {loss!r}. There are: {', '.join(LOSSES)}."
        )
    scores = logits(job.model, job.facts)

    def value(x: Any, y: Any, target: Any) -> tuple[Any, Any]:
        z = averaged(scores, x, job.samples)
        losses = LOSSES[loss](z, y, target if targeted else None)
        return ops.sum(losses), (losses, erring(z, y))

    slope = value_and_grad(value, has_aux=True)

    def evaluated(x: Any, y: Any, target: Any) -> tuple[Any, Any, Any]:
        (_, (losses, wrong)), gradient = slope(x, y, target)
        return losses, wrong, gradient

    return evaluated


def erring(z: Any, y: Any) -> Any:
    """Returns whether the largest score is not the label's, `(n,)`."""
    return ops.not_equal(ops.cast(ops.argmax(z, axis=1), y.dtype), y)


def averaged(scores: Callable, x: Any, samples: int) -> Any:
    """Returns the logits, averaged over the calls of a random model."""
    if samples == 1:
        return scores(x)
    z = scores(ops.repeat(x, samples, axis=0))
    return ops.mean(ops.reshape(z, (-1, samples, z.shape[-1])), axis=1)


def class_slopes(job: Job, classes: int) -> Callable:
    """Makes a function of all margins and their gradients, in one pass.

    Returns:
        A function of inputs, labels `(n,)` and rivals `(n, classes)` that
        returns the margins of the rivals over the label `(n, classes)`, their
        gradients `(n, classes, ...)`, and whether the model errs.
    """
    margins = sloped(job, "margin", targeted=True)

    def evaluated(x: Any, y: Any, rivals: Any) -> tuple[Any, Any, Any]:
        tiled = ops.repeat(x, classes, axis=0)
        labels = ops.repeat(y, classes, axis=0)
        values, wrong, slopes = margins(
            tiled, labels, ops.reshape(rivals, (-1,))
        )
        return (
            ops.reshape(values, (-1, classes)),
            ops.reshape(slopes, (-1, classes, *x.shape[1:])),
            ops.reshape(wrong, (-1, classes))[:, 0],
        )

    return evaluated


def rivals_of(job: Job, rows: Any, count: int) -> Any:
    """Returns the likeliest wrong classes of samples, `(n, count)`.

    Args:
        job: Attack with its model, inputs and threat.
        rows: Positions of the samples.
        count: Number of classes; at most all wrong ones.
    """
    z = job.scores(job.x[rows])
    z[range(len(z)), job.y[rows]] = -float("inf")
    count = min(count, z.shape[1] - 1)
    return z.argsort(axis=1)[:, ::-1][:, :count].astype("int32")

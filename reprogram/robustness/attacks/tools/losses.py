"""Losses that attacks maximize, one value a sample.

All are computed on logits. `y` holds the true classes; the targeted ones also
take the classes to reach.
"""

from typing import Any

from keras import ops


def cross_entropy(z: Any, y: Any, target: Any = None) -> Any:
    """Returns the cross-entropy; negative that of the target if there is one.

    Example:
    >>> import numpy as np
    >>> loss = cross_entropy(np.array([[0.0, 0.0]]), np.array([1]))
    >>> round(float(loss[0]), 4)
    0.6931
    """
    right = y if target is None else target
    true = ops.sum(z * _hot(right, z), axis=1)
    value = ops.logsumexp(z, axis=1) - true
    return value if target is None else -value


def margin(z: Any, y: Any, target: Any = None) -> Any:
    """Returns the best wrong (or the target's) logit minus the true one.

    Example:
    >>> import numpy as np
    >>> float(margin(np.array([[3.0, 1.0, 2.0]]), np.array([0]))[0])
    -1.0
    """
    hot = _hot(y, z)
    true = ops.sum(z * hot, axis=1)
    if target is None:
        return ops.max(ops.where(hot > 0, -1e30, z), axis=1) - true
    return ops.sum(z * _hot(target, z), axis=1) - true


def dlr(z: Any, y: Any, target: Any = None) -> Any:
    """Returns the difference of logits ratio, which no rescaling changes.

    With two classes, where the ratio has no slope, it is the margin.

    Example:
    >>> import numpy as np
    >>> loss = dlr(np.array([[3.0, 1.0, 2.0]]), np.array([0]))
    >>> round(float(loss[0]), 4)
    -0.5

    Reference: Croce and Hein, Reliable Evaluation of Adversarial Robustness
    with an Ensemble of Diverse Parameter-free Attacks, 2020.
    """
    classes = z.shape[1]
    if classes == 2:
        return margin(z, y, target)
    ranked = ops.sort(z, axis=1)
    third = ranked[:, -3]
    if target is not None and classes > 3:
        third = 0.5 * (third + ranked[:, -4])
    return margin(z, y, target) / (ranked[:, -1] - third + 1e-12)


LOSSES = {"ce": cross_entropy, "margin": margin, "dlr": dlr}


def _hot(y: Any, z: Any) -> Any:
    return ops.cast(ops.one_hot(y, z.shape[1]), z.dtype)

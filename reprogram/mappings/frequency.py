"""Source classes that the source already gives to the target's data."""

import keras
import numpy as np

from reprogram.mappings.assignment import AssignmentMapping


@keras.saving.register_keras_serializable("reprogram")
class FrequencyMapping(AssignmentMapping):
    """Gives each target class the source classes it is most often taken for.

    Call `Reprogrammer.adapt` with training data before `fit`. Pairs of source
    and target class are assigned greedily, the most frequent first; counts
    are shares of their target class, so that large classes do not take all.
    Ties go to the larger mean score, then to the lower source class, then to
    the lower target class. Source classes that were never predicted fill the
    places that remain.

    Args:
        classes: Number of target classes.
        labels_per_class: Source classes that each target class receives.
        **kwargs: See `AssignmentMapping`.

    Example:
    >>> mapping = FrequencyMapping(2)
    >>> mapping.adapt(np.eye(3)[[2, 2, 0]], np.array([0, 0, 1]))
    >>> keras.ops.convert_to_numpy(mapping.table).tolist()
    [[2], [0]]

    Reference: Tsai, Chen and Ho, Transfer Learning without Knowing, 2020;
    Chen et al., Understanding and Improving Visual Prompting, 2023.
    """

    def adapt(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Counts and assigns.

        Args:
            scores: The source's answers `(samples, source classes)`.
            labels: Target class ids `(samples,)`.

        Raises:
            ValueError: If a label is not a target class.
        """
        labels = class_ids(labels, self.classes)
        scores = np.asarray(scores, "float64")
        if not self.built:
            self.build(scores.shape)
        share, score = _statistics(scores, labels, self.classes)
        self.table.assign(self.choose(share, score))

    def choose(self, share: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Assigns source classes to target classes.

        Args:
            share: For each source class, how often each target class is taken
                for it `(source classes, classes)`; columns sum to 1.
            score: Mean score of each source class `(source classes, classes)`.

        Returns:
            Source class ids `(classes, labels_per_class)`.
        """
        order = np.lexsort(
            (
                np.indices(share.shape)[1].ravel(),
                np.indices(share.shape)[0].ravel(),
                -score.ravel(),
                -share.ravel(),
            )
        )
        chosen: list[list[int]] = [[] for _ in range(self.classes)]
        free = np.ones(len(share), bool)
        for pair in order:
            source, target = np.unravel_index(pair, share.shape)
            if free[source] and len(chosen[target]) < self.labels_per_class:
                chosen[target].append(int(source))
                free[source] = False
        return np.array(chosen)


def class_ids(labels: np.ndarray, classes: int) -> np.ndarray:
    """Checks class ids `(samples,)` and returns them as integers.

    Raises:
        ValueError: If a value is not one of `0 .. classes - 1`.
    """
    labels = np.asarray(labels)
    if labels.shape[1:] not in ((), (1,)) or labels.dtype.kind not in "biuf":
        raise ValueError(
            f"Labels must be class ids 0 to {classes - 1}, one a sample."
            f" Received an array of shape {labels.shape} and type"
            f" {labels.dtype}. Encode the labels; `argmax(axis=1)` turns"
            " one-hot rows into ids."
        )
    labels = labels.reshape(-1)
    ids = np.nan_to_num(labels, nan=-1).astype("int64")
    wrong = (ids < 0) | (ids >= classes) | (ids != labels)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"Labels must be class ids 0 to {classes - 1}. Received"
            f" {labels[where]} in row {where}. Encode the labels, or raise"
            " `classes`."
        )
    return ids


def _statistics(
    scores: np.ndarray, labels: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shares and mean scores, both of shape `(source, target)`."""
    members = np.eye(classes)[labels]
    members = members / np.maximum(members.sum(axis=0), 1.0)
    predicted = np.eye(scores.shape[1])[scores.argmax(axis=1)]
    return predicted.T @ members, scores.T @ members

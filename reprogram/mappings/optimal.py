"""The best assignment of source classes, all target classes at once."""

import keras
import numpy as np

from reprogram.mappings.frequency import FrequencyMapping

TIE = 1e-6


@keras.saving.register_keras_serializable("reprogram")
class OptimalMapping(FrequencyMapping):
    """Assigns source classes so that the shares they explain are largest.

    `FrequencyMapping` takes the most frequent pair first and may leave poor
    ones to the rest; this solves the assignment problem on the same shares
    (the Hungarian method). Shares are of their target class, so that large
    classes do not take all. Ties go to the larger mean score.

    Args:
        classes: Number of target classes.
        labels_per_class: Source classes that each target class receives.
        **kwargs: See `AssignmentMapping`.

    Example:
    >>> predicted, labels = [0, 0, 0, 1, 1, 0, 0, 2], [0, 0, 0, 0, 0, 1, 1, 1]
    >>> mapping = OptimalMapping(2)
    >>> mapping.adapt(np.eye(3)[predicted], np.array(labels))
    >>> keras.ops.convert_to_numpy(mapping.table).tolist()
    [[1], [0]]
    """

    def choose(self, share: np.ndarray, score: np.ndarray) -> np.ndarray:
        from scipy.optimize import linear_sum_assignment

        spread = max(float(np.ptp(score)), 1e-12)
        worth = share + TIE * (score - score.min()) / spread
        places = np.repeat(worth, self.labels_per_class, axis=1)
        sources, taken = linear_sum_assignment(places, maximize=True)
        chosen = sources[np.argsort(taken)]
        return chosen.reshape(self.classes, self.labels_per_class)

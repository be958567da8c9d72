"""Numbers brought to one scale, as the training rows say."""

import numpy as np


class Numbers:
    """Scales numbers to mean 0, their squares to 1 a row, as in training.

    Args:
        table: The training rows; NaN is replaced by the mean of its column.
    """

    def __init__(self, table: np.ndarray):
        table = np.asarray(table, "float64")
        known = np.isfinite(table)
        table = np.where(known, table, np.nan)
        self.low = np.nanmin(table, axis=0, initial=np.inf)
        self.high = np.nanmax(table, axis=0, initial=-np.inf)
        count = np.maximum(known.sum(axis=0), 1)
        self.mean = np.nansum(table, axis=0) / count
        spread = np.nansum((table - self.mean) ** 2, axis=0) / count
        self.kept = (self.high > self.low) & (spread > 1e-12)
        self.deviation = np.sqrt(spread[self.kept] * max(self.kept.sum(), 1))

    def __call__(self, table: np.ndarray) -> np.ndarray:
        """Returns `(rows, kept columns)`."""
        kept, mean = self.kept, self.mean[self.kept]
        table = np.asarray(table[:, kept], "float64")
        table = np.where(np.isfinite(table), table, mean)
        table = np.clip(table, self.low[kept], self.high[kept])
        return (table - mean) / self.deviation

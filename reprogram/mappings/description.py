"""What a mapping maps to what, in words."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

STRONGEST = 5


def describe(
    mapping: keras.layers.Layer,
    source_names: Sequence[str] = (),
    target_names: Sequence[str] = (),
    strongest: int = STRONGEST,
) -> list[list] | None:
    """Says which source classes each target class reads.

    Args:
        mapping: Any label mapping that was built.
        source_names: Names of the source's classes; numbers where unknown.
        target_names: Names of the target classes; numbers where unknown.
        strongest: Source classes to name of a mapping that weighs them all,
            the largest weights first.

    Returns:
        For each target class its name and a list: the names of its source
        classes, or pairs of name and weight. `None` for a layer that says
        nothing about itself, and for one that reads something else than the
        named classes, such as inner features.

    Example:
    >>> from reprogram.mappings.random import RandomMapping
    >>> mapping = RandomMapping(2, seed=3)
    >>> mapping.build((None, 3))
    >>> describe(mapping, ("ant", "bee", "cat"), ("no", "yes"))
    [['no', ['cat']], ['yes', ['bee']]]
    """
    if isinstance(mapping, keras.layers.Identity):
        count = len(target_names) or len(source_names)
        return [
            [_name(target_names, k), [_name(source_names, k)]]
            for k in range(count)
        ]
    if hasattr(mapping, "table"):
        return [
            [
                _name(target_names, k),
                [_name(source_names, int(i)) for i in row if i >= 0],
            ]
            for k, row in enumerate(ops.convert_to_numpy(mapping.table))
        ]
    weights = matrix(mapping)
    if weights is None or (source_names and len(source_names) != len(weights)):
        return None
    return [
        [_name(target_names, k), _strongest(column, source_names, strongest)]
        for k, column in enumerate(weights.T)
    ]


def matrix(mapping: keras.layers.Layer) -> np.ndarray | None:
    """Returns how strongly each target class reads each source class.

    Args:
        mapping: A label mapping that was built.

    Returns:
        Weights `(source classes, target classes)`, `None` if the mapping has
        none.
    """
    if hasattr(mapping, "matrix"):
        return mapping.matrix()
    if not hasattr(mapping, "table"):
        return None
    table = ops.convert_to_numpy(mapping.table)
    weights = np.zeros((mapping.input_spec.axes[-1], len(table)))
    for target, row in enumerate(table):
        used = row[row >= 0]
        weights[used, target] = 1 / len(used)
    return weights


def _strongest(
    column: np.ndarray, names: Sequence[str], count: int
) -> list[list]:
    order = np.argsort(-np.abs(column), kind="stable")[:count]
    return [
        [_name(names, int(i)), float(f"{column[i]:.3g}")]
        for i in order
        if column[i]
    ]


def _name(names: Sequence[str], number: int) -> str:
    return str(names[number]) if number < len(names) else str(number)

"""Source classes whose names mean something similar."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from reprogram.mappings.assignment import AssignmentMapping


@keras.saving.register_keras_serializable("reprogram")
class SemanticMapping(AssignmentMapping):
    """Gives each target class the source classes of the most similar names.

    In each round every target class receives one source class that is still
    free, so that the similarities of the round sum to the most.

    Args:
        similarity: Of each target class to each source class
            `(classes, source classes)`; `from_names` computes it.
        labels_per_class: Source classes that each target class receives.
        **kwargs: See `AssignmentMapping`.

    Raises:
        ValueError: If `similarity` is no finite table of numbers, or if the
            source has another number of classes.

    Example:
    >>> encode = lambda names: np.eye(3)[["abc".index(n[0]) for n in names]]
    >>> mapping = SemanticMapping.from_names(
    ...     ("cat", "ant", "bee"), ("beetle", "cattle"), encode
    ... )
    >>> mapping.build((None, 3))
    >>> keras.ops.convert_to_numpy(mapping.table).tolist()
    [[2], [0]]

    Reference: Tsao et al., AutoVP, 2024.
    """

    def __init__(
        self,
        similarity: Sequence[Sequence[float]],
        labels_per_class: int = 1,
        **kwargs: Any,
    ):
        table = np.asarray(similarity, "float64")
        if table.ndim != 2 or not np.isfinite(table).all():
            raise ValueError(
                "`similarity` must be a finite table (target classes, source"
                f" classes). Received: shape {table.shape}."
            )
        super().__init__(len(table), labels_per_class, **kwargs)
        self.similarity = table

    @classmethod
    def from_names(
        cls,
        source_names: Sequence[str],
        target_names: Sequence[str],
        encode: Callable[[list[str]], np.ndarray],
        labels_per_class: int = 1,
        **kwargs: Any,
    ) -> "SemanticMapping":
        """Makes the mapping from the cosine of embedded names.

        Args:
            source_names: Of all source classes, in their order.
            target_names: Of all target classes, in their order.
            encode: Gives vectors `(names, width)` of names.
            labels_per_class: Source classes that each target class receives.
            **kwargs: See `AssignmentMapping`.

        Returns:
            The mapping.

        Raises:
            ValueError: If the encoder does not give a vector for each name.
        """
        source = _unit(encode, source_names)
        target = _unit(encode, target_names)
        similarity = np.round(target @ source.T, 6)
        return cls(similarity, labels_per_class, **kwargs)

    def check_source(self, shape: tuple) -> None:
        super().check_source(shape)
        if shape[-1] != self.similarity.shape[1]:
            raise ValueError(
                f"`similarity` knows {self.similarity.shape[1]} source classes"
                f" and the source gives {shape}. Name every output of the"
                " source."
            )

    def initial_table(self, source_classes: int) -> np.ndarray:
        from scipy.optimize import linear_sum_assignment

        table = np.zeros((self.classes, self.labels_per_class), int)
        free = np.arange(source_classes)
        for place in range(self.labels_per_class):
            worth = self.similarity[:, free]
            targets, sources = linear_sum_assignment(worth, maximize=True)
            table[targets, place] = free[sources]
            free = np.delete(free, sources)
        return table

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["classes"]
        return {**config, "similarity": self.similarity.tolist()}


def _unit(encode: Callable, names: Sequence[str]) -> np.ndarray:
    vectors = np.asarray(encode(list(names)), "float64")
    if vectors.ndim != 2 or len(vectors) != len(names):
        raise ValueError(
            f"The encoder must give a vector for each of {len(names)} names,"
            f" shape ({len(names)}, width). Received: shape {vectors.shape}."
            " Pool over the tokens."
        )
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)

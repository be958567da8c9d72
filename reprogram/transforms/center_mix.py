"""A program behind and around the data."""

from typing import Any

import keras
import numpy as np

from reprogram.transforms.padding import Padding


@keras.saving.register_keras_serializable("reprogram")
class CenterMix(Padding):
    """Mixes the data in the middle with a program that fills everything.

    The output is `share` of the data plus the rest of the program where data
    are, and the program elsewhere. It stays inside `value_range` if the data
    do. With a `share` of 1 it is `Padding`.

    Args:
        target_shape: Shape that the source reads, without the batch.
        window: Size that the data are resized to, see `Padding`.
        share: Weight of the data, in (0, 1].
        **kwargs: `squash`, `value_range`, see `FrameLayer`; `initializer`,
            `regularizer`, `dropout`, `program`, see `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data larger than the
            frame arrive.

    Example:
    >>> layer = CenterMix((6, 6, 3), share=0.8)
    >>> layer(np.ones((2, 4, 4, 1), "float32"))[0, 3, 3, 0].__float__()
    0.800000011920929

    Reference: Englert and Lazic, Adversarial Reprogramming Revisited, 2022.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        window: tuple[int, ...] | None = None,
        share: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(target_shape, window, **kwargs)
        if not 0.0 < share <= 1.0:
            raise ValueError(
                "`share` of the data must be above 0 and at most 1."
                f" Received: share={share}."
            )
        self.share = share

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.mask = np.where(self.mask == 1.0, 1.0, 1.0 - self.share)

    def place(self, inputs: Any) -> Any:
        return self.share * super().place(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share}

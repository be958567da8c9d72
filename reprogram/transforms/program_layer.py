"""What layers share that train an array: the program."""

from typing import Any

import keras
from keras import ops

from reprogram.transforms import fitting
from reprogram.transforms import programs

SQUASHES = {
    "tanh": lambda w: 0.5 * (ops.tanh(w) + 1.0),
    "sigmoid": ops.sigmoid,
    "linear": lambda w: w,
}


class ProgramLayer(keras.layers.Layer):
    """Trains an array that is added to the data.

    Args:
        target_shape: Shape that the source reads, without the batch:
            `(height, width, channels)` for images, `(length, channels)` for
            series.
        value_range: Lowest and highest value that the source expects.
        initializer: Of the numbers that are trained.
        regularizer: Of the program's array, such as `"l2"` or
            `TotalVariation(1e-4)`, whatever numbers it is made of.
        dropout: Share of the program's values that are left out during
            training.
        program: What numbers the array is made of: a key of
            `programs.PROGRAMS`, or an object such as `programs.Cosine(8)`.
        unit: What the array is multiplied by. With Adam a program of unit 10
            learns ten times as fast as the mapping behind it.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        value_range: tuple[float, float] | None = None,
        initializer: str | keras.Initializer = "zeros",
        regularizer: str | keras.Regularizer | None = None,
        dropout: float = 0.0,
        program: str | programs.Parameterization = "free",
        unit: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.target_shape = fitting.check_target(target_shape)
        self.value_range = fitting.check_range(value_range)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.dropout = keras.layers.Dropout(dropout, dtype="float32")
        self.parameterization = programs.get(program)
        self.unit = float(unit)

    def build(self, input_shape: tuple) -> None:
        fitting.check_input(self, input_shape, self.target_shape)
        self.add_program(self.target_shape)

    def add_program(self, shape: tuple[int, ...]) -> None:
        """Adds the numbers of an array of this shape."""
        self._array_shape = shape
        self.program = self.add_weight(
            shape=self.parameterization.weight_shape(shape),
            initializer=self.initializer,
            regularizer=self.regularizer and self._penalty,
            # Half a precision is too coarse for what is trained.
            autocast=False,
            name="program",
        )

    def _penalty(self, program: Any) -> Any:
        return self.regularizer(self._expand(program))

    def _expand(self, program: Any) -> Any:
        program = ops.cast(program, "float32")
        array = self.parameterization.expand(program, self._array_shape)
        return array if self.unit == 1.0 else self.unit * array

    def array(self, training: bool | None = False) -> Any:
        """Returns the program as it meets the data, in float32."""
        return self.dropout(self._expand(self.program), training=training)

    def fit(self, inputs: Any) -> Any:
        """Brings data to the target shape."""
        return fitting.fit(
            ops.cast(inputs, self.compute_dtype), self.target_shape
        )

    def add(self, x: Any, values: Any) -> Any:
        """Adds values to data and clips the sum to the range."""
        values = ops.cast(values, self.compute_dtype)
        return fitting.clip(x + values, self.value_range)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], *self.target_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "target_shape": self.target_shape,
            "value_range": self.value_range,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "dropout": self.dropout.rate,
            "program": keras.saving.serialize_keras_object(
                self.parameterization
            ),
            "unit": self.unit,
        }


class FrameLayer(ProgramLayer):
    """Trains an array that stands where no data are.

    Args:
        target_shape: See `ProgramLayer`.
        squash: `"tanh"` or `"sigmoid"` keep the program inside
            `value_range`; `"linear"` programs are clipped to it.
        value_range: Lowest and highest value that the source expects;
            `None` if there are none, which needs a linear program.
        **kwargs: See `ProgramLayer`. Values that `dropout` leaves out are in
            the middle of the range.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        squash: str = "tanh",
        value_range: tuple[float, float] | None = (-1.0, 1.0),
        **kwargs: Any,
    ):
        super().__init__(target_shape, value_range, **kwargs)
        if squash not in SQUASHES:
            raise ValueError(
                f"`squash` must be one of {', '.join(SQUASHES)}. Received:"
                f" squash={squash!r}."
            )
        if self.value_range is None and squash != "linear":
            raise ValueError(
                "Without a `value_range` nothing can be squashed into it."
                f" Received: squash={squash!r}. Set `value_range`, or"
                " `squash` to 'linear'."
            )
        self.squash = squash

    def array(self, training: bool | None = False) -> Any:
        low, high = self.value_range or (0.0, 0.0)
        middle = 0.5 * (low + high)
        frame = SQUASHES[self.squash](self._expand(self.program))
        if self.squash != "linear":
            frame = low + (high - low) * frame
        frame = self.dropout(frame - middle, training=training) + middle
        return fitting.clip(frame, self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "squash": self.squash}

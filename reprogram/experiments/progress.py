"""One line on a terminal that says how far a long job is."""

import os
import sys
import time
from typing import TYPE_CHECKING
from typing import Any
from typing import TextIO

if TYPE_CHECKING:
    import keras

SECONDS_BETWEEN = 0.1  # Faster drawing flickers and costs time.
BAR = 10


class Progress:
    """A line that is redrawn in place on a terminal; silent in a pipe.

    It names the stage and shows a bar, the percentage, the elapsed time and
    an estimate of the remaining time. As a context manager it removes the
    line at the end, so that errors and results stand alone.

    Args:
        total: Amount of work in any unit, such as the number of seeds.
        stream: File to write to; by default the standard error stream.

    Example:
    >>> with Progress(3) as progress:
    ...     for seed in range(3):
    ...         progress.show(f"seed {seed + 1} of 3", seed)
    """

    def __init__(self, total: float, stream: TextIO | None = None):
        self.total = max(float(total), 1e-9)
        self.stream = sys.stderr if stream is None else stream
        self.visible = self.stream.isatty()
        self._begun = time.monotonic()
        self._drawn = 0.0
        self._done = 0.0

    def show(self, stage: str, done: float | None = None) -> None:
        """Redraws the line.

        Args:
            stage: Name of the stage, for example `"seed 2 of 5, epoch 3"`.
            done: Finished amount of work between zero and the total; by
                default the amount that was last given.
        """
        if done is not None:
            self._done = min(max(float(done), 0.0), self.total)
        now = time.monotonic()
        if not self.visible or now - self._drawn < SECONDS_BETWEEN:
            return
        self._drawn = now
        line = self._line(stage, now - self._begun)
        self._write("\r" + line[: self._width() - 1] + "\x1b[K")

    def tell(self, text: str) -> None:
        """Prints a lasting line to standard output, above the redrawn one.

        Args:
            text: Line to print.
        """
        self.clear()
        print(text, flush=True)

    def clear(self) -> None:
        """Removes the line until `show` is called again."""
        if self.visible and self._drawn:
            self._write("\r\x1b[K")
            self._drawn = 0.0

    def callback(
        self, stage: str, epochs: int, start: float = 0.0, span: float = 1.0
    ) -> "keras.callbacks.Callback":
        """Makes a Keras callback that shows the epochs of one `fit`.

        Args:
            stage: Name of the stage, for example `"seed 2 of 5"`.
            epochs: Largest number of epochs of the `fit`.
            start: Amount of work that was finished before the `fit`.
            span: Amount of work that the whole `fit` is.

        Returns:
            The callback. A `fit` that stops early leaves the line where it
            is; the next `show` moves it on.
        """
        import keras

        progress = self

        class Epochs(keras.callbacks.Callback):
            epoch = 0

            def on_epoch_begin(
                self, epoch: int, logs: dict[str, Any] | None = None
            ) -> None:
                self.epoch = epoch
                self.move(0.0)

            def on_train_batch_end(
                self, batch: int, logs: dict[str, Any] | None = None
            ) -> None:
                steps = self.params.get("steps")
                self.move((batch + 1) / steps if steps else 0.0)

            def move(self, part: float) -> None:
                share = (self.epoch + part) / max(epochs, 1)
                line = f"{stage}, epoch {self.epoch + 1} of {epochs}"
                progress.show(line, start + span * share)

        return Epochs()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def _line(self, stage: str, elapsed: float) -> str:
        share = self._done / self.total
        full = round(BAR * share)
        left = "?" if share < 0.01 else _time(elapsed * (1 / share - 1))
        return (
            f"{stage}  [{'=' * full}{' ' * (BAR - full)}] {100 * share:3.0f} %"
            f"  {_time(elapsed)} elapsed, {left} left"
        )

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    return f"{minutes}:{seconds:02d}"

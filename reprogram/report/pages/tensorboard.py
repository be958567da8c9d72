"""The curves, figures and label mapping of a report, for TensorBoard."""

import contextlib
import io
import pathlib
from collections.abc import Iterator

from matplotlib.figure import Figure

from reprogram.report.pages import figures
from reprogram.report.pages import run_context


@contextlib.contextmanager
def written(folder: pathlib.Path | None) -> Iterator[None]:
    """Writes every figure that is drawn meanwhile into an event file too.

    Args:
        folder: Path of the folder of the event file; `None` writes nothing.
    """
    if folder is None:
        yield
        return
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))

    def keep(name: str, figure: Figure) -> None:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
        png = buffer.getvalue()
        height, width, _ = tf.io.decode_png(png).shape
        with writer.as_default():
            _write(name, "images", [str(width), str(height), png])

    figures.LISTENERS.append(keep)
    try:
        yield
    finally:
        figures.LISTENERS.remove(keep)
        writer.close()


def write(folder: pathlib.Path, record: dict) -> None:
    """Writes the learning curves and the label mapping of a record.

    Args:
        folder: Path of the folder of the event files, one for each seed.
        record: Complete record of a run; see `report/record.schema.json`.
    """
    import tensorflow as tf

    for entry in record.get("history") or []:
        path = folder / f"seed {entry['seed']}"
        with tf.summary.create_file_writer(str(path)).as_default():
            for name in ("loss", "val_loss"):
                for epoch, value in enumerate(entry.get(name) or []):
                    if value is not None:
                        _write(name, "scalars", float(value), epoch)
    rows = run_context.mapping_rows(record)
    if rows:
        lines = [
            f"| {row['target']} | {', '.join(row['sources'])} |" for row in rows
        ]
        table = "\n".join(["| target | source |", "| --- | --- |", *lines])
        with tf.summary.create_file_writer(str(folder)).as_default():
            _write("mapping", "text", [table])


def _write(name: str, plugin: str, value: object, step: int = 0) -> None:
    """As `tf.summary.image` and its like, which need TensorBoard to write."""
    import tensorflow as tf

    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = plugin
    tf.summary.write(name, tf.convert_to_tensor(value), step, metadata)

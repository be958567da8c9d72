"""Image tasks: a folder for each class."""

import collections
import pathlib
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import ImageOps

from reprogram.tasks import splits
from reprogram.tasks import targets
from reprogram.tasks.rows import build_task
from reprogram.tasks.task import Task

_ORIENTATION = 0x0112
_LARGEST = 224
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def digits() -> Task:
    """Reads 1,797 handwritten digits of 8x8 pixels from scikit-learn.

    Returns:
        A classification of ten digits, gray values from 0 to 255.

    Example:
    >>> digits().inputs.shape
    (1797, 8, 8, 1)
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return Task(
        name="digits",
        modality="image",
        problem="classification",
        inputs=data.images[..., None] * (255 / 16),
        targets=data.target,
        target_names=tuple(map(str, data.target_names)),
        metric="balanced_accuracy",
        citation="Alpaydin and Kaynak, Optical Recognition of Handwritten"
        " Digits, UCI Machine Learning Repository, 1998 (its test part)",
        licence="CC BY 4.0",
    )


def from_folder(
    path: str | pathlib.Path, image_size: int | Sequence[int] | None = None
) -> Task:
    """Reads a classification from a folder with one sub-folder a class.

    Args:
        path: The folder. Its sub-folders are the classes; or `train` and
            `test`, and the classes are inside those.
        image_size: `(height, width)`, or one number for both, that all
            images are resized to. None keeps the size where all are equal,
            else takes the most frequent one, at most 224 pixels long.

    Returns:
        The task. Row numbers in `dropped` count the files in sorted order.

    Raises:
        ValueError: If there are fewer than two classes or no image.

    Example:
    >>> folder = getfixture("tmp_path")
    >>> for name in ("cat", "dog"):
    ...     (folder / name).mkdir()
    ...     Image.new("L", (4, 3)).save(folder / name / "1.png")
    >>> task = from_folder(folder)
    >>> task.inputs.shape, task.target_names
    ((2, 3, 4, 1), ('cat', 'dog'))
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        raise ValueError(f"There is no folder {path}. Check the path.")
    folders = _folders(path)
    given = bool(folders) and all(
        f.name.casefold() in splits.SIDES for f in folders
    )
    if given:
        folders = [inner for folder in folders for inner in _folders(folder)]
    names = sorted({folder.name for folder in folders})
    if len(names) < 2:
        raise ValueError(
            f"{path} needs one sub-folder a class, at least two (or train and"
            " test with those inside). Received:"
            f" {', '.join(names) or 'no sub-folders'}."
        )
    files = [file for folder in folders for file in _files(folder)]
    images, reasons = read(files, image_size)
    sides, _ = splits.sides([file.parent.parent.name for file in files])
    return build_task(
        path.resolve().name,
        "image",
        images,
        targets.classes([file.parent.name for file in files]),
        [r and f"{f.relative_to(path)}: {r}" for f, r in zip(files, reasons)],
        split=sides if given else None,
    )


def read(
    files: Sequence[str | pathlib.Path],
    image_size: int | Sequence[int] | None = None,
    channels: int | None = None,
) -> tuple[list[np.ndarray | None], list[str]]:
    """Reads image files of any format into arrays of one shape.

    Args:
        files: Paths of image files.
        image_size: Size of the resized images, see `from_folder`.
        channels: Number of channels: 1 for gray, 3 for color; None for 1
            if all files are gray, else 3.

    Returns:
        Float arrays of shape `(height, width, channels)` from 0 to 255, None
        where a file is no image; and the reasons, empty where there is none.

    Raises:
        ValueError: If `image_size` is not one or two positive numbers.

    Example:
    >>> file = getfixture("tmp_path") / "1.png"
    >>> Image.new("RGB", (5, 4), (255, 0, 0)).save(file)
    >>> read([file], image_size=2)[0][0][0, 0].tolist()
    [255.0, 0.0, 0.0]
    """
    found, reasons = {}, [""] * len(files)
    for row, file in enumerate(files):
        try:
            found[row] = _probe(file)
        except _UNREADABLE as error:
            reasons[row] = f"not an image to read ({error})"
    size = _size([size for size, _ in found.values()], image_size)
    if channels is None:
        channels = 1 if all(gray for _, gray in found.values()) else 3
    images: list[np.ndarray | None] = [None] * len(files)
    for row in found:
        try:
            images[row] = _decode(files[row], size, channels)
        except _UNREADABLE as error:
            reasons[row] = f"not an image to read ({error})"
    return images, reasons


def _folders(path: pathlib.Path) -> list[pathlib.Path]:
    return sorted(
        inner
        for inner in path.iterdir()
        if inner.is_dir() and not inner.name.startswith(".")
    )


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    if _folders(folder):
        raise ValueError(
            f"{folder} is taken for a class, whose folder holds images and no"
            f" sub-folders. Received: {_folders(folder)[0].name}."
        )
    return sorted(
        file for file in folder.iterdir() if not file.name.startswith(".")
    )


def _probe(file: str | pathlib.Path) -> tuple[tuple[int, int], bool]:
    with Image.open(file) as image:
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise ValueError(f"{frames} frames where one image is expected")
        if image.mode in ("I", "F"):
            raise ValueError("32-bit values have no known range")
        width, height = image.size
        if image.getexif().get(_ORIENTATION, 1) > 4:
            width, height = height, width
        return (height, width), _is_gray(image)


def _is_gray(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA") or image.mode.startswith("I;16")


def _size(
    sizes: Sequence[tuple[int, int]], image_size: int | Sequence[int] | None
) -> tuple[int, int]:
    if image_size is not None:
        size = tuple(np.broadcast_to(image_size, 2).astype(int).tolist())
        if min(size) < 1:
            raise ValueError(
                "`image_size` is one or two positive numbers of pixels."
                f" Received: {image_size}."
            )
        return size
    counts = collections.Counter(sizes)
    if len(counts) < 2:
        return next(iter(counts), (1, 1))
    size = max(counts, key=lambda size: (counts[size], size))
    scale = min(1, _LARGEST / max(size))
    size = tuple(max(1, round(scale * side)) for side in size)
    warnings.warn(
        f"Images of {len(counts)} different sizes, all resized to"
        f" {size[0]}x{size[1]} (height x width). Choose another `image_size`"
        " if that does not suit.",
        stacklevel=3,
    )
    return size


def _decode(
    file: str | pathlib.Path, size: tuple[int, int], channels: int
) -> np.ndarray:
    with Image.open(file) as opened:
        gray = channels == 1 or _is_gray(opened)
        image: Image.Image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I;16"):
            image = Image.fromarray(np.asarray(image, "float32") / 257)
        else:
            image = image.convert("L" if gray else "RGB")
        if image.size != size[::-1]:
            image = image.resize(size[::-1], Image.Resampling.BILINEAR)
        pixels = np.asarray(image, "float32").reshape(*size, -1)
    return np.repeat(pixels, channels // pixels.shape[2], axis=2)

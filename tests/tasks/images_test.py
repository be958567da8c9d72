"""Folders of images: formats, sizes, splits, errors."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from reprogram import tasks
from reprogram.tasks import images
from reprogram.tasks import splits


def paint(path: pathlib.Path, size: tuple = (4, 3), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def test_folder_of_images(tmp_path):
    paint(tmp_path / "cat" / "1.png")
    paint(tmp_path / "cat" / "2.jpg")
    paint(tmp_path / "none" / "3.bmp")
    paint(tmp_path / "none" / "5.tif", mode="F")
    (tmp_path / "none" / "4.png").write_bytes(b"no image")
    whole = (tmp_path / "cat" / "1.png").read_bytes()
    (tmp_path / "none" / "6.png").write_bytes(whole[:45])
    (tmp_path / "none" / ".hidden").touch()
    frames = [Image.new("L", (4, 3), i) for i in range(3)]
    frames[0].save(
        tmp_path / "cat" / "3.gif", save_all=True, append_images=frames[1:]
    )
    task = tasks.load(tmp_path)
    assert (task.modality, task.inputs.shape) == ("image", (3, 3, 4, 1))
    assert task.target_names == ("cat", "none")
    assert task.targets.tolist() == [0, 0, 1]
    assert [row for row, _ in task.dropped] == [3, 5, 6, 7]
    reasons = [reason for _, reason in task.dropped]
    assert "3.gif: not an image to read (3 frames where one" in reasons[0]
    assert "4.png: not an image to read (cannot identify" in reasons[1]
    assert "5.tif: not an image to read (32-bit values" in reasons[2]
    assert "6.png: not an image to read (" in reasons[3]


def test_images_of_many_kinds_keep_their_values(tmp_path):
    color = np.full((4, 4, 3), (10, 20, 30), "uint8")
    Image.fromarray(color).save(tmp_path / "color.png")
    Image.fromarray(color[..., 0]).save(tmp_path / "gray.png")
    deep = np.full((4, 4), 10 * 257, "uint16")
    Image.fromarray(deep).save(tmp_path / "deep.png")
    turned = Image.fromarray(np.repeat(color, 2, axis=1))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    files = [tmp_path / f"{n}.png" for n in ("color", "gray", "deep")]
    found, reasons = images.read(files)
    assert reasons == [""] * 3
    expected = ([10, 20, 30], [10, 10, 10], [10, 10, 10])
    for image, pixel in zip(found, expected):
        assert image.shape == (4, 4, 3)
        np.testing.assert_allclose(image[0, 0], pixel)
    found, _ = images.read(files[1:])
    assert found[1].shape == (4, 4, 1) and found[1][0, 0] == 10
    found, _ = images.read([tmp_path / "turned.png"])
    assert found[0].shape == (8, 4, 3)


def test_images_of_different_sizes_are_resized_with_a_note(tmp_path):
    paint(tmp_path / "a" / "1.png", (448, 336))
    paint(tmp_path / "a" / "2.png", (448, 336))
    paint(tmp_path / "b" / "3.png", (8, 8), "RGB")
    with pytest.warns(UserWarning, match="2 different sizes.*168x224"):
        assert tasks.load(tmp_path).inputs.shape == (3, 168, 224, 3)
    task = tasks.load(tmp_path, image_size=(5, 6))
    assert task.inputs.shape == (3, 5, 6, 3)
    with pytest.raises(ValueError, match="positive numbers of pixels"):
        tasks.load(tmp_path, image_size=0)


def test_folder_with_a_given_split(tmp_path):
    for side, name, file in [
        ("Train", "x", "1"),
        ("Train", "y", "1"),
        ("test", "x", "1"),
        ("test", "y", "2"),
    ]:
        paint(tmp_path / side / name / f"{file}.png")
    task = tasks.load(tmp_path)
    assert task.target_names == ("x", "y")
    train, test = splits.split(task)
    assert task.targets[train].tolist() == task.targets[test].tolist() == [0, 1]
    assert task.split.tolist() == ["train", "train", "test", "test"]


def test_folder_errors(tmp_path):
    with pytest.raises(ValueError, match="Received: no sub-folders"):
        tasks.load(tmp_path)
    paint(tmp_path / "cat" / "1.png")
    with pytest.raises(ValueError, match="at least two .*Received: cat"):
        tasks.load(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(ValueError, match=r"one class \(cat\)"):
        tasks.load(tmp_path)
    paint(tmp_path / "dog" / "deeper" / "1.png")
    with pytest.raises(ValueError, match="no sub-folders. Received: deeper"):
        tasks.load(tmp_path)
    with pytest.raises(ValueError, match="There is no folder"):
        images.from_folder(tmp_path / "missing")

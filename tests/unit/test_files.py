"""Photos from files: names, dates, hashes, errors, and the search in folders."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sample_pictures import FORMATS, PICTURE, encoded, likeness, with_exif

from facegui.errors import KnownError
from facegui.sources.files import (
    SUFFIXES,
    content_hash,
    exif_date,
    photo_files,
    read_bytes,
    read_photo,
    shown_name,
)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_date_is_read_without_decoding(form: str, tmp_path: Path) -> None:
    photo = tmp_path / "a"
    exif = with_exif(1, "2001:02:03 04:05:06")
    # Without its prefix, an EXIF block is a TIFF file.
    photo.write_bytes(exif[6:] if form == "TIFF" else encoded(PICTURE, form, exif=exif))
    assert exif_date(photo) == datetime(2001, 2, 3, 4, 5, 6)
    photo.write_bytes(b"words")
    assert exif_date(photo) is None


def test_hash_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert content_hash(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()


@pytest.mark.parametrize("read", [read_photo, content_hash, exif_date])
def test_unreadable_paths_say_what_is_wrong(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(KnownError, match=r"gone\.jpg cannot be read\. There is no such file"):
        read(tmp_path / "gone.jpg")
    with pytest.raises(KnownError, match="It is a folder"):
        read(tmp_path)
    with pytest.raises(KnownError, match="not a valid file name"):
        read(Path("a\0b.jpg"))
    with pytest.raises(KnownError, match="cannot be read"):
        read(tmp_path / ("n" * 300))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        with pytest.raises(KnownError, match="not an ordinary file"):
            read(tmp_path / "pipe.jpg")


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")

    def refuse(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(KnownError, match="not allowed to read"):
        read_photo(tmp_path / "a.jpg")


def test_many_threads_decode_at_once() -> None:
    jobs = [encoded(PICTURE, form, **options) for form, options in FORMATS.values()] * 3
    with ThreadPoolExecutor(4) as pool:
        for frame in pool.map(lambda data: read_bytes(data, "x", working_pixels=120), jobs):
            assert likeness(frame.pixels, PICTURE) > 0.98


def awkward_names() -> list[bytes]:
    names = [
        "a b.jpg",
        " lead and trail .jpg",
        "-dash.jpg",
        "quote ' \" & %.jpg",
        "名前 😀 احمد.jpg",
        "l" * 240 + ".jpg",
    ]
    raw = [os.fsencode(name) for name in names]
    return raw if sys.platform == "win32" else [*raw, b"line\nbreak.jpg", b"latin1_\xe9.jpg"]


def test_any_file_name_is_found_and_read(tmp_path: Path) -> None:
    data = encoded(PICTURE, "JPEG")
    for name in awkward_names():
        (tmp_path / os.fsdecode(name)).write_bytes(data)
    found = list(photo_files(tmp_path))
    assert {os.fsencode(path.name) for path in found} == set(awkward_names())
    for path in found:
        assert read_photo(path).source == str(path)
        shown_name(path).encode("utf-8")
        assert shown_name(path).isprintable()


def test_folders_are_searched_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", "noname", "sub/c.heic", "sub/deep/d.webp", ".hid/e.jpg", ".f.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def names(**options: Any) -> list[str]:
        return [path.relative_to(tmp_path).as_posix() for path in photo_files([tmp_path], **options)]

    assert names() == ["a.png", "b.JPG", "sub/c.heic", "sub/deep/d.webp"]
    assert names(include_hidden=True) == [".f.jpg", "a.png", "b.JPG", ".hid/e.jpg", "sub/c.heic", "sub/deep/d.webp"]
    assert len(list(photo_files([tmp_path, tmp_path / "sub", tmp_path]))) == 4
    assert list(photo_files([tmp_path / "noname"])) == [tmp_path / "noname"]
    assert ".heic" in SUFFIXES


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_circles_of_links_and_dead_links_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.jpg").touch()
    (tmp_path / "one" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "nothing.jpg")
    (tmp_path / "live.jpg").symlink_to(tmp_path / "one" / "a.jpg")
    assert [path.name for path in photo_files(tmp_path)] == ["live.jpg", "a.jpg"]


def test_an_unreadable_folder_is_left_out_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a/x.jpg", "b/y.jpg", "c/z.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    scan = os.scandir

    def refuse(path: Path) -> Any:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [path.name for path in photo_files(tmp_path)] == ["x.jpg", "z.jpg"]
    assert "folder b was left out" in caplog.text


def test_a_missing_folder_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="no such folder"):
        photo_files([tmp_path, tmp_path / "gone"])


AWKWARD_ERRORS = {"error", "no face or refused"}


def awkward_rows(folder: Path) -> list[tuple[str, str]]:
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        return [(row["file"], row["expect"]) for row in csv.DictReader(file)]


def test_every_awkward_file_comes_out_as_it_should(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "awkward"
    base = read_photo(folder / "face.bmp").pixels
    grey = np.dstack([cv2.cvtColor(base, cv2.COLOR_RGB2GRAY)] * 3)
    rows = awkward_rows(folder)
    assert len(rows) == 69
    for name, expected in rows:
        path = folder / name
        if not path.exists():  # a newline, 244 characters, bytes that are not UTF-8
            raw = b"latin1_\xe9.jpg" if name.startswith("latin1") else os.fsencode(name)
            path = tmp_path / os.fsdecode(raw)
            shutil.copyfile(folder / "no_extension", path)
        if expected in AWKWARD_ERRORS or expected == "error or partial":
            with pytest.raises(KnownError) as caught:
                read_photo(path, working_pixels=1600)
            assert caught.value.why, name
            assert caught.value.do, name
            continue
        frame = read_photo(path, working_pixels=1600)
        assert frame.pixels.flags.c_contiguous, name
        assert max(frame.width, frame.height) <= 1600, name
        if expected.startswith("1 face") and "turned" not in expected:
            reference = grey if "gray" in name or name == "la.png" else base
            assert likeness(frame.pixels, reference) > 0.96, name
            assert frame.pixels.mean() == pytest.approx(base.mean(), abs=6), name
        if name == "huge_100MP.jpg":
            assert (frame.original_size, frame.scale) == ((10_000, 10_000), 0.16)


def test_what_decoders_print_by_themselves_stays_off_the_terminal(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from facegui.sources.native_messages import divert_native_messages\n"
        f"divert_native_messages(Path({str(tmp_path / 'log')!r}))\n"
        "os.write(2, b'from C'); print('from Python', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "from Python\n"
    assert (tmp_path / "log").read_text() == "from C"

"""Watching folders: a new photo is read, noise is not, and ending it leaves nothing running."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facegui.errors import KnownError
from facegui.jobs import Partial
from facegui.services import watching


class FakeServices:
    def __init__(self) -> None:
        self.read: list[Path] = []

    def index(self, folders: list[Path]) -> Any:
        self.read += folders
        yield from ()
        return SimpleNamespace(new=1)


def wait_for(job: Any, done: Any, seconds: float = 15) -> list[Any]:
    events = []
    end = time.monotonic() + seconds
    for event in job:
        events.append(event)
        if done(events) or time.monotonic() > end:
            return events
    return events


def test_a_new_photo_is_read_and_other_files_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_REST", 0.2)
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "below").mkdir(parents=True)
    other.mkdir()
    services = FakeServices()
    job = watching.watch_folders(services, [one, other])  # type: ignore[arg-type]
    next(job)
    (other / "notes.txt").write_text("no photo")
    (one / "below" / "new.jpg").write_bytes(b"a photo")
    events = wait_for(job, lambda seen: isinstance(seen[-1], Partial))
    assert isinstance(events[-1], Partial)
    assert services.read == [one]
    job.close()


def test_a_folder_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    job = watching.watch_folders(FakeServices(), [tmp_path / "nowhere"])  # type: ignore[arg-type]
    with pytest.raises(KnownError, match="cannot be watched"):
        next(job)


def test_of_nested_folders_the_outer_one_is_watched_and_missing_ones_are_not(tmp_path: Path) -> None:
    inner = tmp_path / "photos" / "2024"
    inner.mkdir(parents=True)
    paths = [inner, tmp_path / "photos", tmp_path / "gone"]
    gallery = SimpleNamespace(folders=lambda: [SimpleNamespace(path=str(path)) for path in paths])
    assert watching.indexed_roots(SimpleNamespace(gallery=gallery)) == (tmp_path / "photos",)  # type: ignore[arg-type]

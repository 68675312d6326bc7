"""A download goes on where it broke off, is checked, and says clearly what is wrong."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pack_server import Served, serving

from facegui import jobs
from facegui.errors import KnownError
from facegui.faces.packs_download import download, part_of
from facegui.jobs import Progress

CONTENT = bytes(range(256)) * 8000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(CONTENT) as made:
        yield made


def test_a_file_comes_whole_with_progress_in_bytes(served: Served, tmp_path: Path) -> None:
    events: list[Progress] = []
    target = tmp_path / "downloads" / "a.zip"
    assert jobs.run(download(served.url("a.zip"), target, sha256=DIGEST), events.append) == DIGEST
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]
    done = [event.done for event in events]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)
    assert {event.total for event in events} == {len(CONTENT)}


def test_a_cut_connection_is_taken_up_where_it_was_cut(served: Served, tmp_path: Path) -> None:
    served.cuts = [700_000, 300_000]
    target = tmp_path / "a.zip"
    jobs.run(download(served.url("a.zip"), target, sha256=DIGEST))
    assert target.read_bytes() == CONTENT
    assert [wanted for _, wanted in served.asked] == ["", "bytes=700000-", "bytes=1000000-"]


def test_a_cancelled_download_goes_on_at_the_next_call(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    job = download(served.url("a.zip"), target)
    for event in job:
        if isinstance(event, Progress) and event.done > len(CONTENT) // 3:
            break
    job.close()
    kept = part_of(target).stat().st_size
    assert 0 < kept < len(CONTENT)
    assert not target.exists()
    jobs.run(download(served.url("a.zip"), target, sha256=DIGEST))
    assert served.asked[-1][1] == f"bytes={kept}-"
    assert target.read_bytes() == CONTENT


def test_what_came_is_kept_when_no_attempt_brings_more(served: Served, tmp_path: Path) -> None:
    served.cuts = [500_000, 0, 0]
    target = tmp_path / "a.zip"
    with pytest.raises(KnownError, match=r"stopped.*0\.5 MB came so far and are kept.*Or ask a friend") as error:
        jobs.run(download(served.url("a.zip"), target, help_text="Or ask a friend."))
    assert error.value.what == "The download of a.zip stopped."
    assert part_of(target).stat().st_size == 500_000


def test_a_part_of_an_older_version_is_not_mixed_with_the_new_one(served: Served, tmp_path: Path) -> None:
    served.cuts = [400_000, 0, 0]
    target = tmp_path / "a.zip"
    with pytest.raises(KnownError):
        jobs.run(download(served.url("a.zip"), target))
    served.content = CONTENT[::-1]
    jobs.run(download(served.url("a.zip"), target))
    assert target.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("missing", ["ranges", "marks"])
def test_a_server_that_cannot_go_on_sends_it_all_again(missing: str, served: Served, tmp_path: Path) -> None:
    setattr(served, missing, False)
    served.cuts = [400_000]
    target = tmp_path / "a.zip"
    jobs.run(download(served.url("a.zip"), target, sha256=DIGEST))
    assert target.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(served: Served, tmp_path: Path) -> None:
    served.cuts = [900_000, 0, 0]
    target = tmp_path / "a.zip"
    with pytest.raises(KnownError):
        jobs.run(download(served.url("a.zip"), target))
    with part_of(target).open("ab") as part:
        part.write(CONTENT * 2)
    jobs.run(download(served.url("a.zip"), target, sha256=DIGEST))
    assert target.read_bytes() == CONTENT


def test_another_file_than_the_expected_one_is_thrown_away(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    with pytest.raises(KnownError, match="not the file that was expected"):
        jobs.run(download(served.url("a.zip"), target, sha256="0" * 64))
    assert list(tmp_path.iterdir()) == [tmp_path / "home"] or not list(tmp_path.glob("a.zip*"))


def test_a_whole_file_that_waits_is_not_fetched_again(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    target.write_bytes(CONTENT)
    assert jobs.run(download(served.url("a.zip"), target, sha256=DIGEST)) == DIGEST
    assert not served.asked
    target.write_bytes(b"something else")
    jobs.run(download(served.url("a.zip"), target, sha256=DIGEST))
    assert target.read_bytes() == CONTENT


def test_no_network_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(KnownError, match="cannot be reached") as error:
            jobs.run(download(f"http://127.0.0.1:{port}/a.zip", tmp_path / "a.zip", help_text="Or by hand."))
    assert error.value.what == "a.zip could not be downloaded."
    assert "connected to the internet" in error.value.do
    assert "Or by hand." in error.value.do


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_answer_of_the_server_is_passed_on(status: int, served: Served, tmp_path: Path) -> None:
    served.status = status
    with pytest.raises(KnownError, match=f"answers {status}"):
        jobs.run(download(served.url("a.zip"), tmp_path / "a.zip"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/a.zip", "a.zip"])
def test_only_web_addresses_are_fetched(url: str, tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="no web address"):
        jobs.run(download(url, tmp_path / "a.zip"))


def test_a_folder_that_cannot_be_written_is_an_error_to_mend(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KnownError, match="could not be stored"):
        jobs.run(download(served.url("a.zip"), tmp_path / "file" / "a.zip"))

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.faces.stages import Done, Stage, analyse_photos, staged
from facegui.faces.types import FacePolicy, Frame
from facegui.sources.files import read_photo
from tests.faces import GROUP_SIZE, astronaut, group, hopper, real_pipeline

WORKERS = pytest.mark.parametrize("workers", [0, 1, 3])
WAIT = 10


def each(act):  # type: ignore[no-untyped-def]
    return lambda values: [act(value) for value in values]


def fail_at(*bad: int):  # type: ignore[no-untyped-def]
    def act(value: int) -> int:
        if value in bad:
            raise KnownError(f"{value} cannot be used.")
        return value

    return each(act)


@WORKERS
def test_results_come_in_the_order_of_the_items_whichever_is_ready_first(workers: int) -> None:
    first_waits = threading.Event()

    def act(value: int) -> int:
        if value == 0 and workers > 1:
            assert first_waits.wait(WAIT)
        if value == 1:
            first_waits.set()
        return value * 10

    done = list(staged(range(20), [Stage("a", each(act)), Stage("b", each(str))], workers=workers))
    assert [item.source for item in done] == list(range(20))
    assert [item.result() for item in done] == [str(value * 10) for value in range(20)]


@WORKERS
def test_what_a_stage_raises_belongs_to_its_item_alone(workers: int) -> None:
    seen: list[int] = []
    stages = [Stage("a", fail_at(3)), Stage("b", fail_at(5)), Stage("c", each(lambda v: seen.append(v) or v))]
    done = list(staged(range(8), stages, workers=workers))
    assert [item.source for item in done if item.error] == [3, 5]
    assert [item.stage for item in done] == ["", "", "", "a", "", "b", "", ""]
    assert done[3].value is None
    with pytest.raises(KnownError, match="5 cannot be used"):
        done[5].result()
    assert sorted(seen) == [0, 1, 2, 4, 6, 7]


@WORKERS
def test_one_item_that_fails_spoils_no_other_of_its_batch(workers: int) -> None:
    def act(values: list[int]) -> list[int]:
        if 2 in values:
            raise ValueError("two")
        return [-value for value in values]

    done = list(staged(range(6), [Stage("a", act, batch=3)], workers=workers))
    assert [item.value for item in done] == [0, -1, None, -3, -4, -5]
    assert str(done[2].error) == "two"


@WORKERS
def test_a_stage_that_loses_values_is_an_error_not_a_mixup(workers: int) -> None:
    done = list(staged(range(3), [Stage("loses", lambda values: [])], workers=workers))
    assert all("loses" in str(item.error) for item in done)


@WORKERS
def test_batches_are_filled_and_the_last_one_is_not_waited_for(workers: int) -> None:
    sizes: list[int] = []

    def act(values: list[int]) -> list[int]:
        sizes.append(len(values))
        return values

    done = list(staged(range(10), [Stage("a", each(int)), Stage("b", act, batch=4)], workers=workers))
    assert len(done) == 10
    assert max(sizes) <= 4
    assert sum(sizes) == 10
    if workers == 0:
        assert sizes == [4, 4, 2]


def test_no_more_items_are_taken_than_there_is_room_for() -> None:
    taken = 0

    def source() -> Iterator[int]:
        nonlocal taken
        for value in range(1000):
            taken += 1
            yield value

    flow = staged(source(), [Stage("a", each(int)), Stage("b", each(int))], workers=2, ahead=5)
    for count in range(1, 50):
        next(flow)
        assert taken == 5 + count
    flow.close()
    assert taken == 54


@WORKERS
def test_closing_stops_the_work_and_leaves_no_thread(workers: int) -> None:
    before = set(threading.enumerate())
    begun: list[int] = []
    flow = staged(range(1000), [Stage("a", each(lambda v: begun.append(v) or v))], workers=workers, ahead=6)
    assert next(flow).value == 0
    flow.close()
    count = len(begun)
    assert count < 10
    assert set(threading.enumerate()) <= before
    assert len(begun) == count


def test_threads_are_gone_when_the_source_of_the_items_fails() -> None:
    before = set(threading.enumerate())

    def source() -> Iterator[int]:
        yield from range(20)
        raise OSError("the disk is gone")

    values = []
    with pytest.raises(OSError, match="disk is gone"):
        values.extend(item.value for item in staged(source(), [Stage("a", each(int))], workers=2, ahead=4))
    assert set(threading.enumerate()) <= before


@WORKERS
def test_nothing_in_nothing_out(workers: int) -> None:
    assert list(staged([], [Stage("a", each(int))], workers=workers)) == []


def test_a_stage_further_along_goes_first() -> None:
    order: list[str] = []

    def note(name: str):  # type: ignore[no-untyped-def]
        return lambda values: order.append(f"{name}{values[0]}") or values

    list(staged(range(3), [Stage("a", note("a")), Stage("b", note("b"))], workers=1, ahead=3))
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]


@pytest.fixture(scope="module")
def pipeline():
    return real_pipeline("arcface+sface")


def test_photos_side_by_side_give_what_they_give_one_after_the_other(pipeline) -> None:
    photos = [astronaut(), group(), hopper(), astronaut(), hopper()]
    alone = [item.result() for item in analyse_photos(pipeline, photos, read_photo, workers=0)]
    beside = [item.result() for item in analyse_photos(pipeline, photos, read_photo, workers=3)]
    assert [len(photo.faces) for photo in alone] == [1, GROUP_SIZE, 1, 1, 1]
    for one, other in zip(alone, beside, strict=True):
        assert one.frame.source == other.frame.source
        for left, right in zip(one.faces, other.faces, strict=True):
            assert np.array_equal(left.crop, right.crop)
            assert np.allclose(left.embedding.vector, right.embedding.vector, atol=1e-6)
    assert all(min(p.timings.decode, p.timings.detect, p.timings.align, p.timings.embed) > 0 for p in beside)


def test_a_photo_that_cannot_be_read_or_is_refused_says_at_which_step(pipeline, tmp_path) -> None:
    gone = tmp_path / "gone.jpg"
    done: list[Done] = list(
        analyse_photos(pipeline, [gone, group(), astronaut()], read_photo, FacePolicy.REFUSE, embed=False, workers=2)
    )
    assert [item.stage for item in done] == ["decode", "detect", ""]
    assert isinstance(done[0].error, KnownError)
    assert "6 faces" in str(done[1].error)
    assert done[2].result().faces[0].embedding is None


def test_a_photo_without_a_face_stays_in_its_place(pipeline) -> None:
    frames = [Frame(np.full((100, 120, 3), 90, np.uint8), "grey"), read_photo(hopper())]
    done = list(analyse_photos(pipeline, frames, lambda frame: frame, workers=2))
    assert [len(item.result().faces) for item in done] == [0, 1]
    assert done[1].result().faces[0].embedding is not None

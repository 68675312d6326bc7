from __future__ import annotations

import pytest

from facegui.jobs import Job, Partial, Progress, run


def counting(log: list[str]) -> Job[int]:
    try:
        for done in range(3):
            yield Progress(done, 3)
        yield Partial("early")
    finally:
        log.append("tidied")
    return 42


def test_a_job_gives_its_result_and_tells_its_progress() -> None:
    log: list[str] = []
    events: list[object] = []
    assert run(counting(log), events.append) == 42
    assert events == [Progress(0, 3), Progress(1, 3), Progress(2, 3), Partial("early")]
    assert log == ["tidied"]


def test_a_listener_that_fails_cancels_the_job_and_lets_it_tidy_up() -> None:
    log: list[str] = []

    def stop(event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(counting(log), stop)
    assert log == ["tidied"]

"""The verb that looks through a camera: watch."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.compare import PANEL, FmrOption, ThresholdOption, check_rate
from facegui.cli.output import MARKS, shown
from facegui.errors import KnownError

if TYPE_CHECKING:
    from facegui.cli.describing import Seen
    from facegui.faces.liveness import LivenessReport
    from facegui.faces.types import Outcome
    from facegui.matching.decision import Rule
    from facegui.services import Services
    from facegui.services.live_values import LiveEvent
    from facegui.sources.camera import FeedStatus

__all__ = ["CameraOption", "camera_source", "seen_by_camera"]

CameraOption = Annotated[
    str | None,
    typer.Option(
        "--camera",
        metavar="SRC",
        help="Name or number of a camera, address of a stream, or a video file. Default: the camera of the settings.",
    ),
]


def camera_source(services: Services, wanted: str | None) -> str:
    """Return what to open: a camera may be named as a person reads it, in part and in any case.

    Raises
    ------
    KnownError
        There is no camera.
    """
    from facegui.sources.camera import list_cameras

    if wanted:
        named = [camera.id for camera in list_cameras() if wanted.casefold() in camera.name.casefold()]
        return named[0] if len(named) == 1 else wanted
    ids = [camera.id for camera in list_cameras()]
    chosen = services.settings.camera
    if chosen in ids or (not ids and chosen):
        return chosen
    if not ids:
        raise KnownError(
            "No camera was found.", "None is connected, or you may not use it.",
            "Connect one, or name a video file or a stream with --camera.",
        )  # fmt: skip
    return ids[0]


def _refuse_failed(status: FeedStatus) -> None:
    """Refuse to wait for a source that never gave a picture.

    Raises
    ------
    KnownError
        The source failed.
    """
    from facegui.sources.camera import FeedState

    if status.state is FeedState.FAILED:
        what, _, rest = status.message.partition(". ")
        raise KnownError(what.rstrip(".") + ".", rest)


_POSES = {
    "frontal": "Look at the camera.", "left": "Turn your head to your left.", "right": "Turn your head to your right.",
    "up": "Lift your chin a little.", "down": "Lower your chin a little.",
}  # fmt: skip


def seen_by_camera(run: Run, services: Services, camera: str, seconds: float, count: int) -> list[Seen]:
    """Guide a person through the poses before a camera, and return the samples.

    Raises
    ------
    KnownError
        The source cannot be opened.
    """
    from facegui.cli.describing import Seen
    from facegui.faces.guide import GuideView
    from facegui.faces.types import Timings
    from facegui.services.live import open_feed
    from facegui.services.live_enrol import Collector, collect

    collector, asked = Collector(services), ""
    with open_feed(services, camera_source(services, camera), loop=False) as feed:
        for news in collect(services, feed, collector, seconds):
            if not isinstance(news, GuideView):
                _refuse_failed(news)
                if news.warning or news.message:
                    run.output.warn(news.warning or news.message)
                continue
            if news.fresh is not None:
                run.output.remark(f"{news.fresh.value} taken, {len(news.taken)} of 5.")
            wanted = _POSES[news.wanted.value] if news.wanted is not None else ""
            if wanted and wanted != asked:
                run.output.remark(wanted)
                asked = wanted
        name = feed.source.name
    return [Seen(name, made.face, made.frame, 1, Timings()) for made in collector.samples(count)]


class Life(StrEnum):
    """Whether a proof of life is wanted; the names are those of `LivenessMode`."""

    OFF = "off"
    OBSERVE = "observe"
    REQUIRE = "require"


@verb(app, "watch", PANEL)
def watch(
    run: Run,
    camera: CameraOption = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="NAME", help="Ask whether it is this enrolled person.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, metavar="S", help="Stop after so many seconds; 0 goes on.")
    ] = 0.0,
    once: Annotated[bool, typer.Option("--once", help="Stop at the first decision.")] = False,
    liveness: Annotated[
        Life | None,
        typer.Option("--liveness", metavar="off|observe|require", help="Proof of life. Default: as the settings say."),
    ] = None,
    threshold: ThresholdOption = None,
    fmr: FmrOption = None,
) -> int:
    """Say who is in front of a camera: one line for each decision and event, until Ctrl+C or the end of the video.

    A decision takes many frames: match, no match, or unsure with the reason when the time is over. With --json each
    line is one JSON document. Exit status 0: somebody matched, 1: everybody was decided not to match, 3: unsure or
    nobody seen.
    """
    check_rate(fmr)
    from facegui.cli.describing import chosen_rule, person_named
    from facegui.faces.liveness import LivenessMode
    from facegui.services.live import LiveSession, comparison_of, follow, open_feed
    from facegui.services.live_values import LiveEventKind, LiveView

    outcomes: dict[int, Outcome] = {}
    with run.services(existing=True) as services:
        run.require_gallery()
        services.warm_up()
        run.show_provider(services)
        run.reembed(services)
        known = person_named(services, person) if person is not None else None
        rule = chosen_rule(services.calibration, threshold, fmr, services.settings.target_fmr)
        mode = LivenessMode(liveness.value) if liveness else None
        session = LiveSession(services, person_id=known.id if known else None, rule=rule, liveness=mode)
        asked = ""
        with open_feed(services, camera_source(services, camera), loop=False) as feed:
            try:
                for news in follow(feed, session, seconds):
                    if not isinstance(news, LiveView):
                        _refuse_failed(news)
                        _say_camera(run, news)
                        continue
                    asked = _ask(run, news.liveness, news.seconds, asked)
                    for event in news.events:
                        _say(run, event, news.rule)
                        if event.kind is LiveEventKind.DECIDED:
                            outcomes[event.face.track.id] = event.face.outcome
                            comparison = comparison_of(services, event.face)
                            if known is not None and comparison is not None:
                                services.record(
                                    comparison, event.face.outcome, rule, feed.source.name,
                                    liveness=event.liveness.summary() if event.liveness is not None else None,
                                )  # fmt: skip
                    if (once and outcomes) or (seconds and news.seconds >= seconds):
                        break
            except KeyboardInterrupt:
                run.output.remark("Stopped.")
    return _status(outcomes)


def _status(outcomes: dict[int, Outcome]) -> int:
    from facegui.cli.describing import STATUS
    from facegui.faces.types import Outcome

    seen = set(outcomes.values())
    for outcome in (Outcome.MATCH, Outcome.UNSURE, Outcome.NO_MATCH):
        if outcome in seen:
            return STATUS[outcome]
    return STATUS[Outcome.UNSURE]


def _say_camera(run: Run, status: FeedStatus) -> None:
    text = status.message or status.warning or f"The camera is {status.state.value}."
    document = {
        "event": "camera", "state": status.state.value, "message": status.message,
        "fault": status.fault.value if status.fault else None, "warning": status.warning,
    }  # fmt: skip
    run.output.line(document, text, "yellow" if status.message or status.warning else "dim")


def _say(run: Run, event: LiveEvent, rule: Rule | None) -> None:
    from facegui.services.live_values import LiveEventKind

    if event.kind is LiveEventKind.DECIDED:
        run.output.line(_document(event, rule), *_decision(event, rule))
        return
    if event.kind is LiveEventKind.LIVENESS:
        report = event.liveness
        color = {"live": "green", "not live": "red"}.get(report.verdict.value, "yellow") if report else "yellow"
        words = f"{report.verdict.value}: {report.reason}" if report else ""
        run.output.line(_document(event, rule), f"{event.seconds:7.2f} s  face {event.face.track.id}  {words}", color)
        return
    what = {LiveEventKind.APPEARED: "appears", LiveEventKind.LEFT: "has left"}[event.kind]
    run.output.line(_document(event, rule), f"{event.seconds:7.2f} s  face {event.face.track.id} {what}", "dim")


def _life(report: LivenessReport) -> dict[str, Any]:
    measured = report.challenge.measured if report.challenge is not None else ()
    return {
        "verdict": report.verdict.value,
        "reason": report.reason,
        "cues": [
            {
                "cue": cue.kind.value, "state": cue.state.value, "value": cue.value, "limit": cue.limit,
                "live_is": "above" if cue.above else "below", "decides": cue.strong,
            }
            for cue in report.cues
        ],
        "movements": [{"movement": name, "share": value} for name, value, _ in measured],
    }  # fmt: skip


def _ask(run: Run, report: LivenessReport | None, seconds: float, asked: str) -> str:
    """Say what the person is to do now, when it changed; return it."""
    view = report.challenge if report is not None else None
    if view is None:
        return asked
    wanted = view.action.value if view.action is not None else view.state.value
    if wanted != asked and wanted not in ("passed", "failed"):
        words = "look at the camera" if view.action is None else wanted
        document = {
            "event": "ask", "seconds": round(seconds, 3), "action": wanted, "done": view.done, "total": view.total,
            "time_left": round(view.left, 2),
        }  # fmt: skip
        run.output.line(document, f"{seconds:7.2f} s  please {words}   ({view.done} of {view.total} done)")
    return wanted


def _decision(event: LiveEvent, rule: Rule | None) -> tuple[str, str]:
    from facegui.cli.describing import similarity_text

    face, fused = event.face, event.face.fused
    words, color = MARKS[face.outcome.value]
    parts = [f"{event.seconds:7.2f} s  face {face.track.id}  {words}"]
    if face.candidate is not None:
        parts.append(f"{shown(face.candidate.name)} {similarity_text(face.candidate.similarity, rule)}")
    if rule is not None:
        parts.append(f"match from {similarity_text(rule.threshold)}")
    parts.append(f"{fused.frames} frames, worth {fused.effective:.1f} independent ones, {fused.seconds:.1f} s")
    if fused.reason:
        parts.append(fused.reason)
    return ", ".join(parts), color


def _document(event: LiveEvent, rule: Rule | None) -> dict[str, Any]:
    from facegui.services.live_values import LiveEventKind

    face, fused = event.face, event.face.fused
    box = face.track.detection.box
    document: dict[str, Any] = {
        "event": event.kind.value,
        "seconds": round(event.seconds, 3),
        "face": face.track.id,
        "age": round(face.track.age, 3),
        "box": {name: round(getattr(box, name), 1) for name in ("x", "y", "width", "height")},
    }
    if event.kind is not LiveEventKind.APPEARED:
        document |= {
            "decision": face.outcome.value,
            "decided": face.decided,
            "state": fused.state.value,
            "person": None if face.candidate is None else face.candidate.name,
            "similarity": None if face.candidate is None else face.candidate.similarity,
            "threshold": None if rule is None else rule.threshold,
            "unsure_from": None if rule is None else rule.unsure_low,
            "next_best": None if face.next_best is None else face.next_best.name,
            "margin": face.margin,
            "frames": fused.frames,
            "effective_frames": fused.effective,
            "evidence": {"value": fused.evidence, "accept": fused.accept, "reject": fused.reject},
            "reason": fused.reason,
            "liveness": None if event.liveness is None else _life(event.liveness),
            "quality": None if face.track.face is None else face.track.face.quality.score,
        }
    return document

"""A live session: frames in, tracks with decisions over time out.

One session serves one source and one question. It is used by one thread at a time; what it returns is frozen.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from facegui.errors import KnownError
from facegui.faces.liveness import LivenessMode, LivenessReport, Verdict
from facegui.faces.liveness_challenge import Challenge, ChallengeLimits
from facegui.faces.liveness_check import CueLimits, LivenessCheck, rigid_points
from facegui.faces.liveness_geometry import DepthLimits
from facegui.faces.liveness_model import PassiveNetwork
from facegui.faces.track import Track, Tracker, TrackLimits
from facegui.faces.types import Face, Frame, Outcome, QualityReason, Timings, Vector
from facegui.gallery.records import TemplateMatrix
from facegui.gallery.search import best_per_person
from facegui.matching.decision import Rule
from facegui.matching.fusion import Evidence, Fused, FusionLimits, Moment, fuse
from facegui.services.chain import network_of
from facegui.services.live_values import LiveEvent, LiveEventKind, LiveTrack, LiveView
from facegui.services.values import Candidate, Comparison
from facegui.sources.camera import CameraFeed, FeedState, FeedStatus
from facegui.sources.picture import PictureLimits

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["LiveSession", "comparison_of", "follow", "open_feed", "table_of"]

_WAIT_SECONDS = 0.25


def open_feed(
    services: Services,
    source: str | int | os.PathLike[str],
    *,
    height: int = 0,
    loop: bool = True,
    on_change: Callable[[], None] | None = None,
) -> CameraFeed:
    """Open a camera, a stream or a video file; bad pictures are told in its status.

    Parameters
    ----------
    services : Services
    source : str, int or path
        As for `CameraFeed`.
    height : int
        Lines wanted; 0 takes those of the settings.
    loop : bool
        Whether a video file starts again at its end.
    on_change : callable, optional
    """
    limits = PictureLimits.from_table(table_of(services, "picture"))
    lines = height or services.settings.camera_height
    rate = services.settings.camera_rate
    return CameraFeed(source, height=lines, rate=rate, loop=loop, on_change=on_change, picture=limits)


def passive_model(services: Services) -> PassiveNetwork | None:
    """Return the passive liveness model that was added, if there is one.

    Raises
    ------
    KnownError
        It is damaged.
    """
    for info in services.catalog.models("liveness"):
        services.catalog.verify(info)
        network = network_of(info, services.settings)
        return PassiveNetwork(info, network, next(iter(network.inputs())))
    return None


def follow(feed: CameraFeed, session: LiveSession, seconds: float = 0.0) -> Iterator[LiveView | FeedStatus]:
    """Take the newest frames of a feed until it ends, is closed, or has given none for too long.

    Parameters
    ----------
    feed : CameraFeed
    session : LiveSession
    seconds : float
        Give up after so long without a frame; 0 waits for a lost camera as long as it takes.

    Yields
    ------
    LiveView or FeedStatus
        A view for each frame that was taken, and the status whenever state or warning changed.
    """
    after, told, last = 0, (FeedState.OPENING, ""), time.monotonic()
    while True:
        got = feed.wait(after, _WAIT_SECONDS)
        status = feed.status
        if (status.state, status.warning) != told:
            told = status.state, status.warning
            yield status
        if got is not None:
            after = got[0]
            yield session.step(got[1])
            last = time.monotonic()
        elif status.state in (FeedState.ENDED, FeedState.CLOSED) or 0 < seconds < time.monotonic() - last:
            return


def comparison_of(services: Services, face: LiveTrack, reference: Face | None = None) -> Comparison | None:
    """Return a live decision as a comparison; None where nobody was compared with.

    Parameters
    ----------
    services : Services
    face : LiveTrack
    reference : Face, optional
        The face that was compared with, instead of a person.
    """
    provider, person = services.provider, face.candidate
    newest = face.similarity
    if (person is None and reference is None) or face.track.face is None or provider is None or newest is None:
        return None
    return Comparison(
        similarity=face.fused.similarity if face.fused.frames else newest,
        left=reference,
        right=face.track.face,
        person_id=person.person_id if person is not None else None,
        person_name=person.name if person is not None else None,
        best_sample_face_id=person.nearest_face_id if person is not None else None,
        next_best=face.next_best,
        margin=face.margin,
        timings=Timings(),
        model=services.model,
        provider=provider,
        calibration=services.calibration,
    )


def table_of(services: Services, name: str) -> dict[str, Any]:
    """Return a table of the manifest.

    Raises
    ------
    KnownError
        There is no such table.
    """
    try:
        table: dict[str, Any] = services.catalog.tables[name]
    except KeyError as error:
        raise KnownError(
            "The list of models is incomplete.", f"manifest.toml lacks {error}.", "Install facegui again."
        ) from error
    return table


@dataclass
class _Memory:
    """What was seen of one track: the frames in the window, and the decision that holds."""

    began: float
    seen: deque[tuple[float, float, tuple[QualityReason, ...], Vector]] = field(default_factory=deque)
    held: Fused | None = None
    person: int | None = None
    newest: LiveTrack | None = None


class LiveSession:
    """Follows the faces of a source and decides on each over time.

    Parameters
    ----------
    services : Services
    person_id : int, optional
        Claimed person. Without it, each face is compared with everybody enrolled.
    reference : Face, optional
        Instead of a person: the face that those before the camera are compared with.
    rule : Rule, optional
        Threshold and unsure band; those of the settings otherwise. May be changed at any time: `rule` is an attribute.
    liveness : LivenessMode, optional
        That of the settings otherwise. With REQUIRE the person in front is asked for movements, and a match counts only
        with the verdict live.
    random : Random, optional
        Draws the movements; the system's generator, which cannot be foretold, otherwise. For tests.
    """

    def __init__(
        self,
        services: Services,
        *,
        person_id: int | None = None,
        rule: Rule | None = None,
        reference: Face | None = None,
        liveness: LivenessMode | None = None,
        random: Random | None = None,
    ) -> None:
        self._services = services
        self.person_id = person_id
        self.reference = reference
        self.rule = rule
        live = table_of(services, "live")
        self._sizes = tuple(int(size) for size in live["search"])
        self._limits = FusionLimits.from_table(table_of(services, "fusion"))
        self._tracking = TrackLimits.from_table(table_of(services, "tracking"))
        self.liveness = LivenessMode(services.settings.liveness) if liveness is None else liveness
        self._random = random
        self._passive = passive_model(services) if self.liveness is not LivenessMode.OFF else None
        self._shrink = float(table_of(services, "enrolment")["template_shrink"])
        self.restart()

    def restart(self) -> None:
        """Forget all tracks and decisions: another person is claimed, or somebody tries again."""
        self._tracker = Tracker(self._tracking)
        self._memories: dict[int, _Memory] = {}
        self._model_id = ""
        self._check: LivenessCheck | None = None
        self._checked = 0
        self._report: LivenessReport | None = None

    def step(self, frame: Frame) -> LiveView:
        """Take the next frame.

        Parameters
        ----------
        frame : Frame
            Its `time` is the clock; frames come in its order.

        Raises
        ------
        KnownError
            A model or the gallery cannot be read.
        """
        start = perf_counter()
        pipeline = self._services.pipeline
        if pipeline.embedder.model_id != self._model_id:
            self.restart()
            self._model_id = pipeline.embedder.model_id
            if self.reference is not None:
                (self.reference,) = pipeline.embed([self.reference])
        found = pipeline.search(frame.pixels, self._sizes)
        visible = self._tracker.update(found, frame.time, lambda chosen: pipeline.look(frame, chosen))
        matrix = self._services.gallery.template_matrix(self._model_id)
        rule = self.rule or self._services.rule()
        events: list[LiveEvent] = []
        fresh = self._live(frame, visible)
        faces = tuple(self._follow(track, frame.time, matrix, rule, events) for track in visible)
        if fresh and faces:
            events.append(LiveEvent(LiveEventKind.LIVENESS, frame.time, faces[0], self._report))
        for track in self._tracker.ended:
            memory = self._memories.pop(track.id, None)
            if memory is not None and memory.newest is not None:
                events.append(LiveEvent(LiveEventKind.LEFT, frame.time, memory.newest))
        spent = (perf_counter() - start) * 1000
        return LiveView(
            frame, frame.time, faces, tuple(events), rule, self._services.calibration, self._model_id, spent,
            self._report, self.reference, self._limits,
        )  # fmt: skip

    def _live(self, frame: Frame, visible: Sequence[Track]) -> bool:
        """Watch the person in front for signs of life; tell whether the verdict is new."""
        if self.liveness is LivenessMode.OFF:
            return False
        before = self._report.verdict if self._report is not None else Verdict.UNDECIDED
        front = visible[0] if visible else None
        if front is not None and (self._check is None or front.id != self._checked):
            # Somebody else is in front: nothing that was seen of the one before speaks for this one.
            self._check, self._checked, self._report = self._new_check(), front.id, None
            before = Verdict.UNDECIDED
        if self._check is None:
            return False
        if front is None:
            self._report = self._check.lost(frame.time)
        elif front.fresh and front.face is not None:
            (face,) = self._services.pipeline.add_dense(frame, [front.face], mirror=False)
            self._report = self._check.add(frame, face)
        return self._report is not None and self._report.verdict not in (before, Verdict.UNDECIDED)

    def _new_check(self) -> LivenessCheck:
        services = self._services
        wanted = self.liveness is LivenessMode.REQUIRE
        limits = ChallengeLimits.from_table(table_of(services, "challenge"))
        return LivenessCheck(
            CueLimits.from_table(table_of(services, "liveness")),
            DepthLimits.from_table(table_of(services, "depth")),
            rigid_points(services.pipeline.mean_head.shape),
            Challenge(limits, self._random) if wanted else None,
            self._passive,
            self._passive.limit if self._passive is not None else None,
        )

    def try_again(self) -> None:
        """Begin a new proof of life, with other movements, and decide anew."""
        self._check, self._report = None, None
        self._memories.clear()

    def _follow(
        self, track: Track, now: float, matrix: TemplateMatrix, rule: Rule | None, events: list[LiveEvent]
    ) -> LiveTrack:
        memory = self._memories.get(track.id)
        appeared = memory is None
        if memory is None:
            memory = self._memories[track.id] = _Memory(track.first)
        face = track.face
        if track.fresh and face is not None and face.embedding is not None:
            memory.seen.append((now, face.quality.score, face.quality.reasons, face.embedding.vector))
        while memory.seen and now - memory.seen[0][0] > self._limits.window:
            memory.seen.popleft()
        candidate, next_best, moments = self._compare(memory, matrix)
        if candidate is not None and candidate.person_id != memory.person:
            # Somebody else leads: what was decided on the one before says nothing of this one.
            memory.person, memory.held = candidate.person_id, None
        calibration = self._services.calibration
        fused = fuse(moments, rule, calibration, self._limits, now=now)
        if fused.state is Evidence.MORE and now - memory.began >= self._limits.timeout:
            fused = replace(fused, state=Evidence.TIMED_OUT)
        fused, report = self._with_life(track, fused)
        decided_now = self._hold(memory, fused)
        shown = LiveTrack(
            track, candidate, next_best, fused, moments,
            memory.held.outcome if memory.held is not None else Outcome.UNSURE, memory.held is not None,
        )  # fmt: skip
        memory.newest = shown
        if appeared:
            events.append(LiveEvent(LiveEventKind.APPEARED, now, shown))
        if decided_now:
            events.append(LiveEvent(LiveEventKind.DECIDED, now, shown, report))
        return shown

    def _with_life(self, track: Track, fused: Fused) -> tuple[Fused, LivenessReport | None]:
        """Let a match wait for the proof of life, where one is required; an attack leaves the answer unsure."""
        if self.liveness is not LivenessMode.REQUIRE or fused.state is not Evidence.ACCEPT:
            return fused, self._report
        report = self._report if track.id == self._checked else None
        if report is not None and report.verdict is Verdict.LIVE:
            return fused, report
        if report is not None and report.verdict is Verdict.ATTACK:
            reason, state = f"the proof of life failed: {report.reason}", Evidence.TIMED_OUT
        else:
            reason, state = "the proof of life is not there yet", Evidence.MORE
        return replace(fused, state=state, outcome=Outcome.UNSURE, reason=reason), report

    def _hold(self, memory: _Memory, fused: Fused) -> bool:
        """Keep a decision until the frames say the opposite; tell whether there is a new one."""
        if fused.state is Evidence.MORE or (fused.state is Evidence.TIMED_OUT and memory.held is not None):
            return False
        before, memory.held = memory.held, fused
        return before is None or before.outcome is not fused.outcome

    def _compare(
        self, memory: _Memory, matrix: TemplateMatrix
    ) -> tuple[Candidate | None, Candidate | None, tuple[Moment, ...]]:
        """Return the candidate, the next best, and the score of each frame.

        A cosine to a template is linear in the embedding, so the score of the weighted mean of the embeddings is the
        weighted mean of the scores.
        """
        if not memory.seen:
            return None, None, ()
        vectors = np.stack([vector for _, _, _, vector in memory.seen])
        weights = np.array([max(weight, 1e-6) for _, weight, _, _ in memory.seen], np.float32)
        nobody = tuple(Moment(when, float("nan"), weight, why) for when, weight, why, _ in memory.seen)
        if self.reference is not None and self.reference.embedding is not None:
            each = np.clip(vectors @ self.reference.embedding.vector, -1.0, 1.0).tolist()
            return None, None, tuple(replace(m, similarity=s) for m, s in zip(nobody, each, strict=True))
        if not matrix.people.size or matrix.vectors.shape[1] != vectors.shape[1]:
            return None, None, nobody
        mean = (weights @ vectors / weights.sum()).astype(np.float32)
        scores = best_per_person(matrix, mean, shrink=self._shrink)
        everyone = scores.person_ids.tolist()
        if self.person_id is not None and self.person_id not in everyone:
            return None, None, nobody
        place = everyone.index(self.person_id) if self.person_id is not None else 0
        other = next((n for n in range(len(everyone)) if n != place), None)

        def candidate(n: int) -> Candidate:
            person = everyone[n]
            samples = int(np.count_nonzero(matrix.person_ids == person))
            score = float(np.clip(scores.scores[n], -1.0, 1.0))
            return Candidate(person, matrix.names[person], score, int(scores.face_ids[n]), samples)

        row = int(np.flatnonzero(matrix.people == everyone[place])[0])
        template = matrix.means[row] * matrix.agreement[row] ** np.float32(self._shrink)
        each = np.clip(vectors @ template, -1.0, 1.0).tolist()
        moments = tuple(
            Moment(when, score, weight, why) for (when, weight, why, _), score in zip(memory.seen, each, strict=True)
        )
        return candidate(place), candidate(other) if other is not None else None, moments

"""What there is to ask about people in photos, one question after the other, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from facegui.gallery.records import Change
from facegui.gui import theme
from facegui.gui.bridge import Bridge, Task
from facegui.gui.pages.people_undo import UndoStack
from facegui.jobs import Job, Partial
from facegui.lookalikes.audit import Finding
from facegui.services.auditing import dismiss
from facegui.services.people import GroupSummary, group_faces
from facegui.services.review import GroupCheck, Open, check_faces, confirm_group, name_faces, open_questions

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Ask", "Question", "ReviewQueue"]


_PAUSE: Final = 15.0
"""Seconds of reading photos between two looks at who is in them, at least."""


class Ask(StrEnum):
    """Kinds of questions."""

    WHO = "who is this"
    MORE = "new photos of somebody known"
    MERGE = "are these one person"
    HIDDEN = "a stranger who is not shown"
    THEIRS = "all photos of somebody known"


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes
    ----------
    ask : Ask
    group : int
        The cluster in question.
    other : int or None
        For `MERGE`: the other one.
    similarity : float or None
        For `MERGE`: how similar the two are.
    """

    ask: Ask
    group: int
    other: int | None = None
    similarity: float | None = None

    @property
    def key(self) -> tuple[Ask, int, int | None]:
        """What makes it the same question after the groups were read again."""
        return self.ask, self.group, self.other


class ReviewQueue(QObject):
    """Reads the questions, stores the answers, and has the faces grouped in the background.

    Attributes
    ----------
    open : Open
        What there is to ask, as it was read last.
    read : bool
        Whether that was read yet.
    returned : Question or None
        The question whose answer was taken back, until it is asked again.

    Signals
    -------
    changed
        There are other questions now, or another number of them.
    answered(Change)
        An answer was stored or taken back: the gallery differs.
    undoOffered(str, object)
        Words of an answer, and a callable that takes it back.
    undone(str)
        What was taken back.
    failed(object)
        The exception.
    """

    changed = Signal()
    answered = Signal(object)
    undoOffered = Signal(str, object)
    undone = Signal(str)
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, undos: UndoStack, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._undos = services, bridge, undos
        self.open = Open()
        self.read = False
        self._passed: set[tuple[Ask, int, int | None]] = set()
        self._given: list[Question] = []
        self.returned: Question | None = None
        self._grouped_at: object = None
        self._task: Task | None = None
        self._later = QTimer(self, singleShot=True, interval=theme.time("rest"))
        self._later.timeout.connect(self.refresh)

    # --- reading and grouping -----------------------------------------------------------------------------

    @property
    def grouping(self) -> bool:
        """Whether the faces are being grouped."""
        return self._task is not None and not self._task.finished

    def questions(self, ask: Ask) -> list[Question]:
        """Return the questions of a kind that are still to be answered in this pass."""
        known = self.open
        made = {
            Ask.WHO: [Question(ask, one.id) for one in known.unknown],
            Ask.MORE: [Question(ask, one.id) for one in known.known],
            Ask.MERGE: [Question(ask, one.one, one.other, one.similarity) for one in known.merges],
            Ask.HIDDEN: [Question(ask, one.id) for one in known.hidden],
        }.get(ask, [])
        return [question for question in made if question.key not in self._passed]

    @property
    def skipped(self) -> bool:
        """Whether there are questions that were skipped in this pass."""
        known = self.open
        total = len(known.unknown) + len(known.known) + len(known.merges)
        return total > sum(len(self.questions(ask)) for ask in (Ask.WHO, Ask.MORE, Ask.MERGE))

    def begin(self) -> None:
        """Ask again what was skipped."""
        self._passed.clear()
        self.returned = None
        self.changed.emit()

    def refresh(self) -> None:
        """Read the questions anew."""
        self._bridge.run(self, lambda: open_questions(self._services), self._take, self.failed.emit, newest="questions")

    def group(self) -> None:
        """Put new faces to the others in the background, if any came since the last time; then read the questions."""
        if self.grouping:
            return
        self._run(self._if_needed(), self.tr("Looking for people"))

    def add_folders(self, folders: Sequence[Path]) -> None:
        """Read photos, then see who is in them."""
        self._run(self._read_and_group(tuple(folders)), self.tr("Reading photos"))

    def _run(self, job: Job[GroupSummary | None], title: str) -> None:
        self._task = self._bridge.start(
            self, job, on_done=self._grouped, on_error=self._not_grouped, on_cancelled=self.refresh,
            on_partial=self._take_some, newest="group", title=title,
        )  # fmt: skip
        self.changed.emit()

    def _if_needed(self) -> Job[GroupSummary | None]:
        gallery = self._services.gallery
        stamp = (self._services.model.id, gallery.stamp()[:4])
        if gallery.read_only or self._services.calibration is None or stamp == self._grouped_at:
            return None
        summary = yield from group_faces(self._services)
        self._grouped_at = stamp
        return summary

    def _read_and_group(self, folders: tuple[Path, ...]) -> Job[GroupSummary | None]:
        """Read photos, and group their faces now and then meanwhile, at most for a tenth of the time."""
        pause, last = _PAUSE, monotonic()
        with closing(self._services.index(folders)) as reading:
            for event in reading:
                yield event
                if isinstance(event, Partial) and monotonic() - last > pause:
                    start = monotonic()
                    for _ in group_faces(self._services):
                        pass
                    last = monotonic()
                    pause = max(_PAUSE, 10 * (last - start))
                    yield Partial(None)
        return (yield from group_faces(self._services))

    def _take_some(self, found: object) -> None:
        """While photos are read: ask about those that were grouped already."""
        if found is None:
            self.refresh()

    def _grouped(self, summary: GroupSummary | None) -> None:
        self._task = None
        if summary is not None:
            self._passed.clear()
            self.answered.emit(Change(everything=True))
        self.refresh()

    def _not_grouped(self, error: Exception) -> None:
        self._task = None
        self.failed.emit(error)
        self.refresh()

    def _take(self, found: Open) -> None:
        self._later.stop()
        self.open, self.read = found, True
        self.changed.emit()

    def _take_quickly(self, found: Open) -> None:
        """Take the groups as they are after an answer; pairs that may be one take longer and are looked for later."""
        merges = tuple(one for one in self.open.merges if {one.one, one.other} <= found.groups.keys())
        self.open = replace(found, merges=merges)
        self._later.start()
        self.changed.emit()

    # --- answers ------------------------------------------------------------------------------------------

    def check(self, name: str, face_ids: Sequence[int], on_done: Callable[[GroupCheck], object]) -> None:
        """See whether anything is to be known before faces become somebody's."""
        self._bridge.run(
            self, lambda: check_faces(self._services, name, face_ids), on_done, self.failed.emit, newest="check"
        )

    def check_group(self, name: str, group: int, on_done: Callable[[GroupCheck], object]) -> None:
        """See whether anything is to be known before a group becomes somebody's."""
        services = self._services
        self._bridge.run(
            self, lambda: check_faces(services, name, services.gallery.cluster_faces(group)), on_done,
            self.failed.emit, newest="check",
        )  # fmt: skip

    def confirm(self, question: Question, name: str) -> None:
        """Say who a group is."""
        self._answer(question, lambda: confirm_group(self._services, question.group, name))

    def accept(self, question: Question) -> None:
        """Say yes."""
        gallery = self._services.gallery
        match question.ask:
            case Ask.MORE:
                faces = self.open.unconfirmed.get(question.group, ())
                self._answer(question, lambda: gallery.confirm_faces(faces))
            case Ask.MERGE:
                self._answer(question, lambda: gallery.join_clusters(question.group, [question.other or 0]))
            case Ask.HIDDEN:
                self._answer(question, lambda: gallery.hide_clusters([question.group], hidden=False))
            case _:
                raise ValueError(question.ask)

    def confirm_faces(self, question: Question, faces: Sequence[int]) -> None:
        """Say that all faces of a group are rightly there."""
        self._answer(question, lambda: self._services.gallery.confirm_faces(faces))

    def refuse(self, question: Question, faces: Sequence[int] = ()) -> None:
        """Say no: to some faces, which leave the group, or to the whole question."""
        gallery = self._services.gallery
        if faces:
            self._answer(question, lambda: gallery.reject_faces(faces), closes=False)
        elif question.ask is Ask.MORE:
            waiting = self.open.unconfirmed.get(question.group, ())
            self._answer(question, lambda: gallery.reject_faces(waiting))
        elif question.ask is Ask.MERGE:
            self._answer(question, lambda: gallery.keep_apart(question.group, question.other or 0))
        else:
            raise ValueError(question.ask)

    def skip(self, question: Question) -> None:
        """Leave a question for another time."""
        if question.ask is Ask.WHO:
            self._answer(question, lambda: self._services.gallery.postpone_clusters([question.group]))
        else:
            self._passed.add(question.key)
            self.changed.emit()

    def hide(self, question: Question) -> None:
        """Say that these are strangers whom nobody need look at."""
        self._answer(question, lambda: self._services.gallery.hide_clusters([question.group]))

    def split(self, question: Question, faces: Sequence[int]) -> None:
        """Take faces out into a group of their own."""
        self._answer(question, lambda: self._services.gallery.split(faces)[1], closes=False)

    def move(self, question: Question, faces: Sequence[int], name: str) -> None:
        """Say whose faces some of a group are."""
        self._answer(question, lambda: name_faces(self._services, faces, name), closes=False)

    def join(self, into: int, other: int) -> None:
        """Say that two groups are one person."""
        self._answer(Question(Ask.WHO, other), lambda: self._services.gallery.join_clusters(into, [other]))

    def dismiss(self, finding: Finding) -> None:
        """Say that a finding of the audit is none."""
        self._answer(Question(Ask.THEIRS, -1), lambda: dismiss(self._services, finding), closes=False)

    def undo(self) -> None:
        """Take the last answer back, also one from before the program was started."""

        def done(change: Change | None) -> None:
            if change is None:
                self.undone.emit(self.tr("There is nothing to undo."))
                return
            if self._given:
                self.returned = self._given.pop()
                self._passed.discard(self.returned.key)
            self.undone.emit(change.text)
            self._after(change)
            if self.returned is not None and self.returned.ask is Ask.MERGE:
                self.refresh()

        def failed(error: Exception) -> None:
            if self._given:
                self._given.pop()
            self.failed.emit(error)
            self.refresh()

        self._bridge.run(self, lambda: self._services.gallery.undo_review(), done, failed, lane="write")

    def _answer(self, question: Question, write: Callable[[], Change], *, closes: bool = True) -> None:
        self.returned = None
        if question.ask is Ask.MERGE:
            left = tuple(one for one in self.open.merges if (one.one, one.other) != (question.group, question.other))
            self.open = replace(self.open, merges=left)
        if closes:
            self._passed.add(question.key)
            self.changed.emit()

        def done(change: Change) -> None:
            self._given.append(question)
            self.undoOffered.emit(change.text, self._undos.put(self.undo))
            self._after(change)

        def failed(error: Exception) -> None:
            self._passed.discard(question.key)
            self.returned = question
            self.failed.emit(error)
            self.refresh()

        self._bridge.run(self, write, done, failed, lane="write")

    def _after(self, change: Change) -> None:
        self.answered.emit(change)
        self._bridge.run(
            self, lambda: open_questions(self._services, merges=False), self._take_quickly, self.failed.emit,
            newest="questions",
        )  # fmt: skip

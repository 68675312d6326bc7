"""Runs the comparisons of the Verify page off the UI thread, and writes those worth keeping into the history."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.gui.bridge import Bridge, Task
from facegui.gui.pages.verify_asking import Answer, Question, Recorded, Settling, ask
from facegui.matching.decision import Outcome, Rule, decide
from facegui.services.evidence import Looks, card_of, photo_card_of

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Comparing"]


class Comparing(QObject):
    """One question about photos at a time, the newest; live decisions are only written down here.

    Signals
    -------
    answered(Answer)
        The newest question about photos was answered.
    refused(object)
        A question could not be answered: the exception.
    workingChanged
        A question about photos begins or ends.
    kept
        A decision was written into the history.
    """

    answered = Signal(object)
    refused = Signal(object)
    workingChanged = Signal()
    kept = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._owner = parent
        self._task: Task | None = None
        self._settling, self._recorded = Settling(), Recorded()
        self.looks = Looks()
        self.read_only = False

    @property
    def working(self) -> bool:
        """Tell whether a question about photos is being answered."""
        return self._task is not None

    def ask(self, question: Question | None) -> None:
        """Answer a question about photos; one that is still being answered counts no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if question is not None:
            self._task = self._bridge.run(
                self, partial(ask, self._services, question), self._done, self._failed, lane="analyse", newest="ask"
            )
        self.workingChanged.emit()

    def restart(self) -> None:
        """Another claim or source: the next decision is news again, and no crop of the one before belongs to it."""
        self._settling.reset()
        self.looks = Looks()

    def face_missing(self) -> bool:
        """Take note of a live frame without a face; tell whether none was seen for a while."""
        now = time.monotonic()
        self._settling.add(None, now)
        return self._settling.lost(now)

    def keep_if_settled(self, answer: Answer, outcome: Outcome | None, rule: Rule | None) -> None:
        """Write a live decision down once it has held for a while."""
        if self._settling.add(outcome, time.monotonic()):
            self._keep(answer, rule)

    def keep_if_new(self, answer: Answer, rule: Rule | None) -> None:
        """Write the decision on photos down, unless it was just written."""
        if answer.comparison is not None and self._recorded.is_new(answer.question, answer.comparison.similarity):
            self._keep(answer, rule)

    def _keep(self, answer: Answer, rule: Rule | None) -> None:
        comparison, question = answer.comparison, answer.question
        if rule is None or comparison is None or self.read_only or not self._services.settings.keep_history:
            return
        view, live = answer.view, answer.live
        outcome, life, card = decide(comparison.similarity, rule), None, None
        if view is not None and live is not None:
            outcome = view.outcome(live, rule)
            life = view.liveness.summary() if view.liveness is not None else None
            if self._services.settings.keep_evidence:
                model, provider = comparison.model.title, comparison.provider.active
                card = card_of(live, view, rule, self.looks.best(), model, provider)
        elif self._services.settings.keep_evidence:
            card = photo_card_of(comparison, rule)
        self._bridge.run(
            self._owner,
            lambda: self._services.record(
                comparison,
                outcome,
                rule,
                question.probe_source,
                question.claim_source,
                life,
                card.to_bytes() if card is not None else None,
            ),
            lambda _key: self.kept.emit(),
            lane="write",
        )

    def _done(self, answer: Answer) -> None:
        self._task = None
        self.workingChanged.emit()
        self.answered.emit(answer)

    def _failed(self, error: Exception) -> None:
        self._task = None
        self.workingChanged.emit()
        self.refused.emit(error)

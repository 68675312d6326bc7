"""What the inspector shows of a comparison: why, how good, how long, on what, and what was decided before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QObject

from facegui.faces.liveness import LivenessReport
from facegui.faces.types import Face, Image, Quality, Timings
from facegui.gallery.records import DecisionRecord
from facegui.gui.pages.verify_card import EvidenceWindow
from facegui.gui.pages.verify_look import LookView
from facegui.gui.pages.verify_session import cue_rows
from facegui.gui.widgets.decision_badge import outcome_role, outcome_word
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import button
from facegui.gui.widgets.photo_marks import quality_text
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, Rule, explain
from facegui.matching.wording import format_limit, format_similarity

if TYPE_CHECKING:
    from facegui.services import Comparison, Services
    from facegui.services.live_values import LiveTrack

__all__ = ["HISTORY_LENGTH", "Evidence"]

HISTORY_LENGTH = 6
_ROLES = {"match": "good", "no_match": "problem", "unsure": "warning"}
_SIGNS = {Outcome.MATCH: "✓", Outcome.UNSURE: "?", Outcome.NO_MATCH: "✕"}
_NONE = "–"

Rows = list[tuple[str, str] | tuple[str, str, str]]


class Evidence(QObject):
    """Fills the inspector. Every section is there from the start, so nothing moves when values arrive."""

    def __init__(self, panel: InspectorPanel, services: Services) -> None:
        super().__init__(panel)
        self._panel, self._services = panel, services
        self._rows: dict[str, Rows] = {}
        self._decisions: Sequence[DecisionRecord] = ()
        self.look = LookView()
        self._set(self.tr("Decision"), self._decision(None, None))
        panel.set_widget(self.tr("This look"), self.look)
        self.show_liveness(None)
        self.show_comparison(None, None, None)
        self.show_history((), None)
        self.show_program()

    def show_comparison(self, comparison: Comparison | None, rule: Rule | None, claim_quality: Quality | None) -> None:
        """Show why a comparison came out as it did; None empties the values."""
        self._set(self.tr("Decision"), self._decision(comparison, rule))
        self._set(self.tr("Quality"), self._quality(comparison, claim_quality))
        self._set(self.tr("Time"), self._time(comparison.timings if comparison else None))

    def show_look(self, shown: LiveTrack | None, crops: Sequence[Image], rule: Rule | None) -> None:
        """Show the frames behind a live decision."""
        self.look.show_look(shown, crops, rule)

    def show_liveness(self, report: LivenessReport | None) -> None:
        """Show the cues of the proof of life; nothing where none is wanted."""
        if self._services.settings.liveness != "off" or report is not None:
            self._set(self.tr("Proof of life"), cue_rows(report))

    def show_program(self) -> None:
        """Show the model, what it runs on, and its calibration."""
        model, report = self._services.model, self._services.provider
        rows: Rows = [(self.tr("Name"), model.title)]
        if report is None:
            rows.append((self.tr("Runs on"), self.tr("loading…")))
        else:
            where = report.active if report.device in ("", report.active) else f"{report.active}: {report.device}"
            rows += [(self.tr("Runs on"), where), (self.tr("Why"), report.reason)]
            if report.warning:
                rows.append((self.tr("Problem"), report.warning, "warning"))
        self._set(self.tr("Model"), rows)
        self._set(self.tr("Calibration"), self._calibration(self._services.calibration))

    def show_history(self, decisions: Sequence[DecisionRecord], name: str | None) -> None:
        """Show the newest decisions, on a person if `name` is given; the section is named after them."""
        self._decisions = decisions
        self._panel.remove(self.tr("Kept evidence"))
        if any(entry.has_evidence for entry in decisions):
            self._panel.set_widget(self.tr("Kept evidence"), button(self.tr("Show the evidence…"), self.open_cards))
        rows: Rows = []
        if not self._services.settings.keep_history:
            rows = [("", self.tr("The history is switched off in the settings."), "muted")]
        elif not decisions:
            rows = [("", self.tr("No decision yet."), "muted")]
        for entry in decisions:
            words = f"{_SIGNS[entry.outcome]} {outcome_word(entry.outcome)} {format_similarity(entry.similarity)}"
            if name is None:
                words = f"{words}\n{entry.person_name or self.tr('two photos')}"
            rows.append((self._moment(entry.time), words, _ROLES[outcome_role(entry.outcome)]))
        if name is not None:
            rows.insert(0, (self.tr("Person"), name))
        self._set(self.tr("History"), rows)

    def open_cards(self) -> EvidenceWindow:
        """Open the cards that were kept with the decisions shown."""
        window = EvidenceWindow(self._services, self._decisions, self._panel.window())
        window.open()
        return window

    def _set(self, section: str, rows: Rows) -> None:
        if self._rows.get(section) != rows:
            self._rows[section] = rows
            self._panel.set_rows(section, rows)

    def _decision(self, comparison: Comparison | None, rule: Rule | None) -> Rows:
        probability, margin = _NONE, _NONE
        if comparison is not None:
            said = explain(comparison.similarity, rule, comparison.calibration)
            probability = said.probability or self.tr("unknown: the model is not calibrated")
            margin = self._margin(comparison)
        return [(self.tr("Probability"), probability), (self.tr("Margin"), margin)]

    def _margin(self, comparison: Comparison) -> str:
        if comparison.person_id is None:
            return self.tr("only against a person")
        if comparison.next_best is None or comparison.margin is None:
            return self.tr("nobody else is enrolled")
        other = f"{comparison.next_best.name} ({format_similarity(comparison.next_best.similarity)})"
        amount = format_similarity(abs(comparison.margin))
        if comparison.margin < 0:
            return self.tr("{0} below {1}").format(amount, other)
        return self.tr("{0} above {1}, the next best").format(amount, other)

    def _quality(self, comparison: Comparison | None, claim: Quality | None) -> Rows:
        left: Face | None = comparison.left if comparison else None
        qualities = (
            (self.tr("Left"), left.quality if left else claim),
            (self.tr("Right"), comparison.right.quality if comparison else None),
        )
        rows: Rows = []
        for side, quality in qualities:
            if quality is None or comparison is None:
                rows.append((side, _NONE))
                continue
            words = f"{quality_text(quality)} ({quality.score:.2f})"
            size = self.tr("eyes {0} px apart").format(round(quality.eye_distance))
            rows.append((side, f"{words}\n{size}", "warning" if quality.reasons else ""))
        return rows

    def _time(self, timings: Timings | None) -> Rows:
        if timings is None:
            return [(self.tr("Together"), _NONE), (self.tr("Steps"), _NONE)]
        steps = self.tr("read {0}, find {1}, align {2}, embed {3}").format(
            *(_short(value) for value in (timings.decode, timings.detect, timings.align, timings.embed))
        )
        return [(self.tr("Together"), self.tr("{0} ms").format(_short(timings.total))), (self.tr("Steps"), steps)]

    def _calibration(self, calibration: Calibration | None) -> Rows:
        if calibration is None:
            return [("", self.tr("This model is not calibrated: no threshold has a known meaning."), "warning")]
        size = self.tr("{0} people; {1} genuine pairs, {2} of strangers").format(
            f"{calibration.people:,}", f"{calibration.genuine_pairs:,}", f"{calibration.impostor_pairs:,}"
        )
        return [
            (self.tr("Measured on"), calibration.source),
            (self.tr("Size"), size),
            (self.tr("Can claim"), self.tr("{0}, nothing rarer").format(format_limit(calibration.smallest_claim))),
            (self.tr("Holds for"), self.tr("faces that look at the camera")),
        ]

    def _moment(self, moment: datetime | None) -> str:
        if moment is None:
            return ""
        local = moment.astimezone()
        pattern = "HH:mm:ss" if local.date() == datetime.now().astimezone().date() else "d MMM HH:mm"
        return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(local.timestamp())), pattern)


def _short(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"

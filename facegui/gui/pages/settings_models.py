"""The models: licence, size, accuracy and speed of each, which one is in use, and what it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from facegui.faces.catalog import ModelInfo
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.widgets.empty_state import Drawing
from facegui.gui.widgets.parts import button, card, column, label, row
from facegui.jobs import Job, Partial, Progress
from facegui.matching.wording import EN_DASH, format_similarity

if TYPE_CHECKING:
    from facegui.faces.session import ProviderReport
    from facegui.services import Services

__all__ = ["Accuracy", "ModelsPanel", "ProviderPanel", "accuracy_of"]

SHOWN_FMR: Final = 1e-3
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a calibration says at 1 stranger in 1,000: share of the same person's pairs that are missed."""

    condition: str
    fnmr: float
    low: float
    high: float
    threshold: float
    people: int
    source: str


def accuracy_of(model: ModelInfo) -> tuple[Accuracy, ...]:
    """Return the accuracy of a model under each condition that it is calibrated for."""
    from facegui.matching.tables import from_table

    found = []
    for condition, table in model.calibrations.items():
        calibration = from_table(table)
        threshold = calibration.threshold_for(SHOWN_FMR)
        rate = calibration.fnmr_at(threshold)
        found.append(
            Accuracy(condition, rate.value, rate.low, rate.high, threshold, calibration.people, calibration.source)
        )
    return tuple(found)


def time_models(services: Services) -> Job[int]:
    """Measure each embedder; a `Partial` of (id, milliseconds per face) for each."""
    models = services.catalog.models("embedder")
    yield Progress(0, len(models))
    for done, model in enumerate(models, start=1):
        yield Partial((model.id, services.time_model(model.id)))
        yield Progress(done, len(models), model.title)
    return len(models)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


class _Fact(QWidget):
    """A name above a value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = label(name, "small")
        self.value = label(EN_DASH, "emphasis")
        self.value.setFont(theme.font("emphasis", tabular=True))
        self.more = label("", "small")
        self.setLayout(column(self.name, self.value, self.more, None, gap=""))

    def show_value(self, value: str, more: str = "") -> None:
        """Show a value and a line below it."""
        self.value.setText(value)
        self.more.setText(more)
        self.value.setAccessibleName(f"{self.name.text()}: {value} {more}".strip())


class ModelCard(QFrame):
    """One embedder.

    Signals
    -------
    use_wanted(str)
        Id of the model.
    """

    use_wanted = Signal(str)

    def __init__(self, model: ModelInfo) -> None:
        super().__init__()
        theme.set_role(self, "card")
        self.model = model
        self.use = button(self.tr("Use"), lambda: self.use_wanted.emit(model.id))
        self.use.setAccessibleName(self.tr("Use {0}").format(model.title))
        self._in_use = QWidget()
        sign = Drawing("check", "match")
        sign.setFixedSize(theme.size("badge"), theme.size("badge"))
        self._in_use.setLayout(row(sign, label(self.tr("In use"), "good"), gap="half"))
        head = row(label(model.title, "emphasis"), None, self._in_use, self.use)
        self.facts = {
            "frontal": _Fact(self.tr("Missed, frontal")), "profile": _Fact(self.tr("Missed, one turned")),
            "threshold": _Fact(self.tr("Threshold")), "speed": _Fact(self.tr("Speed here")),
            "size": _Fact(self.tr("File")),
        }  # fmt: skip
        self.facts["size"].show_value(
            self.tr("{0} MB").format(f"{model.size_bytes / MEGABYTE:.1f}"),
            self.tr("{0} numbers per face").format(model.dimension),
        )
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.size("unit"))
        for place, fact in enumerate(self.facts.values()):
            grid.addWidget(fact, 0, place)
            grid.setColumnStretch(place, 1)
        summary, _stop, rest = model.notes.partition(". ")
        self._words = label(summary.rstrip(".") + ".", "muted", wrap=True)
        legal = self.tr("Licence: {0}. Trained on: {1}. From: {2}.").format(
            model.licence or EN_DASH, (model.training_data or EN_DASH).rstrip("."), model.source or EN_DASH
        )
        small = label(f"{legal} {rest}".strip(), "small", wrap=True, selectable=True)
        layout = column(gap="unit")
        edge = 2 * theme.size("unit")
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.addLayout(head)
        layout.addWidget(self._words)
        layout.addLayout(grid)
        layout.addWidget(small)
        self.setLayout(layout)
        self.setAccessibleName(model.title)

    def set_in_use(self, in_use: bool) -> None:
        """Mark the model that answers now."""
        self._in_use.setVisible(in_use)
        self.use.setVisible(not in_use)
        self.setAccessibleDescription(self.tr("In use") if in_use else "")

    def show_accuracy(self, accuracy: tuple[Accuracy, ...]) -> None:
        """Show what the calibrations say."""
        for item in accuracy:
            fact = self.facts.get(item.condition)
            if fact is not None:
                span = f"{item.low * 100:.1f}{EN_DASH}{item.high * 100:.1f}"
                fact.show_value(_percent(item.fnmr), self.tr("{0} %").format(span))
                fact.setToolTip(self.tr("95 % interval {0} %; threshold {1}; {2}").format(
                    span, format_similarity(item.threshold), item.source))  # fmt: skip
            if item.condition == "frontal":
                self.facts["threshold"].show_value(format_similarity(item.threshold), self.tr("at 1 in 1,000"))
        if not accuracy:
            self.facts["frontal"].show_value(self.tr("unknown"), self.tr("not calibrated"))

    def show_speed(self, milliseconds: float) -> None:
        """Show how long one face takes."""
        self.facts["speed"].show_value(self.tr("{0} ms").format(f"{milliseconds:.1f}"), self.tr("per face"))


class ModelsPanel(QWidget):
    """All models.

    Signals
    -------
    use_wanted(str)
        The user wants another embedder.
    """

    use_wanted = Signal(str)

    def __init__(self, services: Services, bridge: Bridge) -> None:
        super().__init__()
        self._services, self._bridge = services, bridge
        self._explain = label("", "muted", wrap=True)
        self.cards = {model.id: ModelCard(model) for model in services.catalog.models("embedder")}
        for item in self.cards.values():
            item.use_wanted.connect(self.use_wanted)
        self._timing = button(self.tr("Measure the speed"), self._time)
        self._check = button(self.tr("Check the files"), self._verify)
        self._result = label("", "muted", wrap=True)
        actions = QWidget()
        layout = row(self._timing, self._check)
        layout.addWidget(self._result, 1)
        actions.setLayout(layout)
        self.setLayout(column(self._explain, *self.cards.values(), self._others(), actions))
        self.refresh()
        models = tuple(item.model for item in self.cards.values())
        bridge.run(self, lambda: {model.id: accuracy_of(model) for model in models}, self._show_accuracy)

    def _others(self) -> QFrame:
        lines: list[QWidget | str | None] = []
        words = {"detector": self.tr("finds faces"), "landmarks": self.tr("finds points of a face"),
                 "liveness": self.tr("tells a face from its picture")}  # fmt: skip
        for model in self._services.models():
            if model.role != "embedder":
                text = self.tr("{0} {1}. Licence: {2}. Trained on: {3}. {4} MB.").format(
                    model.title, words.get(model.role, model.role), model.licence or EN_DASH,
                    (model.training_data or EN_DASH).rstrip("."), f"{model.size_bytes / MEGABYTE:.1f}",
                )  # fmt: skip
                lines.append(label(text, "small", wrap=True, selectable=True))
        return card(*lines, margin="unit")

    def refresh(self) -> None:
        """Show which model is in use."""
        for model_id, item in self.cards.items():
            item.set_in_use(model_id == self._services.model.id)

    def _show_accuracy(self, found: dict[str, tuple[Accuracy, ...]]) -> None:
        people: list[Accuracy] = []
        for model_id, accuracy in found.items():
            self.cards[model_id].show_accuracy(accuracy)
            people += accuracy
        if people:
            text = self.tr("Missed: pairs of the same person below the threshold that lets 1 stranger in 1,000 pass, "
                           "with the 95 % interval. Measured on {0} people ({1}).")  # fmt: skip
            self._explain.setText(text.format(people[0].people, people[0].source))

    def _time(self) -> None:
        self._timing.setEnabled(False)
        self._bridge.start(
            self, time_models(self._services), on_partial=lambda found: self.cards[found[0]].show_speed(found[1]),
            on_done=lambda _count: self._timing.setEnabled(True), on_error=self._timing_failed,
            on_cancelled=lambda: self._timing.setEnabled(True), title=self.tr("Measuring the models"),
        )  # fmt: skip

    def _timing_failed(self, error: Exception) -> None:
        self._timing.setEnabled(True)
        self._say(str(error), "problem")

    def _verify(self) -> None:
        models = self._services.models()

        def check() -> int:
            for model in models:
                self._services.catalog.verify(model)
            return len(models)

        self._bridge.run(
            self, check,
            lambda count: self._say(self.tr("✓ All {0} files are what they should be.").format(count), "good"),
            lambda error: self._say(str(error), "problem"), newest="verify",
        )  # fmt: skip

    def _say(self, text: str, role: str) -> None:
        self._result.setText(text)
        theme.set_role(self._result, role)

    def result(self) -> QLabel:
        """Return the line that says how a check ended."""
        return self._result


class ProviderPanel(QFrame):
    """What the networks really run on, why, and what to do where that is not what was wanted."""

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "card")
        self._sign = Drawing("processor", "accent")
        self._sign.setFixedSize(theme.size("control"), theme.size("control"))
        self._title = label("", "emphasis")
        self._reason = label("", "muted", wrap=True)
        words = column(self._title, self._reason, gap="half")
        layout = row(self._sign, margin="unit")
        edge = 2 * theme.size("unit")
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(edge)
        layout.addLayout(words, 1)
        self.setLayout(layout)
        self.show_report(None)

    def show_report(self, report: ProviderReport | None) -> None:
        """Show where the networks run; None while they are being loaded."""
        if report is None:
            self._title.setText(self.tr("Runs on: loading…"))
            self._reason.setText("")
            return
        self._title.setText(self.tr("Runs on {0}: {1}").format(report.active, report.device))
        self._reason.setText(report.warning or report.reason)
        theme.set_role(self._reason, "warning" if report.warning else "muted")
        icon = "warning" if report.warning else "processor" if report.active == "CPU" else "graphics"
        self._sign.set_name(icon, "unsure" if report.warning else "accent")

    def show_problem(self, text: str) -> None:
        """Say that the models cannot be loaded."""
        self._title.setText(self.tr("The models cannot be loaded"))
        self._reason.setText(text)
        theme.set_role(self._reason, "problem")
        self._sign.set_name("warning", "no_match")

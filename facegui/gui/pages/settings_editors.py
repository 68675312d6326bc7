"""One editor for each kind of setting; all give the same signal and take the same values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QObject, QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from facegui.gui import theme
from facegui.gui.widgets.no_wheel import keep_wheel
from facegui.settings import Choice, SettingInfo

__all__ = ["ChoiceEditor", "Editor", "NumberEditor", "RateEditor", "SwitchEditor", "TextEditor", "editor_for"]

RATES: Final = ("target_fmr",)
"""Settings that are a share of strangers and are written as 1 in so many."""


class Editor(QObject):
    """Holds the widget of a setting.

    Signals
    -------
    edited(object)
        The user chose another value. Typing and stepping are told once they have come to rest.
    """

    edited = Signal(object)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.widget = widget
        keep_wheel(widget)
        self._rest = QTimer(self, singleShot=True, interval=theme.time("busy_after"))
        self._rest.timeout.connect(lambda: self.edited.emit(self.value))

    @property
    def value(self) -> Any:
        """The value shown."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value without telling."""
        with QSignalBlocker(self.widget):
            self._put(value)
        self._rest.stop()

    def _put(self, value: Any) -> None:
        raise NotImplementedError

    def text_of(self, value: Any) -> str:
        """Return a value in words."""
        return str(value)

    def _wait(self) -> None:
        self._rest.start()

    def _finish(self) -> None:
        if self._rest.isActive():
            self._rest.stop()
            self.edited.emit(self.value)


class ChoiceEditor(Editor):
    """One of some values."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._box = QComboBox()
        super().__init__(self._box)
        self.set_choices(choices)
        self._box.activated.connect(lambda _index: self.edited.emit(self.value))

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer these values."""
        now = self.value
        with QSignalBlocker(self._box):
            self._box.clear()
            for choice in choices:
                self._box.addItem(choice.label, choice.value)
            self._put(now)

    @property
    def value(self) -> Any:
        return self._box.currentData()

    def _put(self, value: Any) -> None:
        found = self._box.findData(value)
        if found < 0 and value:
            self._box.addItem(str(value), value)
            found = self._box.count() - 1
        self._box.setCurrentIndex(found)

    def text_of(self, value: Any) -> str:
        found = self._box.findData(value)
        return self._box.itemText(found) if found >= 0 else str(value)


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self) -> None:
        self._box = QCheckBox()
        super().__init__(self._box)
        self._box.toggled.connect(lambda on: self.edited.emit(on))

    @property
    def value(self) -> Any:
        return self._box.isChecked()

    def _put(self, value: Any) -> None:
        self._box.setChecked(bool(value))

    def text_of(self, value: Any) -> str:
        return self.tr("on") if value else self.tr("off")


class NumberEditor(Editor):
    """A whole number, or one with as many decimals as the step has."""

    def __init__(self, info: SettingInfo, whole: bool) -> None:
        self._whole = whole
        self._box: QSpinBox | QDoubleSpinBox
        if whole:
            self._box = QSpinBox()
            self._box.setRange(round(info.minimum), round(info.maximum))
            self._box.setSingleStep(max(1, round(info.step)))
        else:
            self._box = QDoubleSpinBox()
            self._box.setDecimals(len(f"{info.step:g}".partition(".")[2]))
            self._box.setRange(info.minimum, info.maximum)
            self._box.setSingleStep(info.step)
        super().__init__(self._box)
        _prepare(self._box)
        self._box.valueChanged.connect(self._wait)
        self._box.editingFinished.connect(self._finish)

    @property
    def value(self) -> Any:
        return self._box.value() if self._whole else round(self._box.value(), 6)

    def _put(self, value: Any) -> None:
        self._box.setValue(value)

    def text_of(self, value: Any) -> str:
        return self._box.textFromValue(value)


class RateEditor(Editor):
    """A share of strangers, written as 1 in so many."""

    def __init__(self, info: SettingInfo) -> None:
        self._box = QSpinBox()
        self._box.setRange(round(1 / info.maximum), round(1 / info.minimum))
        self._box.setPrefix(self._prefix())
        self._box.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        super().__init__(self._box)
        _prepare(self._box)
        self._box.valueChanged.connect(self._wait)
        self._box.editingFinished.connect(self._finish)

    @staticmethod
    def _prefix() -> str:
        return QCoreApplication.translate("Settings", "1 in ")

    @property
    def value(self) -> Any:
        return 1.0 / self._box.value()

    def _put(self, value: Any) -> None:
        self._box.setValue(round(1 / value))

    def text_of(self, value: Any) -> str:
        return f"{self._prefix()}{round(1 / value):,}"


class TextEditor(Editor):
    """Any text."""

    def __init__(self) -> None:
        self._line = QLineEdit()
        super().__init__(self._line)
        self._line.textEdited.connect(self._wait)
        self._line.editingFinished.connect(self._finish)

    @property
    def value(self) -> Any:
        return self._line.text().strip()

    def _put(self, value: Any) -> None:
        self._line.setText(str(value))


def _prepare(box: QSpinBox | QDoubleSpinBox) -> None:
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(False)
    box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.UpDownArrows)


def editor_for(name: str, info: SettingInfo, default: Any) -> Editor:
    """Return the editor that suits a setting."""
    if isinstance(default, bool):
        return SwitchEditor()
    if info.choices:
        return ChoiceEditor(info.choices)
    if name in RATES:
        return RateEditor(info)
    if isinstance(default, int | float):
        return NumberEditor(info, isinstance(default, int))
    return TextEditor()

"""The Settings page: made from the table of settings, searchable, saved at once."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget

from facegui.gui import theme
from facegui.gui.pages.page import Page
from facegui.gui.pages.settings_editors import ChoiceEditor, editor_for
from facegui.gui.pages.settings_models import ModelsPanel, ProviderPanel
from facegui.gui.pages.settings_rows import Section, SettingRow
from facegui.gui.pages.settings_storage import StoragePanel
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import column, label, row, scrolled
from facegui.matching.wording import format_limit
from facegui.settings import Choice, Settings, table
from facegui.sources.camera import CameraInfo, list_cameras

__all__ = ["SettingsPage"]

MODEL: Final = "model"
CAMERA: Final = "camera"
RATE: Final = "target_fmr"


class SettingsPage(Page):
    """Sections in one column; chips jump to them, a search leaves only what contains the words."""

    name: ClassVar[str] = "settings"
    icon: ClassVar[str] = "settings"

    @property
    def title(self) -> str:
        return self.tr("Settings")

    def build(self) -> None:
        self.rows: dict[str, SettingRow] = {}
        self.sections: dict[str, Section] = {}
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search the settings"))
        self.search.setAccessibleName(self.tr("Search the settings"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._search)
        self._nothing = label(self.tr("No setting contains these words."), "muted")
        self._nothing.hide()
        self._chips = row(gap="half")
        self._body = column(self._nothing, None, gap="unit")
        self._body.setSpacing(2 * self._body.spacing())
        page = QWidget()
        page.setLayout(self._body)
        page.setMaximumWidth(3 * theme.size("inspector"))
        inner = QWidget()
        across = row(gap="")
        across.addWidget(page, 1)
        across.addStretch()
        inner.setLayout(across)
        self._area: QScrollArea = scrolled(inner, self.tr("Settings"))
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = column(self.search)
        layout.addLayout(self._chips)
        layout.addWidget(self._area, 1)
        self.content.setLayout(layout)

    def _fill(self) -> None:
        """Make the sections. The page is in its window by now: each later move of so many widgets takes time."""
        self.models = ModelsPanel(self.services, self.bridge)
        self.models.use_wanted.connect(lambda model_id: self.change(MODEL, model_id))
        self.provider = ProviderPanel()
        self.storage = StoragePanel(self.services, self.bridge)
        self.storage.changed.connect(self.gallery_changed.emit)
        self.storage.undo_offered.connect(self.undo_offered.emit)
        self.storage.erased.connect(self.undo_ended.emit)
        self.storage.failed.connect(self.show_error)
        defaults, infos = Settings(), table()
        for name, info in infos.items():
            section = self._section(self.tr(info.group))
            if name == MODEL:
                continue
            default = getattr(defaults, name)
            editor = ChoiceEditor(self._cameras(())) if name == CAMERA else editor_for(name, info, default)
            line = SettingRow(name, info, default, editor)
            line.edited.connect(self.change)
            self.rows[name] = line
            section.add_row(line)
            if name == RATE:
                self._section(self.tr("Models"))
        self._section(self.tr("Models")).add_extra(self.models)
        self._section(self.tr(infos["provider"].group)).add_extra(self.provider)
        self._section(self.tr(infos["keep_history"].group)).add_extra(self.storage)
        self._chips.addStretch(1)

    def _section(self, title: str) -> Section:
        """Return the section of that title, made when it is new, with the chip that leads to it."""
        if title not in self.sections:
            section = Section(title)
            self.sections[title] = section
            self._body.insertWidget(len(self.sections) - 1, section)
            chip = Chip(title)
            chip.clicked.connect(lambda: self.show_section(section))
            self._chips.addWidget(chip)
        return self.sections[title]

    # --- the page -----------------------------------------------------------------------------------------

    def activate(self) -> None:
        if not self.sections:
            self._fill()
        self.search.setFocus()
        self.refresh()
        self.bridge.run(self, list_cameras, self._cameras_found, newest="cameras")

    def refresh(self) -> None:
        if not self.sections:
            return
        self._show(self.services.settings)
        self.models.refresh()
        self.storage.refresh()
        self._look_at_provider()

    def shortcuts(self) -> list[tuple[str, str]]:
        return [("Ctrl+F", self.tr("Search the settings")), ("Esc", self.tr("Empty the search"))]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self.search.setFocus()
            self.search.selectAll()
        elif event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        else:
            super().keyPressEvent(event)

    def show_section(self, section: Section) -> None:
        """Scroll to a section."""
        self.search.clear()
        self._area.verticalScrollBar().setValue(section.pos().y())

    def _search(self, text: str) -> None:
        words = text.casefold().split()
        self._area.verticalScrollBar().setValue(0)
        found = [section.search(words) for section in self.sections.values()]
        self._nothing.setVisible(not any(found))

    def _look_at_provider(self) -> None:
        self.provider.show_report(self.services.provider)
        self.bridge.run(
            self, self.services.warm_up, self.provider.show_report,
            lambda error: self.provider.show_problem(str(error)), newest="provider",
        )  # fmt: skip

    # --- settings -----------------------------------------------------------------------------------------

    def _show(self, settings: Settings) -> None:
        for name, line in self.rows.items():
            line.show_value(getattr(settings, name))
        calibration = self.services.calibration
        note = ""
        if calibration is not None and not calibration.supports(settings.target_fmr):
            note = self.tr("The calibration of this model supports no claim rarer than {0}; beyond it the threshold is "
                           "extrapolated.").format(format_limit(calibration.smallest_claim))  # fmt: skip
        self.rows[RATE].show_note(note)

    def change(self, name: str, value: Any) -> None:
        """Save one setting, and offer the way back."""
        self._save(name, value, offer=True)

    def _save(self, name: str, value: Any, *, offer: bool) -> None:
        before = getattr(self.services.settings, name)
        if value == before:
            self._show(self.services.settings)
            return

        def done(settings: Settings) -> None:
            self.clear_error()
            self._show(settings)
            self.models.refresh()
            self.settings_changed.emit()
            self._look_at_provider()
            if offer:
                self.undo_offered.emit(self._told(name, value), lambda: self._save(name, before, offer=False))

        def failed(error: Exception) -> None:
            self._show(self.services.settings)
            self.show_error(error)

        self.bridge.run(self, lambda: self.services.change_settings(**{name: value}), done, failed, lane="write")

    def _told(self, name: str, value: Any) -> str:
        if name == MODEL:
            return self.tr("Model: {0}").format(self.services.model.title)
        line = self.rows[name]
        return f"{line.info.label}: {line.editor.text_of(value)}"

    # --- cameras ------------------------------------------------------------------------------------------

    def _cameras(self, found: tuple[CameraInfo, ...]) -> tuple[Choice, ...]:
        return Choice("", self.tr("The first one")), *(Choice(camera.id, camera.name) for camera in found)

    def _cameras_found(self, found: tuple[CameraInfo, ...]) -> None:
        editor = self.rows[CAMERA].editor
        assert isinstance(editor, ChoiceEditor)
        editor.set_choices(self._cameras(found))
        self.rows[CAMERA].show_value(self.services.settings.camera)

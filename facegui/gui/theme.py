"""Colours, sizes, type and icons of the window: one table (assets/theme.toml), one sheet made from it.

Widgets ask `color`, `size`, `font` and `icon` while they paint, so a change of theme needs no more than a
repaint. Call `install` once per QApplication.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QFontDatabase, QFontMetrics, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QToolButton, QWidget

from facegui import paths
from facegui.gui.style_sheet import make_sheet

__all__ = [
    "SCHEMES", "ThemeManager", "color", "font", "icon", "install", "is_dark", "line_height", "manager", "pixmap",
    "set_icon", "set_role", "size", "time", "tokens",
]  # fmt: skip

logger = logging.getLogger(__name__)
SCHEMES: Final = ("light", "dark")
_ICON_PROPERTY: Final = "themeIcon"
_SCALES: Final = (1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The table of assets/theme.toml.

    Attributes
    ----------
    sizes, types, times : mapping of str to int
        Lengths and type sizes in device-independent pixels, times in milliseconds.
    colors : mapping of str to mapping of str to QColor
        Scheme, then role.
    """

    sizes: Mapping[str, int]
    types: Mapping[str, int]
    times: Mapping[str, int]
    colors: Mapping[str, Mapping[str, QColor]]


def _color(text: str) -> QColor:
    """Read ``#RRGGBB`` or ``#RRGGBBAA``."""
    value = QColor(text[:7])
    if len(text) == 9:
        value.setAlpha(int(text[7:], 16))
    return value


@cache
def tokens() -> Tokens:
    """Read the table once."""
    raw = tomllib.loads((paths.assets_dir() / "theme.toml").read_text("utf-8"))
    colors = {
        scheme: MappingProxyType({role: _color(text) for role, text in raw[scheme].items()}) for scheme in SCHEMES
    }
    return Tokens(
        MappingProxyType(raw["size"]), MappingProxyType(raw["type"]), MappingProxyType(raw["time"]),
        MappingProxyType(colors),
    )  # fmt: skip


class ThemeManager(QObject):
    """Applies the theme to the application and follows the system's light or dark.

    Signals
    -------
    changed
        The colours are now others; everything has been repainted.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._setting = "system"
        self.scheme = ""
        app.setStyle("Fusion")
        app.setFont(font())
        app.styleHints().colorSchemeChanged.connect(self._refresh)

    def apply(self, setting: str) -> None:
        """Use ``light``, ``dark`` or whatever the ``system`` says, from now on."""
        self._setting = setting
        hints = self._app.styleHints()
        if setting == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if setting == "dark" else Qt.ColorScheme.Light)
        self._refresh()

    def _refresh(self) -> None:
        scheme = self._setting
        if scheme not in SCHEMES:
            scheme = "dark" if self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"
        if scheme == self.scheme:
            return
        self.scheme = scheme
        self._app.setPalette(_palette(tokens().colors[scheme]))
        table = tokens()
        self._app.setStyleSheet(make_sheet(scheme, table.sizes, table.types, table.colors[scheme], _tinted))
        for window in self._app.topLevelWidgets():
            for target in (window, *window.findChildren(QAbstractButton), *window.findChildren(QAction)):
                name = target.property(_ICON_PROPERTY)
                if name and isinstance(target, QAbstractButton | QAction):
                    set_icon(target, *str(name).split("|"))
        self.changed.emit()


_manager: ThemeManager | None = None


def install(app: QApplication, setting: str = "system") -> ThemeManager:
    """Give the application its theme; later calls change the setting."""
    global _manager
    if _manager is None or _manager.parent() is not app:
        _manager = ThemeManager(app)
    _manager.apply(setting)
    return _manager


def manager() -> ThemeManager:
    """Return the installed theme; installs it when a widget is shown without `install` (as in a test)."""
    if _manager is not None:
        return _manager
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("There is no QApplication yet.")
    return install(app)


def is_dark() -> bool:
    """Tell whether the dark colours are in use."""
    return manager().scheme == "dark"


def color(role: str) -> QColor:
    """Return the present colour of a role of assets/theme.toml, for example ``accent``."""
    return QColor(tokens().colors[manager().scheme][role])


def size(name: str) -> int:
    """Return a length in device-independent pixels."""
    return tokens().sizes[name]


def time(name: str) -> int:
    """Return a time in milliseconds."""
    return tokens().times[name]


def font(kind: str = "body", *, bold: bool = False, tabular: bool = False) -> QFont:
    """Return the system's font in one of the type sizes; `tabular` makes all digits equally wide."""
    result = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    result.setPixelSize(tokens().types[kind])
    if bold:
        result.setWeight(QFont.Weight.DemiBold)
    if tabular:
        result.setFeature(QFont.Tag("tnum"), 1)
    return result


def line_height(kind: str) -> int:
    """Return the height of a line of text in one of the type sizes."""
    return QFontMetrics(font(kind)).height()


@lru_cache(maxsize=128)
def _drawing(name: str) -> str:
    return (paths.assets_dir() / "icons" / f"{name}.svg").read_text("utf-8")


def _tinted(name: str, shade: QColor) -> str:
    return _drawing(name).replace("currentColor", shade.name())


@lru_cache(maxsize=1024)
def _render(name: str, rgba: str, length: int, ratio: float) -> QPixmap:
    value = QColor(rgba)
    renderer = QSvgRenderer(QByteArray(_tinted(name, value).encode()))
    result = QPixmap(QSize(round(length * ratio), round(length * ratio)))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setOpacity(value.alphaF())
    renderer.render(painter, QRectF(result.rect()))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def pixmap(name: str, role: str = "text", length: int = 0, ratio: float = 1.0) -> QPixmap:
    """Draw an icon of assets/icons in the colour of a role, `length` pixels square."""
    shade = color(role).name(QColor.NameFormat.HexArgb)
    return _render(name, shade, length or size("icon"), ratio)


def icon(name: str, role: str = "text", checked_role: str = "accent", gap: int = 0) -> QIcon:
    """Return an icon in the present colours; use `set_icon` where it must follow a change of theme.

    Parameters
    ----------
    gap : int
        Empty pixels at the right, which keep the words beside it away.
    """
    result = QIcon()
    states = (
        (QIcon.Mode.Normal, QIcon.State.Off, role),
        (QIcon.Mode.Disabled, QIcon.State.Off, "disabled"),
        (QIcon.Mode.Normal, QIcon.State.On, checked_role),
    )
    for mode, state, shade in states:
        for ratio in _SCALES:
            picture = pixmap(name, shade, size("icon"), ratio)
            result.addPixmap(_widened(picture, gap) if gap else picture, mode, state)
    return result


def _widened(picture: QPixmap, gap: int) -> QPixmap:
    ratio = picture.devicePixelRatio()
    result = QPixmap(picture.width() + round(gap * ratio), picture.height())
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.drawPixmap(0, 0, picture)
    painter.end()
    return result


def _gap(target: QObject) -> int:
    beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    if isinstance(target, QToolButton):
        return size("half") if target.toolButtonStyle() == beside else 0
    return size("half") if isinstance(target, QPushButton) else 0


def set_icon(target: QAbstractButton | QAction, name: str, role: str = "text", checked_role: str = "accent") -> None:
    """Give a button or an action an icon that follows the theme."""
    target.setProperty(_ICON_PROPERTY, f"{name}|{role}|{checked_role}")
    gap = _gap(target)
    target.setIcon(icon(name, role, checked_role, gap))
    if isinstance(target, QAbstractButton):
        target.setIconSize(QSize(size("icon") + gap, size("icon")))


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget one of the looks of assets/style.qss (``primary``, ``quiet``, ``card``, ``muted`` ...)."""
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    # A widget that was never polished takes the role when it is; polishing it now would style it, and everything in
    # it, once more each time it gets a parent.
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def _palette(colors: Mapping[str, QColor]) -> QPalette:
    role = QPalette.ColorRole
    result = QPalette()
    pairs = {
        role.Window: "window", role.WindowText: "text", role.Base: "raised", role.AlternateBase: "panel",
        role.Text: "text", role.Button: "raised", role.ButtonText: "text", role.BrightText: "no_match",
        role.ToolTipBase: "raised", role.ToolTipText: "text", role.PlaceholderText: "muted",
        role.Highlight: "accent", role.HighlightedText: "on_accent", role.Accent: "accent", role.Link: "accent",
        role.LinkVisited: "accent", role.Light: "raised", role.Midlight: "hover", role.Mid: "border",
        role.Dark: "border_strong", role.Shadow: "sunken",
    }  # fmt: skip
    for target, name in pairs.items():
        result.setColor(target, colors[name])
    for target in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, target, colors["disabled"])
    return result

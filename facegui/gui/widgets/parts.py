"""Small makers of labels, buttons, rows and columns, so that pages hold no sizes and no looks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from facegui.gui import theme

__all__ = ["button", "card", "column", "label", "line", "row", "scrolled", "tool_button"]


def label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """Make a text in one of the looks: title, heading, emphasis, score, muted, small, warning, problem, good."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(wrap)
    if role:
        theme.set_role(result, role)
    if selectable:
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return result


def button(
    text: str, on_click: Callable[[], object] | None = None, *, role: str = "", icon: str = "", tip: str = ""
) -> QPushButton:
    """Make a button; `role` is primary, quiet, link, danger or chip, `icon` a name in assets/icons."""
    result = QPushButton(text)
    if role:
        theme.set_role(result, role)
    if icon:
        theme.set_icon(result, icon, {"primary": "on_accent", "danger": "no_match", "link": "accent"}.get(role, "text"))
    if tip:
        result.setToolTip(tip)
    if on_click is not None:
        result.clicked.connect(lambda _checked=False: on_click())
    result.setAutoDefault(False)
    return result


def tool_button(
    icon: str, name: str, on_click: Callable[[], object] | None = None, *, role: str = "quiet"
) -> QToolButton:
    """Make a button that shows an icon alone; `name` is its tooltip and its accessible name."""
    result = QToolButton()
    theme.set_role(result, role)
    theme.set_icon(result, icon)
    result.setToolTip(name)
    result.setAccessibleName(name)
    if on_click is not None:
        result.clicked.connect(lambda _checked=False: on_click())
    return result


def _fill(layout: QHBoxLayout | QVBoxLayout, items: tuple[QWidget | str | None, ...], gap: str, margin: str) -> None:
    layout.setSpacing(theme.size(gap) if gap else 0)
    edge = theme.size(margin) if margin else 0
    layout.setContentsMargins(edge, edge, edge, edge)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, str):
            layout.addWidget(label(item))
        else:
            layout.addWidget(item)


def row(*items: QWidget | str | None, gap: str = "unit", margin: str = "") -> QHBoxLayout:
    """Lay widgets side by side; None is a stretch, a text becomes a label."""
    layout = QHBoxLayout()
    _fill(layout, items, gap, margin)
    return layout


def column(*items: QWidget | str | None, gap: str = "unit", margin: str = "") -> QVBoxLayout:
    """Lay widgets one below the other; None is a stretch, a text becomes a label."""
    layout = QVBoxLayout()
    _fill(layout, items, gap, margin)
    return layout


def card(*items: QWidget | str | None, role: str = "card", margin: str = "unit", gap: str = "unit") -> QFrame:
    """Make a bordered surface holding a column."""
    result = QFrame()
    theme.set_role(result, role)
    result.setLayout(column(*items, gap=gap, margin=margin))
    return result


def line() -> QFrame:
    """Make a hairline across."""
    result = QFrame()
    theme.set_role(result, "line")
    result.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return result


def scrolled(inner: QWidget, name: str) -> QScrollArea:
    """Make a widget scroll vertically; `name` is for the screen reader."""
    result = QScrollArea()
    result.setWidgetResizable(True)
    result.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    result.setAccessibleName(name)
    inner.setObjectName("scrolled")
    result.setWidget(inner)
    result.viewport().setAutoFillBackground(False)
    return result

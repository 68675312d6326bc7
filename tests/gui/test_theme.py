from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QPushButton

from facegui import paths
from facegui.gui import theme
from facegui.gui.widgets.parts import button, label

ROOT = Path(__file__).resolve().parents[2]
GUI = sorted((ROOT / "facegui" / "gui").rglob("*.py"))
SURFACES = ("window", "panel", "raised")
WORDS = ("text", "muted", "accent", "match", "no_match", "unsure")
PAIRS = [(word, surface) for word in WORDS for surface in SURFACES] + [
    ("on_accent", "accent"), ("on_accent", "accent_hover"), ("text", "accent_soft"), ("accent", "accent_soft"),
    ("text", "hover"), ("muted", "hover"), ("text", "sunken"), ("on_decision", "match"),
    ("on_decision", "no_match"), ("on_decision", "unsure"), ("text", "no_match_soft"), ("muted", "no_match_soft"),
    ("text", "unsure_soft"), ("text", "match_soft"), ("match", "match_soft"), ("no_match", "no_match_soft"),
    ("unsure", "unsure_soft"),
]  # fmt: skip


def luminance(color: QColor) -> float:
    """Relative luminance of WCAG 2."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", theme.SCHEMES)
@pytest.mark.parametrize(("word", "surface"), PAIRS)
def test_text_has_a_contrast_of_4_5_on_its_surface(scheme: str, word: str, surface: str) -> None:
    colors = theme.tokens().colors[scheme]
    assert contrast(colors[word], colors[surface]) >= 4.5


@pytest.mark.parametrize("scheme", theme.SCHEMES)
def test_borders_of_controls_and_the_focus_ring_have_a_contrast_of_3(scheme: str) -> None:
    colors = theme.tokens().colors[scheme]
    for role in ("border_strong", "accent"):
        for surface in SURFACES:
            assert contrast(colors[role], colors[surface]) >= 3


def test_both_schemes_have_the_same_roles() -> None:
    colors = theme.tokens().colors
    assert set(colors["light"]) == set(colors["dark"])


def test_the_text_over_photos_is_legible() -> None:
    colors = theme.tokens().colors["light"]
    assert contrast(colors["overlay"], colors["overlay_back"]) >= 4.5


# How people without one kind of cone see linear RGB: Machado, Oliveira, Fernandes 2009, severity 1.
SIGHT = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color: QColor, sight: list[list[float]]) -> np.ndarray:
    """CIE L*a*b* of a colour as somebody sees it."""
    rgb = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.array(sight) @ linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("scheme", theme.SCHEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_the_colour_blind_tell_the_decisions_apart(scheme: str, sight: str) -> None:
    colors = theme.tokens().colors[scheme]
    seen = [lab(colors[role], SIGHT[sight]) for role in ("match", "unsure", "no_match")]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) >= 14


@pytest.mark.parametrize("file", GUI, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_colour_is_written_outside_the_theme(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not re.search(r"[\"']#[0-9a-fA-F]{3,8}[\"']", text)
    assert not re.search(r"QColor\(\s*\d", text)
    assert "GlobalColor." not in text.replace("GlobalColor.transparent", "")
    assert "setStyleSheet" not in text or file.name == "theme.py"


def test_every_icon_that_is_named_exists() -> None:
    there = {file.stem for file in (paths.assets_dir() / "icons").glob("*.svg")}
    named = set()
    for file in GUI:
        text = file.read_text("utf-8")
        named |= set(re.findall(r"icon(?:: ClassVar\[str\])? ?= ?\"([a-z-]+)\"", text))
        named |= set(re.findall(r"(?:set_icon|tool_button|EmptyState|StateWords)\((?:self\.\w+, )?\"([a-z-]+)\"", text))
    assert len(named) > 10
    assert named <= there


def test_every_icon_is_drawn(qapp: QApplication) -> None:
    for file in (paths.assets_dir() / "icons").glob("*.svg"):
        image = theme.pixmap(file.stem, "text", 20).toImage()
        drawn = sum(image.pixelColor(x, y).alpha() > 0 for x in range(20) for y in range(20))
        assert drawn > 10, file.name


def test_the_theme_follows_the_setting_and_icons_change_with_it(qapp: QApplication) -> None:
    target = QPushButton()
    theme.set_icon(target, "check")
    before = target.icon().pixmap(20, 20).toImage()
    seen = []
    theme.manager().changed.connect(lambda: seen.append(theme.manager().scheme))
    theme.install(qapp, "dark")
    assert theme.is_dark()
    assert seen == ["dark"]
    assert qapp.palette().window().color() == theme.color("window")
    theme.install(qapp, "dark")
    assert seen == ["dark"]
    assert before.size() == target.icon().pixmap(20, 20).toImage().size()


def test_icons_of_shown_buttons_are_tinted_anew(qtbot, qapp: QApplication) -> None:
    target = button("Save", icon="check")
    qtbot.addWidget(target)
    target.show()
    before = target.icon().pixmap(24, 20).toImage()
    theme.install(qapp, "dark")
    assert target.icon().pixmap(24, 20).toImage() != before


def test_the_system_decides_unless_the_setting_does(qapp: QApplication) -> None:
    theme.install(qapp, "dark")
    theme.install(qapp, "system")
    expected = "dark" if qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"
    assert theme.manager().scheme == expected


def test_digits_are_equally_wide(qtbot) -> None:
    from PySide6.QtGui import QFontMetricsF

    metrics = QFontMetricsF(theme.font("score", tabular=True))
    assert len({round(metrics.horizontalAdvance(digit), 3) for digit in "0123456789"}) == 1


def test_labels_show_names_as_they_are_written(qtbot) -> None:
    text = label("<b>a</b>.jpg")
    qtbot.addWidget(text)
    assert text.textFormat() == Qt.TextFormat.PlainText

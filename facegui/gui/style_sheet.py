"""The one sheet of the window, filled in from the theme's tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from string import Template
from typing import Final

from PySide6.QtGui import QColor

from facegui import paths

__all__ = ["make_sheet"]

logger = logging.getLogger(__name__)
_ICONS: Final = {"chevron-down": "muted", "chevron-up": "muted", "check": "on_accent", "dot": "on_accent"}


def _icon_file(scheme: str, name: str, markup: str) -> str:
    """Write a tinted icon where the sheet can name it, because a sheet takes only files."""
    file = paths.cache_dir() / "theme" / f"{scheme}-{name}.svg"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(markup, "utf-8")
    except OSError as error:
        logger.warning("An icon could not be written to %s: %s", file, error)
    return file.as_posix()


def make_sheet(
    scheme: str, lengths: Mapping[str, int], types: Mapping[str, int], colors: Mapping[str, QColor],
    draw: Callable[[str, QColor], str],
) -> str:  # fmt: skip
    """Return the sheet of a scheme; `draw` returns the markup of an icon in a colour."""
    sizes = dict(lengths)
    edge = 2 * sizes["hairline"]
    growth = 2 * (sizes["focus"] - sizes["hairline"])
    sizes |= {
        "pad": sizes["unit"] + sizes["half"],
        "pad_focus": sizes["unit"] + sizes["half"] - growth // 2,
        "unit_focus": sizes["unit"] - growth // 2,
        "inner": sizes["control"] - edge,
        "inner_focus": sizes["control"] - edge - growth,
        "rail_inner": sizes["touch"],
        "chip_radius": sizes["control"] // 2 - sizes["half"] // 2,
        "chip_inner": sizes["control"] - sizes["half"] - edge,
        "chip_inner_focus": sizes["control"] - sizes["half"] - edge - growth,
        "radio": sizes["small_icon"] // 2,
        "menu": sizes["half"] + sizes["focus"],
        "bar": sizes["half"] + sizes["focus"],
        "bar_radius": (sizes["half"] + sizes["focus"]) // 2,
        "arrow": sizes["unit"] + sizes["focus"],
        "scroll": sizes["unit"] + sizes["half"],
        "scroll_gap": sizes["focus"],
        "slider_margin": sizes["half"] + sizes["focus"],
    }
    values = {role: value.name() for role, value in colors.items()}
    values |= {f"size_{name}": str(value) for name, value in sizes.items()}
    values |= {f"type_{name}": str(value) for name, value in types.items()}
    values |= {
        f"icon_{name.replace('-', '_')}": _icon_file(scheme, name, draw(name, colors[role]))
        for name, role in _ICONS.items()
    }
    return Template((paths.assets_dir() / "style.qss").read_text("utf-8")).substitute(values)

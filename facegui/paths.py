"""Where facegui keeps its files, and where its bundled data lies.

``FACEGUI_HOME`` moves everything that the program writes into one folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

__all__ = ["assets_dir", "cache_dir", "config_file", "data_dir", "gallery_file", "log_dir", "models_dir", "plain"]

HOME_VARIABLE = "FACEGUI_HOME"
_APP = "facegui"


def _home(kind: str, default: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    folder = Path(home).expanduser() / kind if home else Path(default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def data_dir() -> Path:
    """Folder of the gallery and of added models; made when missing."""
    return _home("data", platformdirs.user_data_dir(_APP, appauthor=False))


def cache_dir() -> Path:
    """Folder of thumbnails and folder indexes, which can be made again; made when missing."""
    return _home("cache", platformdirs.user_cache_dir(_APP, appauthor=False))


def log_dir() -> Path:
    """Folder of the log files; made when missing."""
    return _home("log", platformdirs.user_log_dir(_APP, appauthor=False))


def config_file() -> Path:
    """Return the TOML file that holds the settings; it need not exist."""
    return _home("config", platformdirs.user_config_dir(_APP, appauthor=False)) / "settings.toml"


def gallery_file() -> Path:
    """Return the default gallery database; it need not exist."""
    return data_dir() / "gallery.sqlite"


def _bundled(name: str) -> Path:
    frozen = getattr(sys, "_MEIPASS", None)
    package = Path(__file__).resolve().parent
    candidates = [package / "_data" / name, package.parent / name]
    if frozen:
        candidates.insert(0, Path(frozen) / "facegui" / "_data" / name)
    for folder in candidates:
        if folder.is_dir():
            return folder
    return candidates[0]


def models_dir() -> Path:
    """Folder of the bundled models: inside the installed package, or beside it in a checkout."""
    return _bundled("models")


def assets_dir() -> Path:
    """Folder of the icons and the theme: inside the installed package, or beside it in a checkout."""
    return _bundled("assets")


def plain(path: Path) -> Path:
    """Return the one absolute name of a path that photos are known by, without ``..``.

    Links are followed only where ``..`` is in the path: what lies above a link is above its target.
    """
    return path.resolve() if ".." in path.parts else path.absolute()

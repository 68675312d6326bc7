"""Looks whether everything that facegui needs is there and works, and says what to do where it does not."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from facegui import __version__, paths
from facegui.errors import KnownError
from facegui.faces import session
from facegui.faces.parity import Beside, beside_processor
from facegui.faces.providers import LABELS, ProviderReport
from facegui.faces.runtimes import conflict, is_runtime

if TYPE_CHECKING:
    from facegui.cli.app import Run
    from facegui.services import Services

__all__ = ["Check", "Level", "examine"]

_PACKAGES = ("numpy", "opencv-python", "PySide6", "SQLAlchemy", "pillow", "pillow-heif", "insightface")
_OPENCVS = re.compile(r"^opencv[-_](contrib[-_])?python([-_]headless)?$", re.IGNORECASE)
_LOW_SPACE = 500_000_000
_GIGA = 1e9


class Level(StrEnum):
    """How a check came out."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
    level : Level
        ``BAD`` must be mended; ``NOTE`` is worth knowing.
    text : str
    do : str
        What to do; empty when there is nothing.
    """

    name: str
    level: Level
    text: str
    do: str = ""


def examine(run: Run) -> Iterator[Check]:
    """Look at everything, one check after the other; a check that fails does not stop the others.

    Parameters
    ----------
    run : Run
    """
    yield _program()
    yield from packages(_installed())
    yield from _guarded("Settings", lambda: [_settings()])
    yield from _guarded("Models", _models)
    yield from _guarded("Compute", lambda: _compute(run))
    yield from _window()
    yield from _guarded("Cameras", lambda: [_cameras()])
    yield from _folders()
    yield _thumbnails()
    yield from _guarded("Gallery", lambda: _gallery(run))


def _guarded(name: str, look: Callable[[], list[Check]]) -> list[Check]:
    try:
        return look()
    except KnownError as error:
        return [Check(name, Level.BAD, f"{error.what} {error.why}".strip(), error.do)]


def _program() -> Check:
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    return Check("facegui", Level.GOOD, f"{__version__}, Python {platform.python_version()}, {system}")


def _installed() -> dict[str, str]:
    """Return name and version of every installed distribution."""
    found = ((item.metadata["Name"], item.version) for item in metadata.distributions())
    return {str(name).replace("_", "-"): version for name, version in found if name}


def packages(installed: dict[str, str]) -> list[Check]:
    """Look for packages that overwrite each other's files.

    Parameters
    ----------
    installed : dict
        Version by name of every distribution.
    """
    lower = {name.lower(): f"{name} {version}" for name, version in installed.items()}
    runtimes = sorted(name for name in installed if is_runtime(name))
    opencvs = sorted(name for name in installed if _OPENCVS.match(name))
    versions = [lower[name.lower()] for name in _PACKAGES if name.lower() in lower]
    checks = [Check("Packages", Level.GOOD, ", ".join(versions))]
    clash = conflict(installed)
    if clash is not None:
        checks.append(Check("ONNX Runtime", Level.BAD, clash.text, clash.mend))
    elif runtimes:
        checks.append(Check("ONNX Runtime", Level.GOOD, f"{runtimes[0]} {installed[runtimes[0]]}, no other build"))
    if len(opencvs) > 1:
        checks.append(
            Check(
                "OpenCV",
                Level.NOTE,
                f"{' and '.join(opencvs)} are installed together and overwrite each other's files.",
                f"pip uninstall -y {' '.join(opencvs)} && pip install --force-reinstall --no-deps opencv-python",
            )
        )
    return checks


def _settings() -> Check:
    from facegui.settings import load

    file = paths.config_file()
    _, ignored = load()
    if ignored:
        what = "It cannot be read, so the defaults hold" if ignored == ("*",) else f"Ignored: {', '.join(ignored)}"
        return Check("Settings", Level.NOTE, f"{what}: {file}", "Correct the file, or delete it.")
    return Check("Settings", Level.GOOD, str(file) if file.exists() else "the defaults")


def _models() -> list[Check]:
    from facegui.faces.catalog import Catalog

    catalog = Catalog()
    checks = []
    for model in catalog.models():
        try:
            catalog.verify(model)
        except KnownError as error:
            checks.append(Check(f"Model {model.id}", Level.BAD, f"{error.what} {error.why}", error.do))
        else:
            if model.role == "embedder" and not model.calibrated:
                text = "as it should be, but not calibrated: every answer is unsure"
                checks.append(Check(f"Model {model.id}", Level.NOTE, text, "See `facegui calibrate --help`."))
            else:
                checks.append(Check(f"Model {model.id}", Level.GOOD, f"as it should be (sha256 {model.sha256[:12]}…)"))
    return checks


def _compute(run: Run) -> list[Check]:
    built_in = ", ".join(name.removesuffix("ExecutionProvider") for name in session.available_providers())
    card = session.graphics_card()
    with run.services() as services:
        report = services.warm_up()
        loaded = services.providers
        model, settings = services.model, services.settings
    used = f"{report.active} is used ({report.device}, {report.threads} threads). {report.reason}"
    checks = [Check("Compute", Level.GOOD, f"{used} ONNX Runtime was built with: {built_in}.")]
    if loaded:
        checks.append(Check("Networks", Level.GOOD, ", ".join(_runs_on(name, got) for name, got in loaded.items())))
    if report.active != LABELS[session.PROVIDERS["cpu"]]:
        checks.append(_beside(beside_processor(model.file, settings.provider, settings.threads)))
    if report.warning is not None:
        problem = session.cuda_problem()
        detail = f" The loader says: {problem}." if problem and problem not in report.warning else ""
        checks.append(Check("Graphics card", Level.BAD, f"{report.warning}{detail}"))
    else:
        checks.append(Check("Graphics card", Level.GOOD, card or "no NVIDIA card was found; the processor does it"))
    return checks


def _runs_on(name: str, report: ProviderReport) -> str:
    return f"{name} on {report.active}{', 16 bits' if report.precision == '16 bits' else ''}"


def _beside(found: Beside) -> Check:
    """Say what the graphics card gains, and whether it gives the processor's embeddings."""
    name = f"{found.active} beside CPU"
    text = (
        f"{found.card:.2f} and {found.processor:.2f} ms per face; the least cosine between their embeddings is "
        f"{found.cosine:.6f}"
    )
    if not found.same:
        do = "Choose the processor under Compute on in the settings: similarities would be wrong."
        return Check(name, Level.BAD, f"{text}, too low.", do)
    if found.card > found.processor:
        return Check(name, Level.NOTE, f"{text}.", "The processor is faster; it can be chosen in the settings.")
    return Check(name, Level.GOOD, f"{text}.")


def _window() -> list[Check]:
    from facegui.gui.start import check_libraries, has_screen

    try:
        version = metadata.version("PySide6")
    except metadata.PackageNotFoundError:
        return [Check("Window", Level.BAD, "PySide6 is not installed.", "pip install PySide6")]
    screen = has_screen()
    try:
        check_libraries()
    except KnownError as error:
        level = Level.BAD if screen else Level.NOTE
        return [Check("Window", level, f"{error.what} {error.why}", error.do)]
    where = "a screen is there" if screen else "no screen here; the command line works without one"
    return [Check("Window", Level.GOOD, f"PySide6 {version}, the system's libraries are there, {where}")]


def _cameras() -> Check:
    from facegui.sources.camera import list_cameras

    names = [camera.name for camera in list_cameras()]
    return Check("Cameras", Level.GOOD if names else Level.NOTE, ", ".join(names) or "none was found")


def _folders() -> list[Check]:
    checks = []
    try:
        places = {
            "Data": paths.data_dir(), "Settings folder": paths.config_file().parent, "Cache": paths.cache_dir(),
            "Log": paths.log_dir(),
        }  # fmt: skip
    except OSError as error:
        do = "Check its permissions, or set FACEGUI_HOME to another folder."
        return [Check("Folders", Level.BAD, f"{error.filename}: {error.strerror}.", do)]
    for name, folder in places.items():
        free = shutil.disk_usage(folder).free
        if not os.access(folder, os.W_OK):
            do = "Check its permissions, or set FACEGUI_HOME to another folder."
            checks.append(Check(name, Level.BAD, f"{folder} cannot be written.", do))
        elif free < _LOW_SPACE:
            text = f"{folder}, only {free / _GIGA:.2f} GB free"
            checks.append(Check(name, Level.NOTE, text, "Make room on this disk."))
        else:
            checks.append(Check(name, Level.GOOD, f"{folder}, {free / _GIGA:.0f} GB free"))
    return checks


def _thumbnails() -> Check:
    from facegui.lookalikes.thumbnail_cache import held
    from facegui.settings import load

    kept, limit = held(), load()[0].thumbnail_megabytes
    text = f"{kept.pictures:,} pictures of faces in the cache, {kept.size / 2**20:.1f} of at most {limit:,} MB"
    return Check("Thumbnails", Level.GOOD, text)


def _gallery(run: Run) -> list[Check]:
    from facegui.gallery.backup import verify

    file = run.gallery_file()
    if not file.exists():
        return [Check("Gallery", Level.NOTE, f"none yet; it will be {file}")]
    version = verify(file)
    with run.services(read_only=True) as services:
        return [_contents(services, file, version)]


def _contents(services: Services, file: Path, version: str) -> Check:
    counts = services.gallery.counts()
    pending = services.gallery.pending_count(services.model.sha256)
    size = file.stat().st_size / 1e6
    text = (
        f"{file}, whole, schema {version}, {size:.1f} MB: {counts.people:,} people, {counts.samples:,} samples, "
        f"{counts.photos:,} indexed photos, {counts.faces:,} faces"
    )
    if pending:
        todo = f"{text}. {pending:,} faces are not yet embedded by {services.model.id}."
        return Check("Gallery", Level.NOTE, todo, f"facegui models use {services.model.id}")
    return Check("Gallery", Level.GOOD, text)

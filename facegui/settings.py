"""The settings: one typed table, kept in one TOML file; the settings page is made from the table.

A value that the file lacks or holds wrongly falls back to its default, and `load` says which.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from facegui import paths
from facegui.errors import KnownError

__all__ = ["Choice", "SettingInfo", "Settings", "changed", "load", "save", "table"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible value of a setting and the words that a person reads for it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """What the settings page needs to know of one setting.

    Attributes
    ----------
    group, label, effect : str
        Heading, name, and one sentence on the effect.
    choices : tuple of Choice
        Allowed values of a text setting; empty when any text will do.
    minimum, maximum, step : float
        Limits of a number, inclusive.
    """

    group: str
    label: str
    effect: str
    choices: tuple[Choice, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    step: float = 1.0


def _setting(default: Any, group: str, label: str, effect: str, *choices: tuple[str, str], **limits: float) -> Any:
    info = SettingInfo(group, label, effect, tuple(Choice(*choice) for choice in choices), **limits)
    return field(default=default, metadata={"info": info})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default."""

    theme: str = _setting(
        "system", "Appearance", "Theme", "Light, dark, or as the system says.",
        ("system", "As the system"), ("light", "Light"), ("dark", "Dark"),
    )  # fmt: skip
    model: str = _setting(
        "arcface+sface", "Recognition", "Model",
        "The network that turns a face into numbers. Samples made with one model are never compared with another's.",
    )  # fmt: skip
    target_fmr: float = _setting(
        1e-3, "Recognition", "Strangers accepted",
        "The default threshold lets about this share of strangers pass as a match.",
        minimum=1e-4, maximum=1e-2, step=1e-4,
    )  # fmt: skip
    face_policy: str = _setting(
        "largest", "Recognition", "Several faces in a photo", "Which face counts when a photo has more than one.",
        ("largest", "The largest"), ("central", "The most central"), ("refuse", "Refuse the photo"),
    )  # fmt: skip
    precision: str = _setting(
        "balanced", "Recognition", "Precision",
        "How much is done to find faces and to place their points. Best takes about twice as long as balanced.",
        ("fast", "Fast"), ("balanced", "Balanced"), ("best", "Best"),
    )  # fmt: skip
    detection_score: float = _setting(
        0.6, "Recognition", "Detector confidence",
        "Faces that the detector is less sure of are left out. Lower finds more faces and more mistakes.",
        minimum=0.3, maximum=0.95, step=0.05,
    )  # fmt: skip
    provider: str = _setting(
        "auto", "Speed", "Compute on", "The graphics card when there is one, or always the processor.",
        ("auto", "The fastest available"), ("cuda", "NVIDIA (CUDA)"), ("tensorrt", "NVIDIA (TensorRT)"),
        ("coreml", "Apple (Core ML)"), ("directml", "Windows (DirectML)"), ("cpu", "The processor"),
    )  # fmt: skip
    threads: int = _setting(
        0, "Speed", "Processor threads", "Threads used by the networks; 0 takes one per processor core.",
        minimum=0, maximum=64,
    )  # fmt: skip
    index_processes: int = _setting(
        1, "Speed", "Processes for folders",
        "Folders are read by so many processes; more than one helps on machines with many cores, and takes memory.",
        minimum=1, maximum=64,
    )  # fmt: skip
    max_megapixels: int = _setting(
        200, "Files", "Largest photo (megapixels)",
        "Larger photos are refused, so that a crafted file cannot fill the memory.",
        minimum=10, maximum=1000, step=10,
    )  # fmt: skip
    working_pixels: int = _setting(
        1600, "Files", "Working size (pixels)",
        "Larger photos are reduced to about this length of their long side before faces are searched.",
        minimum=800, maximum=8000, step=100,
    )  # fmt: skip
    include_hidden: bool = _setting(
        False, "Files", "Hidden files", "Whether an index of a folder takes hidden files and folders too."
    )
    follow_links: bool = _setting(
        True, "Files", "Symbolic links", "Whether an index of a folder follows links to other files and folders."
    )
    thumbnail_megabytes: int = _setting(
        256, "Files", "Face thumbnails (MB)",
        "Small pictures of faces that were looked at are kept in the cache folder up to this size, so that lists come"
        " up at once; 0 keeps none.",
        minimum=0, maximum=10240, step=64,
    )  # fmt: skip
    watch_folders: bool = _setting(
        False, "Files", "Watch folders",
        "Whether photos that appear or change in indexed folders are read while the program runs.",
    )  # fmt: skip
    camera: str = _setting("", "Camera", "Camera", "The camera that was chosen last; empty takes the first.")
    camera_height: int = _setting(
        720, "Camera", "Camera lines", "Height of the camera's picture in pixels; larger is slower.",
        minimum=240, maximum=2160, step=120,
    )  # fmt: skip
    camera_rate: int = _setting(
        30, "Camera", "Camera pictures a second",
        "What a camera is asked for; it sends what it has nearest to that. In the dark, few let in more light.",
        minimum=5, maximum=120, step=5,
    )  # fmt: skip
    mirror_preview: bool = _setting(
        True,
        "Camera",
        "Mirror the preview",
        "Shows you as a mirror does; what is compared is never mirrored.",
    )
    liveness: str = _setting(
        "off", "Camera", "Proof of life",
        "Whether a face before the camera must show that it is no photo or video, by movements in a random order.",
        ("off", "Off"), ("observe", "Measure and show"), ("require", "Require for a match"),
    )  # fmt: skip
    kiosk_sound: bool = _setting(
        False, "Camera", "Sound in full screen",
        "Whether full screen on the Verify page sounds the system's bell at each request and each decision.",
    )  # fmt: skip
    keep_history: bool = _setting(
        True,
        "Privacy",
        "Keep a history",
        "Whether decisions are written to the gallery, with score and threshold.",
    )
    keep_evidence: bool = _setting(
        False,
        "Privacy",
        "Keep the evidence",
        "Whether a decision in the history keeps pictures of the faces, scores and cues. They go with the"
        " decision: when the history is cleared or the person is deleted.",
    )
    evidence_days: int = _setting(
        90, "Privacy", "Keep evidence for (days)",
        "Older evidence is erased for good when the window opens and once a day; the decision stays. 0 keeps it.",
        minimum=0, maximum=3650,
    )  # fmt: skip


def table() -> dict[str, SettingInfo]:
    """Return name and description of every setting, in the order of the page."""
    return {item.name: item.metadata["info"] for item in fields(Settings)}


def _checked(name: str, value: Any, default: Any) -> Any:
    """Return `value` if it suits the setting; raise ValueError if not."""
    info = table()[name]
    if isinstance(default, bool) or isinstance(value, bool):
        if type(value) is not type(default):
            raise ValueError(name)
        return value
    if isinstance(default, float) and isinstance(value, int):
        value = float(value)
    if type(value) is not type(default):
        raise ValueError(name)
    if info.choices and value not in {choice.value for choice in info.choices}:
        raise ValueError(name)
    if info.maximum > info.minimum and not info.minimum <= value <= info.maximum:
        raise ValueError(name)
    return value


def changed(settings: Settings, **changes: Any) -> Settings:
    """Return the settings with some values changed.

    Raises
    ------
    KnownError
        A value is outside its limits or of the wrong kind.
    """
    defaults = Settings()
    good: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            good[name] = _checked(name, value, getattr(defaults, name))
        except (ValueError, KeyError, AttributeError):
            raise KnownError(
                f"The setting {name} cannot be {value!r}.",
                "It is not among the allowed values.",
                "Choose another value.",
            ) from None
    return replace(settings, **good)


def load(file: Path | None = None) -> tuple[Settings, tuple[str, ...]]:
    """Read the settings.

    Returns
    -------
    settings : Settings
    ignored : tuple of str
        Names of settings in the file that were unknown or wrong, and so were ignored; ``"*"`` when the file
        could not be read at all.
    """
    file = file or paths.config_file()
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Settings(), ()
    except (OSError, ValueError):
        return Settings(), ("*",)
    defaults = Settings()
    known = table()
    good: dict[str, Any] = {}
    ignored: list[str] = []
    for name, value in raw.items():
        try:
            if name not in known:
                raise ValueError(name)
            good[name] = _checked(name, value, getattr(defaults, name))
        except ValueError:
            ignored.append(name)
    return replace(defaults, **good), tuple(ignored)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def save(settings: Settings, file: Path | None = None) -> None:
    """Write the settings that differ from their defaults; the file is replaced in one step.

    Raises
    ------
    KnownError
        The file cannot be written.
    """
    file = file or paths.config_file()
    defaults = Settings()
    lines = [
        f"{name} = {_toml(getattr(settings, name))}\n"
        for name in table()
        if getattr(settings, name) != getattr(defaults, name)
    ]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".settings-")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.writelines(lines)
        Path(temporary).replace(file)
    except OSError as error:
        raise KnownError(
            "The settings could not be saved.",
            f"{file}: {error.strerror or error}.",
            "Check that the disk is not full and the folder can be written.",
        ) from error

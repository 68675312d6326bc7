"""Put calibrations into a manifest of models and leave everything else in it as it is, byte for byte."""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from facegui.errors import KnownError
from facegui.matching.calibration import Calibration
from facegui.matching.opinion_bands import BandPoint, bands_text
from facegui.matching.tables import toml_text

__all__ = ["with_calibrations", "write_calibrations"]

_HEADER = re.compile(r"^\[\[?\s*([A-Za-z0-9_.\-\" ]+?)\s*\]?\]\s*(#.*)?\r?$")
_CALIBRATION = "model.calibration"
_OPINION = "model.second_opinion"
_WRITTEN = ("calibration", "second_opinion")


def with_calibrations(
    text: str, model: str, calibrations: Sequence[Calibration], bands: Sequence[BandPoint] = ()
) -> str:
    """Return the manifest with the calibrations of one model, and its bands of doubt, replaced by others.

    Parameters
    ----------
    text : str
        The manifest.
    model : str
        Id of the model.
    calibrations : sequence of Calibration
        One per condition. Conditions that are not among them lose their table.
    bands : sequence of BandPoint
        Of a second opinion.

    Raises
    ------
    ValueError
        The manifest does not list the model, or is laid out in a way that cannot be changed safely.
    """
    before = tomllib.loads(text)
    ids = [table.get("id") for table in before.get("model", ())]
    if model not in ids:
        raise ValueError(f"it does not list {model}")
    lines = text.split("\n")
    headers = [(n, m.group(1)) for n, line in enumerate(lines) if (m := _HEADER.match(line))]
    starts = [n for n, name in headers if name == "model" and lines[n].startswith("[[")]
    if len(starts) != len(ids):
        raise ValueError("its tables are laid out in an unusual way")
    start = starts[ids.index(model)]
    inside = [(n, name) for n, name in headers if n > start]
    own = []
    end = len(lines)
    for n, name in inside:
        if name == "model" or not name.startswith("model."):
            end = n
            break
        own.append((n, name))
    stops = [*(n for n, _ in own), end][1:]
    dropped: set[int] = set()
    for (first, name), stop in zip(own, stops, strict=False):
        if name in (_CALIBRATION, _OPINION) or name.startswith(f"{_CALIBRATION}."):
            dropped |= set(range(first, stop - _tail(lines, first, stop)))
    tail = _tail(lines, start, end)
    body = [line for n, line in enumerate(lines[: end - tail]) if n not in dropped]
    while body and not body[-1].strip():
        body.pop()
    newline = "\r" if lines[0].endswith("\r") else ""
    tables = [toml_text(made, f"[{_CALIBRATION}.{made.condition.value}]") for made in calibrations]
    tables += [bands_text(bands, f"[{_OPINION}]")] if bands else []
    for written in tables:
        body += [newline, *(line + newline for line in written.rstrip("\n").split("\n"))]
    rest = lines[end - tail :]
    after = "\n".join([*body, *rest] if rest else [*body, ""])
    _check(before, tomllib.loads(after), ids.index(model), {c.condition.value for c in calibrations})
    return after


def _tail(lines: Sequence[str], start: int, stop: int) -> int:
    """Return how many empty lines and remarks stand before `stop`: they belong to what follows."""
    count = 0
    while stop - count - 1 > start and (not lines[stop - count - 1].strip() or lines[stop - count - 1].startswith("#")):
        count += 1
    return count


def _check(before: dict[str, object], after: dict[str, object], place: int, conditions: set[str]) -> None:
    """Refuse a result in which anything but the calibrations of one model differs."""

    def bare(document: dict[str, object]) -> tuple[dict[str, object], set[str]]:
        models = document.get("model")
        assert isinstance(models, list)
        own = {key: value for key, value in models[place].items() if key not in _WRITTEN}
        return {**document, "model": [*models[:place], own, *models[place + 1 :]]}, set(
            models[place].get("calibration", ())
        )

    rest, _ = bare(before)
    new_rest, written = bare(after)
    if rest != new_rest or written != conditions:
        raise ValueError("its tables are laid out in an unusual way")


def write_calibrations(
    manifest: Path,
    model: str,
    calibrations: Sequence[Calibration],
    bands: Sequence[BandPoint] = (),
    *,
    dry: bool = False,
) -> None:
    """Write the calibrations of one model into a manifest; the file is replaced in one step.

    Parameters
    ----------
    manifest : Path
    model : str
        Id of the model.
    calibrations : sequence of Calibration
    bands : sequence of BandPoint
        Of a second opinion.
    dry : bool
        Only find out whether it could be done, before hours of work.

    Raises
    ------
    KnownError
        The manifest cannot be read or written, or does not list the model.
    """
    what = f"The calibration was not written into {manifest}." if not dry else f"{manifest} cannot be used."
    try:
        text = manifest.read_bytes().decode("utf-8")
        changed = with_calibrations(text, model, calibrations, bands).encode("utf-8")
        if dry:
            if not os.access(manifest.parent, os.W_OK):
                raise PermissionError(0, "The folder cannot be written")
            return
        handle, draft = tempfile.mkstemp(dir=manifest.parent, prefix=".manifest-")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(changed)
            Path(draft).chmod(manifest.stat().st_mode)
            Path(draft).replace(manifest)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise KnownError(what, f"{error.strerror or error}.", "Check that you may write there.") from error
    except ValueError as error:
        raise KnownError(what, f"{str(error).capitalize()}.", "Name a manifest that lists the model.") from error

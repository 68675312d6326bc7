"""A calibration as plain values and as TOML text, the way the manifest of the models holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.matching.calibration import Calibration, Condition, OperatingPoint
from facegui.matching.curves import BINS, STEP

__all__ = ["from_table", "to_table", "toml_text"]

_PLAIN = ("people", "photos", "failures", "genuine_pairs", "impostor_pairs", "identity_pairs")
_COUNTS = ("impostor_counts", "genuine_counts")
# Each interval: the value before the stored stretch and the one after it.
_BOUNDS = {"fmr_low": (1.0, 0.0), "fmr_high": (1.0, 0.0), "fnmr_low": (0.0, 1.0), "fnmr_high": (0.0, 1.0)}
_POINT = ("fmr", "threshold", "threshold_low", "threshold_high", "fmr_low", "fmr_high", "fnmr")


def _trim(values: Sequence[float], before: float, after: float) -> dict[str, Any]:
    """Return the stretch of a curve that is neither constant start nor constant end."""
    array = np.asarray(values)
    first = int(np.argmax(array != before)) if np.any(array != before) else len(array)
    last = len(array) - (int(np.argmax(array[::-1] != after)) if np.any(array != after) else len(array))
    last = max(first, last)
    return {"first": first, "values": [v.item() for v in array[first:last]]}


def _fill(stretch: Mapping[str, Any], length: int, before: float, after: float) -> NDArray[Any]:
    first, values = int(stretch["first"]), list(stretch["values"])
    if first < 0 or first + len(values) > length:
        raise ValueError("a curve is too long")
    return np.array([before] * first + values + [after] * (length - first - len(values)))


def to_table(calibration: Calibration) -> dict[str, Any]:
    """Return the calibration as plain str, int, float, bool, list and dict, which fit into TOML or JSON."""
    table: dict[str, Any] = {
        "model_id": calibration.model_id,
        "condition": str(calibration.condition),
        "source": calibration.source,
    }
    table |= {name: getattr(calibration, name) for name in _PLAIN}
    table |= {"slope": calibration.slope, "intercept": calibration.intercept, "step": STEP}
    table["operating_points"] = [
        {k: getattr(p, k) for k in _POINT} | {"supported": p.supported} for p in calibration.operating_points
    ]
    table |= {name: _trim(getattr(calibration, name), 0, 0) for name in _COUNTS}
    table |= {name: _trim(getattr(calibration, name), *ends) for name, ends in _BOUNDS.items()}
    return table


def from_table(table: Mapping[str, Any]) -> Calibration:
    """Return the calibration that `to_table` wrote.

    Raises
    ------
    KnownError
        Something is missing, of the wrong kind, or made for another grid.
    """
    try:
        if abs(float(table["step"]) - STEP) > 1e-9:
            raise ValueError("the grid differs")
        values: dict[str, Any] = {name: int(table[name]) for name in _PLAIN}
        for name in _COUNTS:
            values[name] = tuple(int(v) for v in _fill(table[name], BINS, 0, 0))
        for name, ends in _BOUNDS.items():
            values[name] = tuple(float(v) for v in _fill(table[name], BINS + 1, *ends))
        values["operating_points"] = tuple(
            OperatingPoint(supported=bool(p["supported"]), **{k: float(p[k]) for k in _POINT})
            for p in table["operating_points"]
        )
        return Calibration(
            model_id=str(table["model_id"]),
            condition=Condition(table["condition"]),
            source=str(table["source"]),
            slope=float(table["slope"]),
            intercept=float(table["intercept"]),
            **values,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise KnownError(
            "The calibration of the model cannot be read.",
            f"It is incomplete or damaged ({error}).",
            "Calibrate the model again, or install facegui again if it is a bundled model.",
        ) from error


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return repr(value)


def toml_text(calibration: Calibration, header: str) -> str:
    """Return the calibration as TOML text under a header line such as ``[[model.calibration]]``."""
    table = to_table(calibration)
    points = table.pop("operating_points")
    lines = [header, *(f"{key} = {_toml_value(value)}" for key, value in table.items())]
    lines += ["operating_points = [", *(f"  {_toml_value(point)}," for point in points), "]"]
    return "\n".join(lines) + "\n"

"""Calibrations are put into a manifest, and nothing else in it changes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facegui import paths
from facegui.cli.manifest import with_calibrations, write_calibrations
from facegui.errors import KnownError
from facegui.matching.calibration import Calibration, Condition
from facegui.matching.derivation import derive
from facegui.matching.tables import from_table

PLAIN = """\
# The models.
format = 1

[[model]]
id = "first"
outputs = [
    "a",
]
notes = "one" # a remark

# The second one is better.
[[model]]
id = "second"
[model.extra]
colour = "RGB"

# About the third.
[[model]]
id = "third"
"""


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(12, 32))
    vectors = np.repeat(centres, 4, axis=0) + rng.normal(scale=0.5, size=(48, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    people = np.repeat(np.arange(12), 4)
    return derive(vectors.astype(np.float32), people, model_id="m", source="invented", replicates=50)


def lines_kept(before: str, after: str) -> bool:
    """Tell whether all lines of the first text are in the second one, in their order."""
    rest = iter(after.split("\n"))
    return all(any(line == other for other in rest) for line in before.split("\n") if line)


@pytest.mark.parametrize("model", ["first", "second", "third"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_calibration_is_added_to_its_model_alone(model: str, newline: str, calibration: Calibration) -> None:
    text = PLAIN.replace("\n", newline)
    both = (calibration, replace(calibration, condition=Condition.PROFILE))
    after = with_calibrations(text, model, both)
    assert lines_kept(text, after)
    assert ("\r" in after) == ("\r" in newline)
    for table in tomllib.loads(after)["model"]:
        found = table.pop("calibration", {})
        assert set(found) == ({"frontal", "profile"} if table["id"] == model else set())
        if found:
            assert from_table(found["frontal"]).operating_points == calibration.operating_points


def test_writing_twice_changes_nothing_and_writing_anew_replaces(calibration: Calibration) -> None:
    both = (calibration, replace(calibration, condition=Condition.PROFILE))
    once = with_calibrations(PLAIN, "second", both)
    assert with_calibrations(once, "second", both) == once
    other = with_calibrations(once, "first", (calibration,))
    assert with_calibrations(other, "first", (calibration,)) == other
    fewer = tomllib.loads(with_calibrations(once, "second", (calibration,)))
    assert set(fewer["model"][1]["calibration"]) == {"frontal"}
    assert with_calibrations(once, "second", ()).rstrip() == PLAIN.rstrip()


def test_remarks_before_a_model_stay_with_it(calibration: Calibration) -> None:
    after = with_calibrations(PLAIN, "first", (calibration,))
    assert '# The second one is better.\n[[model]]\nid = "second"' in after
    assert after.index("[model.calibration.frontal]") < after.index("# The second one is better.")


def test_the_bundled_manifest_can_be_written(calibration: Calibration) -> None:
    text = (paths.models_dir() / "manifest.toml").read_text("utf-8")
    after = with_calibrations(text, "arcface+sface", (calibration,))
    before_tables, after_tables = tomllib.loads(text), tomllib.loads(after)
    for document in (before_tables, after_tables):
        for table in document["model"]:
            if table["id"] == "arcface+sface":
                table.pop("calibration", None)
                table.pop("second_opinion", None)
    assert before_tables == after_tables


def test_an_unusual_layout_is_refused_before_harm_is_done(calibration: Calibration) -> None:
    inline = 'model = [{ id = "first" }, { id = "second" }]\n'
    with pytest.raises(ValueError, match="unusual"):
        with_calibrations(inline, "first", (calibration,))
    with pytest.raises(ValueError, match="does not list"):
        with_calibrations(PLAIN, "fourth", (calibration,))


def test_a_file_that_cannot_be_written_is_a_known_error(tmp_path: Path, calibration: Calibration) -> None:
    file = tmp_path / "manifest.toml"
    with pytest.raises(KnownError, match="No such file"):
        write_calibrations(file, "first", (calibration,))
    file.write_bytes(b"\xff")
    with pytest.raises(KnownError):
        write_calibrations(file, "first", (calibration,))
    file.write_text(PLAIN)
    with pytest.raises(KnownError, match="fourth"):
        write_calibrations(file, "fourth", (), dry=True)
    write_calibrations(file, "first", (), dry=True)
    assert file.read_text() == PLAIN
    write_calibrations(file, "first", (calibration,))
    assert "calibration" in file.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["manifest.toml"]

"""Every awkward file comes out as its list says: faces where there are some, clear errors where there is no picture."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest

from facegui.errors import KnownError
from facegui.faces.types import FacePolicy
from facegui.services import Services
from facegui.sources.files import shown_name


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory):
    patch = pytest.MonkeyPatch()
    patch.setenv("FACEGUI_HOME", str(tmp_path_factory.mktemp("home")))
    with Services(model="arcface") as made:
        yield made
    patch.undo()


def listed(folder: Path) -> list[tuple[str, str]]:
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as rows:
        return [(row["file"], row["expect"]) for row in csv.DictReader(rows)]


def outcome(services: Services, path: Path) -> int | None:
    """How many faces were found, or None where the file was refused with a reason and a mend."""
    try:
        return len(services.analyse(path, embed=True).faces)
    except KnownError as error:
        if not (error.what and error.do):
            raise AssertionError(f"{shown_name(path)}: the error lacks what happened or what to do") from error
        return None


def holds(expect: str, faces: int | None) -> bool:
    accepted = {
        "1 face": {1},
        "1 face, turned": {1},
        "1 face, poor": {1},
        "1 face, stretched": {1},
        "1 face if scaled to its range": {1},
        "face maybe": {0, 1},
        "1 face or error": {1, None},
        "error or partial": {0, 1, None},
        "error": {None},
        "no face": {0},
        "no face or refused": {0, None},
    }
    return faces in accepted[expect]


def test_every_listed_file_comes_out_as_it_should(services: Services, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "awkward"
    wrong = []
    for name, expect in listed(folder):
        path = folder / name
        if not path.exists():  # names that no archive carries are made here
            path = tmp_path / name
            shutil.copy(folder / "UPPER.JPG", path)
        faces = outcome(services, path)
        if not holds(expect, faces):
            wrong.append(f"{shown_name(path)}: {expect} expected, {faces} found")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_not_text_is_read(services: Services, shared_data: Path, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    shutil.copy(shared_data / "awkward" / "UPPER.JPG", path)
    assert outcome(services, path) == 1


def test_all_orientations_give_the_same_face(services: Services, shared_data: Path) -> None:
    vectors = []
    for orientation in range(1, 9):
        path = shared_data / "awkward" / f"exif_orientation_{orientation}.jpg"
        photo = services.analyse(path, policy=FacePolicy.LARGEST)
        vectors.append(photo.faces[0].embedding.vector)
    assert min(float(vectors[0] @ other) for other in vectors) > 0.95


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_on_its_side_without_exif_still_matches(
    services: Services, shared_data: Path, orientation: int
) -> None:
    upright = services.probe(shared_data / "awkward" / "exif_orientation_1.jpg")[1]
    turned = services.probe(shared_data / "awkward" / f"rotated_no_exif_{orientation}.jpg")[1]
    assert services.compare(upright, turned).similarity > 0.8

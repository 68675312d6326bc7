"""Who is on which photo: from folders and from lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from facegui.cli.labelled import labelled_photos
from facegui.errors import KnownError


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_folders_name_the_people_and_how_the_face_is_turned(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    touch(
        root / "001" / "frontal" / "01.jpg", root / "001" / "profile" / "01.jpg", root / "Ada" / "a.png",
        root / "deep" / "Ada" / "b.png", root / "loose.jpg", root / "Ada" / "notes.txt",
    )  # fmt: skip
    found = labelled_photos(root)
    names = {path.relative_to(root).as_posix(): (who, turned)
             for path, who, turned in zip(found.paths, found.people, found.profiles, strict=True)}  # fmt: skip
    assert names == {
        "001/frontal/01.jpg": ("001", False), "001/profile/01.jpg": ("001", True), "Ada/a.png": ("Ada", False),
        "deep/Ada/b.png": ("deep/Ada", False),
    }  # fmt: skip
    assert found.unnamed == (root / "loose.jpg",)
    assert found.name == "photos"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_list_names_them_as_well(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "people.csv"
    rows = [["Person", "Path", "Condition"], ["Ada", "a.jpg", "frontal"], [], ["Bob", "b.jpg", "profile"],
            ["Bob", "c.jpg", ""]]  # fmt: skip
    file.write_text("\n".join(delimiter.join(row) for row in rows), "utf-8")
    found = labelled_photos(file)
    assert found.people == ("Ada", "Bob", "Bob")
    assert found.profiles == (False, True, False)
    assert found.paths[0] == tmp_path / "a.jpg"
    assert labelled_photos(file, Path("/else")).paths[0] == Path("/else/a.jpg")


@pytest.mark.parametrize(
    ("content", "word"),
    [("path1,path2,same\na,b,1\n", "path and person"), ("path,person\na.jpg,\n", "Row 2"),
     ("path,person,condition\na.jpg,Ada,upside\n", "upside"), ("path,person\n", "names nobody"),
     ("", "path and person")],
)  # fmt: skip
def test_a_wrong_list_is_told_with_its_row(tmp_path: Path, content: str, word: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(content)
    with pytest.raises(KnownError, match=word):
        labelled_photos(file)


def test_what_names_nobody_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "photos" / "loose.jpg")
    with pytest.raises(KnownError, match="names nobody"):
        labelled_photos(tmp_path / "photos")
    with pytest.raises(KnownError, match="not found"):
        labelled_photos(tmp_path / "nothing")
    (tmp_path / "latin.csv").write_bytes("path,person\na,Zo\u00eb\n".encode("latin-1"))
    with pytest.raises(KnownError, match="UTF-8"):
        labelled_photos(tmp_path / "latin.csv")

"""How a network wants its pixels is found on faces of known people, and is called a guess where it is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pack_networks
import pytest

from facegui.errors import KnownError
from facegui.faces.examine import examine
from facegui.faces.packs import TryFaces, disguised, labelled
from facegui.faces.packs_proposal import CANDIDATES, Preprocessing, candidates, choose, numbers, some_of
from facegui.faces.types import FacePolicy
from facegui.sources.files import read_photo
from tests.faces import astronaut, group, hopper, real_pipeline

PEOPLE = 12
PHOTOS = 3


@pytest.fixture(scope="module")
def samples() -> TryFaces:
    pipeline = real_pipeline()
    found = [pipeline.analyse(read_photo(path), embed=False).faces for path in (group(), astronaut(), hopper())]
    return disguised([face.crop for faces in found for face in faces])


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> TryFaces:
    pipeline = real_pipeline()
    crops, people = [], []
    for person in sorted((shared_data / "cfp-dev" / "images").iterdir())[:PEOPLE]:
        for file in sorted((person / "frontal").iterdir())[:PHOTOS]:
            faces = pipeline.analyse(read_photo(file), FacePolicy.LARGEST, embed=False).faces
            crops += [face.crop for face in faces]
            people += [person.name] * len(faces)
    return labelled(crops, people)


def look(model, folder: Path, faces: TryFaces):  # type: ignore[no-untyped-def]
    stored = folder / "faces.npz"
    np.savez(stored, crops=faces.crops)
    file = pack_networks.save(model, folder / "net.onnx")
    return examine(
        {
            "file": str(file), "out": str(folder / "out.onnx"), "faces": str(stored), "people": list(faces.people),
            "known": faces.known, "threads": 2, "colour": None, "mean": None, "scale": None,
        },
        lambda *_: None,
    )  # fmt: skip


WAYS = {
    "InsightFace's": {"colour": "RGB", "mean": 127.5, "scale": 1 / 127.5},
    "Caffe's": {"colour": "BGR", "mean": 127.5, "scale": 1 / 127.5},
    "0 to 1": {"colour": "BGR", "mean": 0.0, "scale": 1 / 255},
    "as they are": {"colour": "RGB", "mean": 0.0, "scale": 1.0},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_colours_and_scaling_are_found_on_labelled_photos(way, photos: TryFaces, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    found = look(pack_networks.disguised("arcface", **way), tmp_path, photos)
    assert found["way"]["colour"] == way["colour"]
    assert found["way"]["mean"] == pytest.approx([way["mean"]] * 3)
    assert found["way"]["scale"] == pytest.approx([way["scale"]] * 3)
    assert not found["settled"]
    assert found["faces"] == PEOPLE * PHOTOS
    assert found["people"] == PEOPLE
    assert len(found["tried"]) == len(CANDIDATES)
    assert found["tried"][0]["order"] > 0.99
    assert found["tried"][-1]["order"] < 0.9


def test_without_photos_the_scaling_is_guessed_and_the_colours_are_the_usual_ones(
    samples: TryFaces, tmp_path: Path
) -> None:
    found = look(pack_networks.disguised("sface", colour="BGR", mean=0.0, scale=1.0), tmp_path, samples)
    assert found["words"] == "RGB, pixels as they are"
    assert not found["clear"]
    assert not samples.known


def test_a_network_that_tells_nobody_apart_is_refused_when_people_are_known(samples: TryFaces, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    noise = labelled(rng.integers(0, 256, (24, 112, 112, 3), np.uint8), [str(n // 2) for n in range(24)])
    with pytest.raises(KnownError, match="does not tell people apart"):
        look(pack_networks.resnet(), tmp_path, noise)


def test_what_is_known_is_not_tried() -> None:
    assert candidates("BGR", (1.0, 2.0, 3.0), (0.5,) * 3, whole=False) == (
        Preprocessing("BGR", (1.0, 2.0, 3.0), (0.5,) * 3),
    )
    assert {way.colour for way in candidates(None, (127.5,) * 3, None, whole=False)} == {"RGB", "BGR"}
    assert all(way.colour == "RGB" for way in candidates("RGB", None, None, whole=False))
    assert all(set(way.scale) == {1.0} for way in candidates(None, None, None, whole=True))


def test_nearly_equal_ways_are_settled_by_what_is_usual_and_only_certain_ones_are_clear() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(10), 4)
    centres = rng.standard_normal((10, 32))
    noise = rng.standard_normal((40, 32))
    spread = {0: 0.9, 1: 0.5, 2: 0.5001, 3: 3.0}
    ways = CANDIDATES[:4]

    def embed(way: Preprocessing) -> np.ndarray:
        return (centres[people] + spread[ways.index(way)] * noise).astype(np.float32)

    chosen = choose(ways, embed, people)
    assert chosen.way is ways[1]
    assert chosen.clear
    assert [ways.index(each.way) for each in chosen.tried] in ([1, 2, 0, 3], [2, 1, 0, 3])

    few = choose(ways, lambda way: embed(way)[:8], people[:8])
    assert not few.clear


def test_ways_that_give_no_numbers_lose() -> None:
    people = np.repeat(np.arange(6), 2)
    good = np.random.default_rng(1).standard_normal((6, 16)).repeat(2, axis=0).astype(np.float32)
    good[1::2] += 0.1
    answers = {0: np.full((12, 16), np.nan, np.float32), 1: good, 2: np.zeros((12, 16), np.float32)}
    ways = CANDIDATES[:3]
    assert choose(ways, lambda way: answers[ways.index(way)], people).way is ways[1]


def test_the_faces_to_try_on_are_of_many_people_with_two_each() -> None:
    people = ["alone"] + [name for name in "abcdef" for _ in range(5)]
    chosen = some_of(people, 12)
    taken = [people[place] for place in chosen]
    assert len(chosen) <= 12
    assert chosen == sorted(chosen)
    assert "alone" not in taken
    assert all(2 <= taken.count(name) <= 4 for name in set(taken))
    assert set(some_of(people, 400)) >= {0}


@pytest.mark.parametrize(
    ("text", "values"), [("127.5", (127.5,) * 3), ("1/128", (1 / 128,) * 3), ("1,2,3", (1.0, 2.0, 3.0))]
)
def test_numbers_may_be_fractions_and_one_for_each_colour(text: str, values: tuple[float, ...]) -> None:
    assert numbers(text) == values


@pytest.mark.parametrize("text", ["", "a", "1,2", "1/0", "nan", "1,2,3,4", "inf"])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(KnownError, match="not a mean or a scale"):
        numbers(text)

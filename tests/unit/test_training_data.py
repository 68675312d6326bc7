"""Training pictures: where they come from, how they are changed, and which make up a batch."""

from __future__ import annotations

import csv
import pickle
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.faces.types import FacePolicy
from facegui.jobs import run
from facegui.training.augment import NONE, Augmentation, augmented, normalised
from facegui.training.data import Arrays, Folders, open_pictures, scaled
from facegui.training.prepare import LIST, prepare
from facegui.training.recordio import RecordFile

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import training_records

from tests.faces import astronaut, hopper, real_pipeline

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (6, 20, 20, 3), np.uint8)
LABELS = [4, 4, 9, 9, 9, 30]


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def rows() -> list[tuple[int, bytes]]:
    return [(label, png(picture)) for label, picture in zip(LABELS, PICTURES, strict=True)]


@pytest.mark.parametrize("identities", [True, False])
@pytest.mark.parametrize("index", [True, False])
def test_records_give_back_what_was_written(tmp_path: Path, identities: bool, index: bool) -> None:
    file = training_records.write(tmp_path / "train.rec", rows(), identities=identities, index=index)
    found = open_pictures(tmp_path if index else file)
    assert found.labels.tolist() == [0, 0, 1, 1, 1, 2]
    assert found.names == ("4", "9", "30")
    assert all(np.array_equal(found.picture(n), PICTURES[n]) for n in range(6))


def test_a_record_that_holds_the_magic_number_itself_comes_back_whole(tmp_path: Path) -> None:
    awkward = b"abcd" + training_records.MAGIC + b"efgh" + training_records.MAGIC * 2 + b"x"
    file = training_records.write(tmp_path / "a.rec", [(1, awkward), (2, b"plain")], identities=False)
    records = RecordFile(file)
    assert [records.encoded(n) for n in range(2)] == [awkward, b"plain"]
    assert records.labels.tolist() == [1, 2]


def test_records_travel_to_another_process(tmp_path: Path) -> None:
    records = RecordFile(training_records.write(tmp_path / "a.rec", rows()))
    assert pickle.loads(pickle.dumps(records)).encoded(3) == records.encoded(3)


@pytest.mark.parametrize("cut", [0, 5, 30, 200])
def test_a_record_file_that_was_cut_off_is_called_damaged(tmp_path: Path, cut: int) -> None:
    whole = training_records.write(tmp_path / "a.rec", rows(), index=False).read_bytes()
    (tmp_path / "b.rec").write_bytes(whole[:cut] if cut < 200 else whole[:-100])
    with pytest.raises(KnownError, match="damaged"):
        RecordFile(tmp_path / "b.rec")


def test_a_record_file_of_something_else_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.rec").write_bytes(b"these are no records at all")
    with pytest.raises(KnownError, match="no record starts here"):
        RecordFile(tmp_path / "a.rec")


def test_another_process_does_not_go_through_the_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = RecordFile(training_records.write(tmp_path / "train.rec", rows()))
    sent = pickle.dumps(records)
    monkeypatch.setattr(RecordFile, "_label", lambda *_: pytest.fail("it reads every label anew"))
    again = pickle.loads(sent)
    assert again.labels.tolist() == LABELS
    assert again.encoded(5) == png(PICTURES[5])


def test_a_first_record_with_several_labels_and_a_picture_is_a_picture(tmp_path: Path) -> None:
    """InsightFace's first record has two labels and no picture; other sets have several labels with each picture."""
    data = [training_records.packed([float(label), 7.0], picture) for label, picture in rows()]
    (tmp_path / "train.rec").write_bytes(b"".join(training_records.record(each) for each in data))
    records = RecordFile(tmp_path / "train.rec")
    assert records.labels.tolist() == LABELS
    assert records.encoded(0) == png(PICTURES[0])


def test_an_index_that_was_cut_off_leaves_no_picture_out_silently(tmp_path: Path) -> None:
    file = training_records.write(tmp_path / "train.rec", rows())
    lines = file.with_suffix(".idx").read_text().splitlines(keepends=True)
    file.with_suffix(".idx").write_text("".join(lines[:4]))
    with pytest.raises(KnownError, match=r"incomplete.*6 pictures; 3 of them"):
        RecordFile(file)


@pytest.mark.parametrize("text", ["0\t0\n1\tx\n", "0\t0\n1\n", "0\t0\n1\t-8\n", "0\t0\n1\t99999999\n", "0\t0\n1\t4\n"])
def test_a_damaged_index_is_told(tmp_path: Path, text: str) -> None:
    file = training_records.write(tmp_path / "train.rec", rows(), identities=False)
    file.with_suffix(".idx").write_text(text)
    with pytest.raises(KnownError, match=r"cannot be used|is damaged"):
        RecordFile(file)


def test_an_index_in_any_order_gives_the_same_pictures(tmp_path: Path) -> None:
    file = training_records.write(tmp_path / "train.rec", rows())
    lines = file.with_suffix(".idx").read_text().splitlines(keepends=True)
    file.with_suffix(".idx").write_text("".join(reversed(lines)))
    records = RecordFile(file)
    assert records.labels.tolist() == LABELS
    assert [records.encoded(n) for n in range(len(records))] == [data for _, data in rows()]


def test_a_label_that_is_no_number_is_called_damage(tmp_path: Path) -> None:
    data = training_records.record(training_records.packed([float("nan")], png(PICTURES[0])))
    (tmp_path / "train.rec").write_bytes(data)
    with pytest.raises(KnownError, match="label is no number"):
        RecordFile(tmp_path / "train.rec")


def test_folders_are_people(tmp_path: Path) -> None:
    for number, (name, picture) in enumerate(zip("aabbbc", PICTURES, strict=True)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / f"{number}.png").write_bytes(png(picture))
    (tmp_path / LIST).write_text("not a picture")
    found = open_pictures(tmp_path)
    assert found.names == ("a", "b", "c")
    assert found.labels.tolist() == [0, 0, 1, 1, 1, 2]
    assert np.array_equal(found.picture(2), PICTURES[2])


def test_arrays_are_read_as_pixels_and_as_jpegs(tmp_path: Path) -> None:
    grey = PICTURES[..., 0]
    np.savez(tmp_path / "grey.npz", x_train=grey, y_train=LABELS, x_test=grey[:2], y_test=LABELS[:2])
    found = open_pictures(tmp_path / "grey.npz")
    assert np.array_equal(found.picture(1), np.repeat(grey[1][..., None], 3, 2))
    assert len(open_pictures(tmp_path / "grey.npz", split="test")) == 2
    parts = [cv2.imencode(".jpg", picture[..., ::-1])[1].ravel() for picture in PICTURES]
    np.savez(
        tmp_path / "jpeg.npz", jpeg_train=np.concatenate(parts), end_train=np.cumsum([len(p) for p in parts]),
        y_train=LABELS, names=["cat", "dog", "fox"],
    )  # fmt: skip
    jpegs = open_pictures(tmp_path / "jpeg.npz")
    assert jpegs.names == ("cat", "dog", "fox")
    assert np.array_equal(jpegs.picture(4), cv2.imdecode(parts[4], cv2.IMREAD_COLOR_RGB))


def test_mnist_and_cifar_are_read(shared_data: Path) -> None:
    mnist = Arrays(shared_data / "benchmarks" / "mnist.npz")
    assert (len(mnist), mnist.picture(0).shape, len(mnist.names)) == (60_000, (28, 28, 3), 10)
    cifar = Arrays(shared_data / "benchmarks" / "cifar10_jpeg.npz", "test")
    assert (len(cifar), cifar.picture(4999).shape) == (5_000, (32, 32, 3))
    assert "frog" in cifar.names


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "nowhere", "was not found"),
        (lambda folder: folder, "holds no pictures of anybody"),
        (lambda folder: _file(folder / "a.txt", b"x"), "is no training data"),
        (lambda folder: _file(folder / "a.npz", b"x"), "cannot be read"),
        (lambda folder: _archive(folder / "a.npz", x_train=[1, 2]), "not laid out"),
        (lambda folder: _archive(folder / "a.npz", x_train=PICTURES, y_train=[1]), "not laid out"),
    ],
)
def test_bad_data_is_refused_in_words(tmp_path: Path, make: object, words: str) -> None:
    with pytest.raises(KnownError, match=words):
        open_pictures(make(tmp_path))


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _archive(path: Path, **arrays: object) -> Path:
    np.savez(path, **{name: np.asarray(value) for name, value in arrays.items()})
    return path


def test_a_picture_with_pickled_objects_in_its_archive_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=np.array([{"a": 1}], object), y_train=[1])
    with pytest.raises(KnownError, match="cannot be read"):
        open_pictures(tmp_path / "a.npz")


def test_torchvision_is_named_where_it_is_missing(tmp_path: Path) -> None:
    import importlib.util

    if importlib.util.find_spec("torchvision") is not None:
        pytest.skip("torchvision is installed")
    with pytest.raises(KnownError, match="torchvision is not installed"):
        open_pictures(tmp_path, kind="cifar10")


def test_a_torchvision_that_does_not_fit_is_told_not_thrown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when it was built for another PyTorch: it fails while it is loaded."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(KnownError, match=r"nms does not exist.* belongs to the installed PyTorch"):
        open_pictures(tmp_path, kind="mnist")


ALL = Augmentation(flip=1, colour=1, blur=1, low_resolution=1, occlusion=1)


def test_changes_are_repeated_by_the_same_generator_and_leave_the_original_alone() -> None:
    picture = RNG.integers(0, 256, (112, 112, 3), np.uint8)
    before = picture.copy()
    one, two = (augmented(picture, ALL, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.array_equal(picture, before)
    assert (one.shape, one.dtype) == (picture.shape, np.uint8)
    assert not np.array_equal(one, augmented(picture, ALL, np.random.default_rng(6)))


@pytest.mark.parametrize("name", ["flip", "colour", "blur", "low_resolution", "occlusion"])
def test_each_change_is_made_as_often_as_asked(name: str) -> None:
    picture = RNG.integers(0, 256, (40, 40, 3), np.uint8)
    how = Augmentation(**({"flip": 0.0} | {name: 0.3}))
    rng = np.random.default_rng(1)
    changed = sum(not np.array_equal(augmented(picture, how, rng), picture) for _ in range(400))
    assert 85 < changed < 155
    assert np.array_equal(augmented(picture, NONE, rng), picture)


def test_a_flip_mirrors_and_an_occlusion_covers_a_fifth_at_most() -> None:
    picture = RNG.integers(0, 256, (112, 112, 3), np.uint8)
    rng = np.random.default_rng(2)
    assert np.array_equal(augmented(picture, Augmentation(flip=1), rng), picture[:, ::-1])
    for _ in range(30):
        covered = augmented(picture, Augmentation(flip=0, occlusion=1), rng)
        assert 0.01 < (covered != picture).any(2).mean() < 0.22


def test_networks_get_colours_first_from_minus_one_to_one() -> None:
    values = normalised(np.array([[[0, 127, 255]]], np.uint8))
    assert values.ravel().tolist() == pytest.approx([-1, -1 / 255, 1], abs=1e-6)
    assert values.shape == (3, 1, 1)
    assert scaled(PICTURES[0]).shape == (112, 112, 3)


class TestBatches:
    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

    @staticmethod
    def places(**options: object) -> list[list[int]]:
        from facegui.training.sampling import Batches

        given = {"labels": np.repeat(np.arange(10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), "batch": 5, "steps": 11}
        return [[place for place, _ in batch] for batch in Batches(**(given | options))]

    def test_every_picture_comes_once_a_round_over_all_ranks(self) -> None:
        seen = [place for rank in (0, 1) for batch in self.places(steps=5, rank=rank, ranks=2) for place in batch]
        assert len(seen) == len(set(seen)) == 50

    def test_a_run_taken_up_again_sees_what_it_would_have_seen(self) -> None:
        for balanced in (0, 5):
            assert self.places(start=6, balanced=balanced) == self.places(balanced=balanced)[6:]

    def test_rounds_differ(self) -> None:
        found = self.places(steps=22)
        assert found[:11] != found[11:]

    def test_balanced_batches_hold_so_many_pictures_of_each_person(self) -> None:
        labels = np.repeat(np.arange(10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        found = self.places(batch=12, balanced=3, steps=400)
        counts = np.zeros(10)
        for batch in found:
            people, each = np.unique(labels[batch], return_counts=True)
            assert (each % 3 == 0).all()
            counts[people] += each
        assert counts.max() / counts.min() < 1.35

    def test_too_few_pictures_and_uneven_batches_are_refused(self) -> None:
        with pytest.raises(KnownError, match="cannot be filled"):
            self.places(batch=56)
        with pytest.raises(KnownError, match="no multiple"):
            self.places(batch=5, balanced=2)


def test_crops_are_prepared_from_photos_and_a_broken_off_run_goes_on(tmp_path: Path) -> None:
    """The app's own alignment, one folder per person; photos without a face and broken ones are counted."""
    from facegui.sources.files import read_photo

    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty.png"
    broken.write_bytes(b"nothing")
    cv2.imwrite(str(empty), np.full((200, 200, 3), 128, np.uint8))
    photos = [astronaut(), hopper(), broken, empty]
    people = ["Eileen Collins", "navy/Grace Hopper", "x", "y"]
    pipeline, out = real_pipeline(), tmp_path / "crops"

    def job(count: int):  # type: ignore[no-untyped-def]
        return prepare(photos[:count], people[:count], out, pipeline, read_photo, lambda error, _: error.what)

    half = job(4)
    while next(half).done < 1:
        pass
    half.close()
    with (out / LIST).open("a") as listed:
        listed.write("half a row that a kill left")
    made = run(job(4))
    assert (made.people, made.photos, made.crops, made.without_face, len(made.unreadable)) == (2, 4, 2, 1, 1)
    assert made.skipped >= 1
    crops = Folders(out)
    assert crops.names == ("Eileen Collins", "navy/Grace Hopper")
    face = pipeline.analyse(read_photo(astronaut()), FacePolicy.LARGEST, embed=False).faces[0]
    assert np.array_equal(crops.picture(0), face.crop)
    with (out / LIST).open(newline="") as listed:
        assert len(list(csv.reader(listed))) == 5


def prepared(photos: list[Path], people: list[str], out: Path):  # type: ignore[no-untyped-def]
    from facegui.sources.files import read_photo

    return run(prepare(photos, people, out, real_pipeline(), read_photo, lambda error, _: error.what))


def crops_in(out: Path) -> list[str]:
    return sorted(file.relative_to(out).as_posix() for file in out.rglob("*.png"))


def test_a_kill_between_a_crop_and_its_row_leaves_no_crop_to_be_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import facegui.training.prepare as module

    class Killed(BaseException):
        pass

    class Writer:
        def __init__(self, file: object) -> None:
            self.rows = 0

        def writerow(self, row: list[str]) -> None:
            self.rows += 1
            if self.rows == 2:
                raise Killed

    photos, people, out = [astronaut(), hopper()], ["Eileen", "Grace"], tmp_path / "crops"
    monkeypatch.setattr(module.csv, "writer", Writer)
    with pytest.raises(Killed):
        prepared(photos, people, out)
    monkeypatch.undo()
    assert prepared(photos, people, out).crops == 2
    assert crops_in(out) == [f"Eileen/{astronaut().stem}.png", f"Grace/{hopper().stem}.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_awkward_names_are_done_once_and_stop_nothing(tmp_path: Path) -> None:
    """Line ends, separators, bytes that are no text, and names as long as names can be."""
    import os

    folder, suffix = tmp_path / "photos", astronaut().suffix
    folder.mkdir()
    data = astronaut().read_bytes()
    names = [b"a\nb", "c\u2028d".encode(), b"e\xff", b'f"g', b"l" * (255 - len(suffix))]
    photos = []
    for name in names:
        photos.append(Path(os.fsdecode(os.fsencode(folder) + b"/" + name + suffix.encode())))
        photos[-1].write_bytes(data)
    first = prepared(photos, ["Eileen"] * len(photos), tmp_path / "crops")
    again = prepared(photos, ["Eileen"] * len(photos), tmp_path / "crops")
    assert (first.crops, first.skipped) == (len(names), 0)
    assert (again.crops, again.skipped) == (len(names), len(names))
    assert len(crops_in(tmp_path / "crops")) == len(names)


def test_two_people_never_share_a_folder_whatever_their_names(tmp_path: Path) -> None:
    photos = []
    for number, file in enumerate((astronaut(), hopper(), astronaut())):
        photos.append(tmp_path / f"{number}" / f"x{file.suffix}")
        photos[-1].parent.mkdir()
        photos[-1].write_bytes(file.read_bytes())
    people, out = ["A:B", "A_B", "a_b"], tmp_path / "crops"
    assert prepared(photos[:2], people[:2], out).people == 2
    assert prepared(photos, people, out).people == 3
    assert Folders(out).labels.tolist() == [0, 1, 2]


def test_a_link_is_a_photo_of_its_own_and_a_photo_of_two_people_is_refused(tmp_path: Path) -> None:
    link = tmp_path / f"link{hopper().suffix}"
    link.symlink_to(hopper())
    for _ in range(2):
        made = prepared([hopper(), link], ["Grace", "Grace Hopper"], tmp_path / "crops")
        assert (made.photos, made.crops, made.people) == (2, 2, 2)
    with pytest.raises(KnownError, match="listed twice"):
        prepared([hopper(), hopper()], ["Grace", "Eileen"], tmp_path / "crops")


def test_crops_are_not_mixed_into_a_folder_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("hello")
    with pytest.raises(KnownError, match="is not empty"):
        run(prepare([], [], tmp_path, real_pipeline(), lambda path: None, lambda error, path: ""))

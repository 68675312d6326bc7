"""Protocols in the layouts in which their makers pass them on, each built small."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.matching.protocols import (
    open_protocol,
    pair_people,
    read_bin,
    read_lfw,
    read_one_line,
    read_two_lines,
)


def touch(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


# --- two lines a pair: CALFW, CPLFW -------------------------------------------------------------------------------

CALFW = (
    "Ada_Lee_0001.jpg 1\nAda_Lee_0002.jpg 1\nBea_0001.jpg 2\nBea_0003.jpg 2\n"
    "Ada_Lee_0001.jpg 0\nBea_0001.jpg 0\nBea_0003.jpg 0\nAda_Lee_0002.jpg 0\n"
)


@pytest.mark.parametrize("folder", ["aligned images", "images&landmarks/images&landmarks/images", "."])
def test_calfw_is_recognised_and_its_photos_are_found(tmp_path: Path, folder: str) -> None:
    root = tmp_path / "calfw"
    write(root / "pairs_CALFW.txt", CALFW)
    touch(root / folder, ["Ada_Lee_0001.jpg", "Ada_Lee_0002.jpg", "Bea_0001.jpg", "Bea_0003.jpg"])
    found = open_protocol(root)
    assert found.kind == "calfw"
    assert found.pairs.same.tolist() == [True, True, False, False]
    assert found.pairs.folds.tolist() == [0, 1, 0, 1]
    assert len(np.unique(found.pairs.people)) == 2
    assert all(file.is_file() for file in found.files)
    assert not found.aligned
    assert open_protocol(root / "pairs_CALFW.txt").files == found.files
    assert open_protocol(root, "calfw").files == found.files


def test_cplfw_has_no_folds_of_its_own(tmp_path: Path) -> None:
    lines = "".join(f"P{k}_1.jpg 1\nP{k}_2.jpg 1\nP{k}_1.jpg 0\nP{k + 1}_2.jpg 0\n" for k in range(20))
    file = write(tmp_path / "pairs_CPLFW.txt", lines)
    found = open_protocol(file)
    assert found.kind == "cplfw"
    assert np.bincount(found.pairs.folds).tolist() == [4] * 10
    assert len(np.unique(found.pairs.people)) == 21


def test_names_that_contradict_the_labels_name_nobody(tmp_path: Path) -> None:
    pairs = read_two_lines(write(tmp_path / "list.txt", "x_0001.jpg 1\ny_0001.jpg 1\nx_0001.jpg 0\nx_0002.jpg 0\n"))
    assert pairs.people[pairs.left[0]] == pairs.people[pairs.right[0]]
    assert pairs.people[pairs.left[1]] != pairs.people[pairs.right[1]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a_1.jpg 1\n", "lacks the second"),
        ("a_1.jpg 1\na_2.jpg 0\n", "Row 2"),
        ("a_1.jpg\n", "Row 1"),
        ("", "no pairs"),
    ],
)
def test_a_wrong_list_of_two_lines_is_explained(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(KnownError, match=words):
        read_two_lines(write(tmp_path / "pairs_CALFW.txt", text))


# --- one line a pair: AgeDB-30 and folders of crops ---------------------------------------------------------------


def test_agedb_as_a_folder_of_crops_with_its_list(tmp_path: Path) -> None:
    crops = tmp_path / "agedb_30_112x112"
    names = ["0_AdaLee_35_f.jpg", "1_AdaLee_65_f.jpg", "2_BeaOne_20_f.jpg"]
    touch(crops, names)
    one, two, other = (f"{crops.name}/{name}" for name in names)
    write(tmp_path / "agedb_30_ann.txt", f"1 {one} {two}\n0 {one} {other}\n")
    found = open_protocol(tmp_path)
    assert found.kind == "agedb"
    assert found.aligned
    assert all(file.is_file() for file in found.files)
    assert found.pairs.people.tolist() == [0, 0, 1]


@pytest.mark.parametrize("text", ["1 a.jpg b.jpg\n0 a.jpg c.jpg\n", "a.jpg b.jpg 1\na.jpg c.jpg 0\n",
                                  "1\ta.jpg\tb.jpg\n-1\ta.jpg\tc.jpg\n", "1,a.jpg,b.jpg\n0,a.jpg,c.jpg\n",
                                  "1 a.jpg, b.jpg\n0 a.jpg, c.jpg\n"])  # fmt: skip
def test_the_label_may_stand_first_or_last(tmp_path: Path, text: str) -> None:
    pairs = read_one_line(write(tmp_path / "agedb_pairs.txt", text))
    assert pairs.paths == ("a.jpg", "b.jpg", "c.jpg")
    assert pairs.same.tolist() == [True, False]
    assert open_protocol(tmp_path).kind == "agedb"


@pytest.mark.parametrize("sign", [",", "\t"])
def test_names_may_hold_spaces_apostrophes_and_any_letters(tmp_path: Path, sign: str) -> None:
    names = ["Émile d'Ys/a 1.jpg", "Émile d'Ys/b.jpg", "Øy/c.jpg"]
    rows = [("1", *names[:2]), ("0", names[0], names[2])]
    write(tmp_path / "agedb_pairs.txt", "".join(f"{sign.join(row)}\r\n" for row in rows))
    touch(tmp_path, names)
    found = open_protocol(tmp_path)
    assert found.kind == "agedb"
    assert all(file.is_file() for file in found.files)


def test_a_list_whose_files_have_another_suffix_is_found(tmp_path: Path) -> None:
    write(tmp_path / "agedb_pairs.txt", "1 a.jpg b.jpg\n0 a.jpg c.jpg\n")
    touch(tmp_path / "AgeDB", ["a.png", "b.png", "c.png"])
    assert [file.name for file in open_protocol(tmp_path).files] == ["a.png", "b.png", "c.png"]


# --- LFW ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "suffix"), [("lfw-deepfunneled", "jpg"), ("lfw_112x112", "png"), (".", "jpg")])
def test_lfw_as_a_folder(tmp_path: Path, folder: str, suffix: str) -> None:
    write(tmp_path / "pairs.txt", "1\t1\nAda\t1\t2\nAda\t1\tBea\t1\n")
    touch(tmp_path / folder, [f"{n}.{suffix}" for n in ("Ada/Ada_0001", "Ada/Ada_0002", "Bea/Bea_0001")])
    found = open_protocol(tmp_path)
    assert (found.kind, found.aligned) == ("lfw", "112" in folder)
    assert all(file.is_file() for file in found.files)


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_photos_of_lfw_may_lie_in_one_folder(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / "pairs.txt", "1\t1\nAda\t1\t2\nAda\t1\tBea\t1\n")
    touch(tmp_path / "lfw", [f"{name}.{suffix}" for name in ("Ada_0001", "Ada_0002", "Bea_0001")])
    found = open_protocol(tmp_path)
    assert all(file.is_file() for file in found.files)
    assert found.pairs.people.tolist() == [0, 0, 1]


def test_photos_with_the_same_names_in_many_folders_are_never_taken_for_one_another(tmp_path: Path) -> None:
    write(tmp_path / "pairs.csv", "path1,path2,same\nada/1.jpg,ada/2.jpg,1\nada/1.jpg,bea/1.jpg,0\n")
    touch(tmp_path / "other", ["1.jpg", "2.jpg"])
    assert not any(file.is_file() for file in open_protocol(tmp_path).files)


@pytest.mark.skipif(os.name == "nt", reason="there these are the usual paths")
def test_a_list_made_on_windows_is_found(tmp_path: Path) -> None:
    write(tmp_path / "pairs.csv", "\ufeffpath1,path2,same\r\nada\\1.jpg,ada\\2.jpg,1\r\nada\\1.jpg,bea\\1.jpg,0\r\n")
    touch(tmp_path, ["ada/1.jpg", "ada/2.jpg", "bea/1.jpg"])
    assert all(file.is_file() for file in open_protocol(tmp_path / "pairs.csv").files)


# --- folds of lists that do not name them ---


def rows_of(order: list[bool]) -> list[tuple[str, str, bool]]:
    return [(f"{n}a.jpg", f"{n}b.jpg", same) for n, same in enumerate(order)]


@pytest.mark.parametrize(
    ("order", "folds"),
    [
        ([True, True, False, False] * 10, [n for n in range(10) for _ in range(4)]),  # fold after fold
        ([True] * 20 + [False] * 20, [n for n in range(10) for _ in range(2)] * 2),  # kind after kind
    ],
)
def test_the_folds_of_a_list_are_runs_of_neighbours(tmp_path: Path, order: list[bool], folds: list[int]) -> None:
    """Dealt out in turn, the pairs of one person would lie in all folds, and no figure would be comparable."""
    one = "".join(f"{int(same)} {a} {b}\n" for a, b, same in rows_of(order))
    assert read_one_line(write(tmp_path / "agedb_30_ann.txt", one)).folds.tolist() == folds
    two = "".join(f"{a} {int(same)}\n{b} {int(same)}\n" for a, b, same in rows_of(order))
    assert read_two_lines(write(tmp_path / "pairs_CPLFW.txt", two)).folds.tolist() == folds


def test_calfw_names_the_folds_of_same_pairs_and_different_ones_follow_in_order(tmp_path: Path) -> None:
    tokens = [n + 1 for n in range(10) for _ in range(2)] + [0] * 20
    text = "".join(f"{n}a.jpg {token}\n{n}b.jpg {token}\n" for n, token in enumerate(tokens))
    folds = read_two_lines(write(tmp_path / "pairs_CALFW.txt", text)).folds.tolist()
    assert folds == [n for n in range(10) for _ in range(2)] * 2


def test_the_first_row_of_lfw_is_believed_only_where_the_rows_agree(tmp_path: Path) -> None:
    rows = [f"Ada\t1\t{n}" for n in range(2, 22)] + [f"Ada\t1\tBea\t{n} " for n in range(1, 31)]
    folds = read_lfw(write(tmp_path / "pairs.txt", "10\t300\n" + "\n".join(rows))).folds
    assert np.bincount(folds).tolist() == [5] * 10
    whole = [f"Ada\t1\t{n}" for n in range(2, 5)] + [f"Ada\t1\tBea\t{n}" for n in range(1, 4)]
    assert read_lfw(write(tmp_path / "pairs.txt", "2\t3\n" + "\n".join(whole * 2))).folds.tolist() == [0] * 6 + [1] * 6


# --- CFP ----------------------------------------------------------------------------------------------------------


def cfp(root: Path, photos: Path, people: list[str], folds: int = 10) -> Path:
    """Make the official layout over photos of these people: ``NNN/frontal/NN.jpg`` and ``NNN/profile/NN.jpg``."""
    (root / "Data").mkdir(parents=True)
    (root / "Data" / "Images").symlink_to(photos, target_is_directory=True)
    for letter, turned in (("F", "frontal"), ("P", "profile")):
        lines = [f"{n} ../Data/Images/{who}/{turned}/01.jpg" for n, who in enumerate(people, 1)]
        lines += [f"{n} ../Data/Images/{who}/{turned}/02.jpg" for n, who in enumerate(people, len(people) + 1)]
        write(root / "Protocol" / f"Pair_list_{letter}.txt", "\n".join(lines) + "\n")
    n = len(people)
    for fold in range(folds):
        mine = range(fold + 1, n + 1, folds)
        place = root / "Protocol" / "Split"
        write(place / "FF" / f"{fold + 1:02d}" / "same.txt", "".join(f"{k},{k + n}\n" for k in mine))
        write(place / "FF" / f"{fold + 1:02d}" / "diff.txt", "".join(f"{k},{k % n + 1 + n}\n" for k in mine))
        write(place / "FP" / f"{fold + 1:02d}" / "same.txt", "".join(f"{k},{k}\n" for k in mine))
        write(place / "FP" / f"{fold + 1:02d}" / "diff.txt", "".join(f"{k},{k % n + 1}\n" for k in mine))
    return root


def test_cfp_has_two_protocols_and_one_is_chosen(tmp_path: Path) -> None:
    photos, people = tmp_path / "photos", [f"{n:03d}" for n in range(1, 21)]
    touch(photos, [f"{who}/{turned}/0{n}.jpg" for who in people for turned in ("frontal", "profile") for n in (1, 2)])
    root = cfp(tmp_path / "cfp-dataset", photos, people)
    with pytest.raises(KnownError, match="cfp-ff"):
        open_protocol(root)
    for kind, turned in (("cfp-ff", "frontal"), ("cfp-fp", "profile")):
        split = root / "Protocol" / "Split" / kind[-2:].upper()
        # The window cannot be told the kind: there the folder of the folds is chosen.
        for named, told in ((root, kind), (root / "Protocol", kind), (split, None)):
            found = open_protocol(named, told)
            assert (found.kind, len(found.pairs), int(found.pairs.same.sum())) == (kind, 40, 20)
            assert np.bincount(found.pairs.folds).tolist() == [4] * 10
            assert all(file.is_file() for file in found.files)
            assert turned in found.files[int(found.pairs.right[0])].parts


@pytest.mark.parametrize("kind", ["cfp-ff", "cfp-fp"])
def test_the_protocol_of_cfp_runs_on_real_photos(
    shared_data: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    from facegui.cli import main

    people = [f"{n:03d}" for n in range(1, 11)]
    root = cfp(tmp_path / "cfp-dataset", shared_data / "cfp-dev" / "images", people)
    capsys.readouterr()
    assert main(["evaluate", str(root), "--protocol", kind, "--model", "arcface", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["protocol"], found["pairs"], found["photos_unreadable"]) == (kind, 20, {})
    assert len(found["figures"]["folds"]["accuracies"]) == 10
    assert [tar["fmr"] for tar in found["figures"]["tar"]] == [1e-1, 1e-2, 1e-3, 1e-4]
    # Frontal pairs are easy; of the profile ones this small network misses some.
    assert found["figures"]["auc"] > (0.99 if kind == "cfp-ff" else 0.8)


# --- .bin ---------------------------------------------------------------------------------------------------------


def pictures(count: int) -> list[bytes]:
    rng = np.random.default_rng(0)
    return [cv2.imencode(".jpg", rng.integers(0, 256, (112, 112, 3), np.uint8))[1].tobytes() for _ in range(count)]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("form", ["bytes", "arrays"])
def test_a_set_of_insightface(tmp_path: Path, protocol: int, form: str) -> None:
    made = pictures(24)
    made[23] = made[0]
    bins = made if form == "bytes" else [np.frombuffer(picture, np.uint8) for picture in made]
    same = [True, False] * 6 if form == "bytes" else np.array([True, False] * 6)
    file = tmp_path / "lfw.bin"
    file.write_bytes(pickle.dumps((bins, same), protocol))
    pairs, found = read_bin(file)
    assert (len(pairs), pairs.same.tolist(), pairs.name) == (12, [True, False] * 6, "lfw")
    assert [found[k] for k in pairs.left] == made[::2]
    assert [found[k] for k in pairs.right] == made[1::2]
    assert len(found) == 23
    assert pairs.folds.tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]  # as a KFold without shuffling
    opened = open_protocol(tmp_path)
    assert (opened.kind, opened.aligned, opened.files[0].name) == ("bin", True, "00001")


class Harmful:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> object:
        return os.system, (f"touch {self.file}",)


def test_a_hostile_set_is_refused_and_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    file = tmp_path / "lfw.bin"
    file.write_bytes(pickle.dumps((pictures(2), [Harmful(proof)])))
    with pytest.raises(KnownError, match=r"was not opened.*system") as caught:
        read_bin(file)
    assert "Nothing of it was run" in caught.value.do
    assert not proof.exists()


def test_a_picture_that_is_named_many_times_is_held_once(tmp_path: Path) -> None:
    """Each time takes two bytes in the file: copied, a small file would fill the memory."""
    import tracemalloc

    one = np.zeros(1 << 20, np.uint8)
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps(([one] * 400, [True] * 200)))
    tracemalloc.start()
    try:
        pairs, pictures = read_bin(tmp_path / "lfw.bin")
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert (len(pairs), len(pictures)) == (200, 1)
    data = pickle.dumps(one.tobytes(), 4)[2:-1]  # the picture's bytes, once
    head = b"cnumpy._core.numeric\n_frombuffer\nr\x01\x00\x00\x000cnumpy\ndtype\n(U\x02u1tRr\x02\x00\x00\x000"
    array = b"j\x01\x00\x00\x00(j\x03\x00\x00\x00j\x02\x00\x00\x00J\x00\x00\x10\x00\x85U\x01CtR"
    (tmp_path / "x.bin").write_bytes(
        b"\x80\x04" + head + data.rstrip(b"\x94") + b"r\x03\x00\x00\x000](" + array * 4 + b"e](\x88\x88e\x86."
    )
    with pytest.raises(KnownError, match="more than the file"):
        read_bin(tmp_path / "x.bin")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([b"a"], "is not a verification set"), (([b"a", b"b"], [True, False]), "2 pictures and 2 truths"),
        (([b"a", 5], [True]), "picture 2"), (([b"a", b"b"], [None]), "true or false"), (([], []), "0 pictures"),
        ((b"ab", [True]), "no list"), (([b"a", b"b"], 1), "no list"),
    ],
)  # fmt: skip
def test_a_set_of_another_form_is_explained(tmp_path: Path, value: object, words: str) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(pickle.dumps(value))
    with pytest.raises(KnownError, match=words):
        read_bin(file)


# --- folders of people --------------------------------------------------------------------------------------------


def test_folders_of_people_become_pairs(tmp_path: Path) -> None:
    touch(tmp_path / "who", [f"p{k:02d}/{n}.jpg" for k in range(40) for n in range(5)])
    touch(tmp_path / "who", ["loose.jpg", "p00/frontal/x.png", "p00/notes.txt"])
    found = open_protocol(tmp_path / "who")
    assert (found.kind, found.pairs.name, found.unnamed) == ("folders", "who", ("loose.jpg",))
    pairs = found.pairs
    assert int(pairs.same.sum()) == 39 * 10 + 15
    assert int((~pairs.same).sum()) == pytest.approx(405, abs=10)
    who = pairs.pair_people
    assert ((who[:, 0] == who[:, 1]) == pairs.same).all()
    folds = {int(person): set(pairs.folds[(who == person).any(axis=1)].tolist()) for person in np.unique(who)}
    assert all(len(mine) == 1 for mine in folds.values())
    assert len(np.unique(np.sort(np.column_stack([pairs.left, pairs.right])), axis=0)) == len(pairs)
    again = open_protocol(tmp_path / "who").pairs
    assert (again.paths, again.left.tolist()) == (pairs.paths, pairs.left.tolist())


def test_crops_that_were_prepared_for_training_are_not_searched_for_faces_again(tmp_path: Path) -> None:
    from facegui.training.prepare import LIST

    names = [f"{who}/{n}{suffix}" for who in ("Ada", "Bea") for n, suffix in enumerate((".png", ".HEIC", ".tif"))]
    touch(tmp_path, names)
    assert not open_protocol(tmp_path).aligned
    assert sorted(open_protocol(tmp_path).pairs.paths) == sorted(names)
    (tmp_path / LIST).write_text('photo,person,crop,width,why\n"/a,\n.jpg",Ada,Ada/0.png,90,\n/b.jpg,Ada,,,no face\n')
    found = open_protocol(tmp_path)
    assert (found.aligned, found.without_crop) == (True, 1)  # nothing is dropped without a word


def test_many_photos_give_no_more_pairs_than_wanted() -> None:
    paths = [f"{k}.jpg" for k in range(6000)]
    pairs = pair_people(paths, [str(k % 3) for k in range(6000)], pairs=100)
    assert (int(pairs.same.sum()), int((~pairs.same).sum())) == (100, 100)
    counts = np.bincount(pairs.pair_people[pairs.same][:, 0])
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(("people", "words"), [(["a", "a"], "two people are needed"), (["a", "b"], "nobody has two")])
def test_too_few_people_or_photos_are_explained(people: list[str], words: str) -> None:
    with pytest.raises(KnownError, match=words):
        pair_people([f"{k}.jpg" for k in range(len(people))], people)


# --- telling them apart -------------------------------------------------------------------------------------------


def test_several_lists_in_a_folder_are_named(tmp_path: Path) -> None:
    write(tmp_path / "pairs_FF.csv", "path1,path2,same\na,b,1\n")
    write(tmp_path / "pairs_FP.csv", "path1,path2,same\na,b,1\n")
    with pytest.raises(KnownError, match=r"pairs_FF\.csv, pairs_FP\.csv"):
        open_protocol(tmp_path)


def test_what_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="not found"):
        open_protocol(tmp_path / "none")
    with pytest.raises(KnownError, match="holds no list of the kind lfw"):
        open_protocol(tmp_path, "lfw")
    with pytest.raises(KnownError, match="two people are needed"):
        open_protocol(tmp_path)
    with pytest.raises(KnownError, match="is a file"):
        open_protocol(write(tmp_path / "x.csv", "path1,path2,same\n"), "cfp-ff")
    with pytest.raises(KnownError, match="no protocol"):
        open_protocol(tmp_path, "other")


def test_the_command_line_knows_every_kind() -> None:
    from facegui.cli.measure import Protocol
    from facegui.matching.protocols import KINDS

    assert tuple(Protocol) == KINDS

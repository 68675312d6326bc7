"""Readers of pair lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.matching.pairs import make_folds
from facegui.matching.protocols import read_cfp, read_csv, read_lfw, read_pairs


def write(folder: Path, text: str | bytes, name: str = "pairs.csv") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_a_plain_list(tmp_path: Path) -> None:
    pairs = read_csv(write(tmp_path, "path1,path2,same\na.jpg,b.jpg,1\na.jpg,c.jpg,0\n"))
    assert pairs.paths == ("a.jpg", "b.jpg", "c.jpg")
    assert pairs.left.tolist() == [0, 0]
    assert pairs.right.tolist() == [1, 2]
    assert pairs.same.tolist() == [True, False]
    assert len(pairs) == 2
    assert pairs.with_root(Path("/photos")) == tuple(Path("/photos") / name for name in pairs.paths)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfpath1,path2,same\r\na.jpg,b.jpg,1\r\n\r\na.jpg,c.jpg,0\r\n",
        "note,same,path2,path1\nx,TRUE,b.jpg,a.jpg\ny,false,c.jpg,a.jpg",
        "\n\nPath1; PATH2 ; Same\na.jpg ; b.jpg; yes\n;;\na.jpg;c.jpg;different\n",
        "path1\tpath2\tsame\na.jpg\tb.jpg\t1\na.jpg\tc.jpg\t0\n",
        'path1,path2,same\n"a.jpg","b.jpg",1\n"a.jpg","c.jpg",0\n',
    ],
)
def test_order_case_marks_and_blank_lines_do_not_matter(tmp_path: Path, text: str | bytes) -> None:
    pairs = read_csv(write(tmp_path, text))
    assert pairs.paths == ("a.jpg", "b.jpg", "c.jpg")
    assert pairs.same.tolist() == [True, False]


def test_names_may_hold_commas_and_other_letters(tmp_path: Path) -> None:
    pairs = read_csv(write(tmp_path, 'path1,path2,same\n"Zoë, 1.jpg",写真.png,1\n'))
    assert pairs.paths == ("Zoë, 1.jpg", "写真.png")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path1,path2,same\na.jpg,b.jpg,1\na.jpg,b.jpg,maybe\n", ["Row 3", "maybe", "Write 1"]),
        ("path1,path2,same\n\n\na.jpg,b.jpg\n", ["Row 4", "2 of 3 columns"]),
        ("path1,path2,same\na.jpg,,1\n", ["Row 2", "path is empty"]),
        ("path1,path2\na.jpg,b.jpg\n", ["lacks the column same"]),
        ("a.jpg,b.jpg,1\n", ["lacks the column path1", "path1,path2,same"]),
        ("path1,path2,same,fold\na.jpg,b.jpg,1,x\n", ["Row 2", "fold"]),
        ("path1,path2,same,person1,person2\na,b,1,Ada,Bea\n", ["Row 2", "disagree"]),
        ("path1,path2,same,person1,person2\na,b,1,Ada,Ada\na,c,1,Bea,Bea\n", ["Row 3", "Ada", "Bea"]),
        ("path1,path2,same\n", ["no pairs"]),
        ("", ["no pairs"]),
        (b"path1,path2,same\n\xff\xfe,b,1\n", ["UTF-8"]),
    ],
)
def test_a_wrong_list_is_explained_with_its_row(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    with pytest.raises(KnownError) as caught:
        read_csv(write(tmp_path, text))
    for word in words:
        assert word in str(caught.value)
    assert caught.value.do


def test_a_missing_file_and_a_folder_are_explained(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="not found"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(KnownError, match="folder"):
        read_pairs(tmp_path)


def test_folds_share_out_both_kinds_evenly_and_always_alike() -> None:
    same = np.random.default_rng(0).random(107) < 0.3
    folds = make_folds(same)
    np.testing.assert_array_equal(folds, make_folds(same))
    for kind in (True, False):
        sizes = np.bincount(folds[same == kind], minlength=10)
        assert sizes.max() - sizes.min() <= 1


def test_folds_of_the_list_are_kept(tmp_path: Path) -> None:
    pairs = read_csv(write(tmp_path, "path1,path2,same,fold\na,b,1,7\na,c,0,3\nb,c,0,7\n"))
    assert pairs.folds.tolist() == [1, 0, 1]


def test_photos_linked_as_same_are_one_person(tmp_path: Path) -> None:
    pairs = read_csv(write(tmp_path, "path1,path2,same\na,b,1\nb,c,1\nd,a,0\nd,c,0\ne,a,0\n"))
    people = dict(zip(pairs.paths, pairs.people.tolist(), strict=True))
    assert people["a"] == people["b"] == people["c"]
    assert len({people["a"], people["d"], people["e"]}) == 3
    # Three impostor pairs, but d against a and d against c compare the same two people.
    assert pairs.identity_pairs == 2


def test_named_people_are_taken_from_the_list(tmp_path: Path) -> None:
    text = "path1,path2,same,person1,person2\na,b,0,Ada,Bea\nc,d,0,Ada,Bea\n"
    pairs = read_csv(write(tmp_path, text))
    assert pairs.identity_pairs == 1
    assert pairs.people.tolist() == [0, 1, 0, 1]


LFW = (
    "2\t2\nAda\t1\t4\nBea\t2\t3\nAda\t1\tBea\t2\nBea\t3\tCleo\t12\n"
    "Cleo\t1\t2\nDora\t1\t2\nCleo\t2\tAda\t1\nDora\t2\tBea\t2\n"
)


def test_the_list_of_labeled_faces_in_the_wild(tmp_path: Path) -> None:
    pairs = read_lfw(write(tmp_path, LFW, "pairs.txt"))
    assert pairs.same.tolist() == [True, True, False, False, True, True, False, False]
    assert pairs.folds.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert pairs.paths[pairs.left[0]] == "Ada/Ada_0001.jpg"
    assert pairs.paths[pairs.right[3]] == "Cleo/Cleo_0012.jpg"
    assert len(np.unique(pairs.people)) == 4
    assert read_pairs(tmp_path / "pairs.txt").paths == pairs.paths


@pytest.mark.parametrize("text", ["1\t1\nAda\t1\n", "1\t1\nAda\tx\t2\n", "Ada\t1\t2\n", "1\t1\n", ""])
def test_a_wrong_lfw_list_is_explained(tmp_path: Path, text: str) -> None:
    with pytest.raises(KnownError):
        read_lfw(write(tmp_path, text, "pairs.txt"))


def make_cfp(folder: Path) -> Path:
    frontal = "".join(f"{n} ../Data/Images/{n:03d}/frontal/01.jpg\n" for n in range(1, 5))
    profile = "".join(f"{n} ../Data/Images/{n:03d}/profile/01.jpg\n" for n in range(1, 5))
    write(folder, frontal, "Pair_list_F.txt")
    write(folder, profile, "Pair_list_P.txt")
    for fold in range(1, 11):
        write(folder, "1,1\n2,2\n", f"Split/FP/{fold:02d}/same.txt")
        write(folder, "1,2\n3,4\n", f"Split/FP/{fold:02d}/diff.txt")
    return folder


def test_the_protocol_of_celebrities_in_frontal_profile(tmp_path: Path) -> None:
    pairs = read_cfp(make_cfp(tmp_path), "FP")
    assert len(pairs) == 40
    assert pairs.same.sum() == 20
    assert pairs.paths[pairs.left[0]] == "Data/Images/001/frontal/01.jpg"
    assert pairs.paths[pairs.right[0]] == "Data/Images/001/profile/01.jpg"
    assert np.bincount(pairs.folds).tolist() == [4] * 10
    assert len(np.unique(pairs.people)) == 4


def test_a_wrong_cfp_protocol_is_explained(tmp_path: Path) -> None:
    folder = make_cfp(tmp_path)
    write(folder, "1,9\n", "Split/FP/03/same.txt")
    with pytest.raises(KnownError, match=r"Row 1 of same\.txt"):
        read_cfp(folder, "FP")
    with pytest.raises(KnownError, match="not found"):
        read_cfp(folder, "FF")


def test_the_lists_of_the_real_pictures(shared_data: Path) -> None:
    frontal = read_pairs(shared_data / "cfp-dev" / "pairs_FF.csv")
    assert (len(frontal), int(frontal.same.sum())) == (1750, 875)
    photos = read_pairs(shared_data / "photos" / "pairs.csv")
    assert (len(photos), int(photos.same.sum())) == (300, 38)
    assert all(path.is_file() for path in photos.with_root(shared_data / "photos"))

"""Pickled lists are read without running the pickle; what asks for more is refused."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegui.matching.protocols.plain_pickle import UnsafeError, read_plain

PLAIN: list[Any] = [
    ([b"one", b"two", b"\xff\xd8" * 400, b""], [True, False]),
    [1, -5, 70_000, 1 << 40, 2.5, None, [b"a", (b"b", [])]],
    (np.bool_(True), [np.float32(2.5), b""]),
    ([], ()),
    [b"x"] * 3000,
]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("value", PLAIN)
def test_plain_values_come_back_as_they_were(value: object, protocol: int) -> None:
    assert read_plain(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]), np.arange(3, dtype=">i4"), np.zeros((0, 5), np.float32), np.float32(2.5),
        np.bool_(True),
    ],
)  # fmt: skip
def test_arrays_come_back_as_they_were(array: np.ndarray, protocol: int) -> None:
    (found,) = read_plain(pickle.dumps([array], protocol))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_text_of_python_2_is_bytes() -> None:
    # cPickle.dumps((["\xff\xd8", "ab"], [True, False]), 2) of Python 2, written out.
    data = b"\x80\x02]q\x01(U\x02\xff\xd8q\x02T\x02\x00\x00\x00abe]q\x03(\x88\x89e\x86q\x04."
    assert read_plain(data) == ([b"\xff\xd8", b"ab"], [True, False])


class Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.made = function, arguments

    def __reduce__(self) -> Any:
        return self.made


def touch(file: Path) -> list[Any]:
    """Values whose unpickling makes a file, or would do other harm."""
    return [
        Calls(os.system, f"touch {file}"), Calls(open, str(file), "w"), Calls(exec, f"open({str(file)!r}, 'w')"),
        Calls(eval, f"open({str(file)!r}, 'w')"), Calls(subprocess.call, ["touch", str(file)]),
        Calls(getattr, "x", "__class__"), Calls(np.load, str(file)), Calls(np.memmap, str(file), "uint8", "w+", 0, 10),
        Calls(bytearray, 1 << 20), Calls(bytes, 1 << 40), {"a": 1}, {1, 2}, 3j, "text".encode, np.random.default_rng(0),
        np.array([b"object", None], object), np.array([(1, 2.0)], [("a", int), ("b", float)]), 1 << 5000,
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("number", range(18))
def test_what_is_no_plain_value_is_refused_and_nothing_is_run(tmp_path: Path, number: int, protocol: int) -> None:
    file = tmp_path / "proof"
    value = touch(file)[number]
    data = pickle.dumps(([b"picture", value], [True]), protocol)
    with pytest.raises(UnsafeError):
        read_plain(data)
    assert not file.exists()


def test_the_harm_is_real_where_a_pickle_is_run(tmp_path: Path) -> None:
    # So that the test above cannot pass because its values are harmless.
    file = tmp_path / "proof"
    pickle.loads(pickle.dumps(touch(file)[0]))
    assert file.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"\x80", b"\x80\x04.", b"]a.", b"(.", b"0.", b"h\x05.", b"\x80\x02c__main__\nCalls\n.",
        b"\x80\x02(I1\nI2\nIbuiltins\n.", b"\x80\x02P1\n.", b"\x80\x02\x82\x01.", b"]q\x00h\x00Q.",
        b"cos\nsystem\n(S'touch x'\ntR.", b"\x80\x04\x8c\x02os\x8c\x06system\x93.", b"(ios\nsystem\n.",
        b"(cos\nsystem\no.", b"\x80\x02cnumpy\ndtype\n)R.", b"\x80\x02cnumpy\ndtype\nU\x01O\x85R]b.",
        b"\x80\x05\x98.", b"\x80\x05\x97.", b"]K\x01K\x02s.", b"not a pickle at all", b"\x80\x04\x8e" + b"\xff" * 8,
    ],
)  # fmt: skip
def test_damaged_and_handmade_pickles_are_refused(data: bytes) -> None:
    with pytest.raises(UnsafeError):
        read_plain(data)


def test_a_name_with_other_modules_inside_is_refused() -> None:
    for name in (b"numpy.core.os", b"numpy._core.multiarray.os", b"numpy", b"numpy.core.multiarray"):
        for function in (b"system", b"_reconstruct.x", b"frombuffer", b"load"):
            with pytest.raises(UnsafeError):
                read_plain(b"\x80\x02c" + name + b"\n" + function + b"\n.")


def test_every_cut_of_a_good_file_is_refused_or_plain() -> None:
    data = pickle.dumps(([b"one" * 5, np.arange(4)], [True]), 4)
    for end in range(len(data)):
        with pytest.raises(UnsafeError):
            read_plain(data[:end])


def test_changed_bytes_never_run_anything() -> None:
    rng = np.random.default_rng(0)
    data = np.frombuffer(pickle.dumps(([b"one" * 5, np.arange(4), os.path.join], [True]), 2), np.uint8)
    for _ in range(2000):
        changed = data.copy()
        changed[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        try:
            found = read_plain(changed.tobytes())
        except UnsafeError:
            continue
        assert isinstance(found, tuple | list | bytes | bool | int | float | np.ndarray | type(None))


def test_lists_that_hold_themselves_or_are_too_deep_are_refused() -> None:
    itself: list[object] = []
    itself.append(itself)
    data = b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b"."
    for each in (pickle.dumps(itself), data):
        with pytest.raises(UnsafeError):
            read_plain(each)


def test_a_list_of_lists_of_lists_does_not_grow() -> None:
    laughs: list[object] = [b"ha"]
    for _ in range(6):
        laughs = [laughs] * 100
    read_plain(pickle.dumps(laughs))  # 10^12 items if every list were copied


def test_text_that_is_used_again_and_again_does_not_grow() -> None:
    text = "x" * 1000
    head = b"\x80\x02c_codecs\nencode\nq\x010]q\x02(X" + len(text).to_bytes(4, "little") + text.encode() + b"q\x03"
    again = b"h\x01h\x03X\x06\x00\x00\x00latin1\x86R" * 1000
    data = head + again + b"e."
    assert len(pickle.loads(data)) == 1001  # a proper pickle
    with pytest.raises(UnsafeError, match="measure"):
        read_plain(data)


def put(number: int) -> bytes:
    return b"r" + number.to_bytes(4, "little")


def get(number: int) -> bytes:
    return b"j" + number.to_bytes(4, "little")


BIG = b"T" + (1 << 18).to_bytes(4, "little") + bytes(1 << 18)
"""A quarter of a megabyte, as text of Python 2; what refers to it takes five bytes each time."""

BOMBS = {
    "types": b"\x80\x02cnumpy\ndtype\n" + put(1) + b"0" + BIG + put(2) + b"0](" + (get(1) + get(2) + b"\x85R") * 999,
    "orders": b"\x80\x02cnumpy\ndtype\n" + put(1) + b"0" + BIG + put(2) + b"0]("
    + (get(1) + b"U\x02u1\x85R(K\x03" + get(2) + b"tb") * 999,
    "shape": pickle.dumps(np.zeros((7 << 27, 0), np.uint8), 2)[:-1],
    "shapes": pickle.dumps(np.zeros((7 << 12, 7 << 12, 0), np.uint8), 5)[:-1],
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_never_becomes_much_in_memory(name: str) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        with pytest.raises(UnsafeError):
            read_plain(BOMBS[name] + (b"." if name.startswith("shape") else b"e."))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()

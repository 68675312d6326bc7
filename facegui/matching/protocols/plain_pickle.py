"""Reading of pickled lists without unpickling.

A pickle is a program, and Python's own reader runs it: a file made for the purpose can do anything. This reader goes
through the same instructions itself and knows only those that put plain values together: lists, tuples, bytes,
numbers, truth values and NumPy arrays of these. Of all functions that a pickle may name it knows the five with which
NumPy and bytes are written, and even these are not called: what they would make is made here. Anything else ends
the reading.
"""

from __future__ import annotations

import math
import pickletools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["UnsafeError", "read_plain"]

_NUMPY = ("numpy.core.", "numpy._core.")
_KINDS = frozenset("biuf")  # truth values, whole numbers with and without sign, real ones
_ORDERS = ("|", "<", ">", "=")
_LARGEST_NUMBER = 1 << 62
_DEPTH = 8  # of lists in lists
_LONGEST_NAME = 200  # of a function, of a type: a long one, named again and again, would be copied each time
_LARGEST_EMPTY = 1 << 16  # lists that an array without data may become


class UnsafeError(ValueError):
    """The pickle asks for something else than plain values, or is damaged."""


class _Mark:
    pass


@dataclass(frozen=True)
class _Name:
    """A function that the pickle names; one of those in `_known`."""

    what: str


@dataclass
class _Dtype:
    """A NumPy type under construction."""

    code: str
    order: str = "|"


@dataclass
class _Array:
    """A NumPy array under construction."""

    value: Any = None


@dataclass
class _Machine:
    """The stack, the memo, and how many bytes may still be made."""

    budget: int
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop(self) -> Any:
        if not self.stack:
            raise UnsafeError("it is damaged")
        return self.stack.pop()

    def since_mark(self) -> list[Any]:
        for place in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[place], _Mark):
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise UnsafeError("it is damaged")


def read_plain(data: bytes) -> Any:
    """Return the plain value that a pickle holds.

    Parameters
    ----------
    data : bytes
        A pickle of protocol 0 to 5 by Python 3, 1 or 2 by Python 2, whose text is given as bytes.

    Returns
    -------
    list, tuple, bytes, bool, int, float, None or ndarray
        Arrays are read-only views of the data wherever they can be.

    Raises
    ------
    UnsafeError
        It holds anything else, or is damaged. Nothing of it was run.
    """
    machine = _Machine(budget=len(data))
    try:
        for instruction, argument, _ in pickletools.genops(data):
            if instruction.name == "STOP":
                return _finished(machine.pop(), {}, 0)
            _step(machine, instruction.name, argument)
    except UnsafeError:
        raise
    except Exception as error:  # damaged files make the parser fail in many ways
        raise UnsafeError(f"it is damaged ({error})") from error
    raise UnsafeError("it ends too early")


def _step(machine: _Machine, name: str, argument: Any) -> None:
    """Do one instruction."""
    stack = machine.stack
    if name in _PUSH:
        stack.append(_PUSH[name](argument))
    elif name in ("PROTO", "FRAME"):
        pass
    elif name in ("APPENDS", "APPEND"):
        items = machine.since_mark() if name == "APPENDS" else [machine.pop()]
        if not stack or not isinstance(stack[-1], list):
            raise UnsafeError("it adds to something that is no list")
        stack[-1] += items
    elif name in _TUPLES:
        count = _TUPLES[name]
        items = machine.since_mark() if count is None else [machine.pop() for _ in range(count)][::-1]
        stack.append(tuple(items) if name != "LIST" else items)
    elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
        machine.memo[argument] = stack[-1]
    elif name == "MEMOIZE":
        machine.memo[len(machine.memo)] = stack[-1]
    elif name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(machine.memo[argument])
    elif name in ("POP", "POP_MARK"):
        machine.pop() if name == "POP" else machine.since_mark()
    elif name == "GLOBAL":
        stack.append(_known(*argument.split(" ", 1)))
    elif name == "STACK_GLOBAL":
        what, module = machine.pop(), machine.pop()
        stack.append(_known(module, what))
    elif name == "REDUCE":
        arguments, function = machine.pop(), machine.pop()
        stack.append(_made(machine, function, arguments))
    elif name == "BUILD":
        state = machine.pop()
        _built(stack[-1] if stack else None, state)
    else:
        raise UnsafeError(f"it uses the instruction {name}, which plain values do not need")


def _finished(value: Any, seen: dict[int, Any], depth: int) -> Any:
    """Return a value with the arrays in their places; only plain ones pass."""
    if isinstance(value, _Array):
        value = value.value
    if isinstance(value, bytes | bool | int | float | np.ndarray | np.generic) or (value is None and depth):
        return value
    if not isinstance(value, list | tuple) or depth > _DEPTH:
        raise UnsafeError("it holds something else than lists, arrays and bytes")
    if id(value) not in seen:
        items = [_finished(item, seen, depth + 1) for item in value]
        # The value itself is kept as well, so that its number is not given to another one.
        seen[id(value)] = items if isinstance(value, list) else tuple(items), value
    return seen[id(value)][0]


def _number(value: Any) -> Any:
    if abs(value) > _LARGEST_NUMBER:
        raise UnsafeError("it holds a number without measure")
    return value


_PUSH: dict[str, Any] = {
    "MARK": lambda _: _Mark(), "NONE": lambda _: None, "NEWTRUE": lambda _: True, "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [], "EMPTY_TUPLE": lambda _: (),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT"), _number),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), lambda value: value),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), lambda value: value),
    "BYTEARRAY8": bytes,
    # Text of Python 2, which its pictures are kept as; genops has read it as Latin 1.
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda value: value.encode("latin-1")),
}  # fmt: skip
_TUPLES: dict[str, int | None] = {"TUPLE": None, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "LIST": None}


def _text(value: Any, longest: int = _LONGEST_NAME, too_long: str = "it is damaged") -> str:
    if not isinstance(value, bytes | str):
        raise UnsafeError("it is damaged")
    if len(value) > longest:
        raise UnsafeError(too_long)
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _known(module: Any, name: Any) -> _Name:
    """Return a function by its name, if it is one that plain values are written with."""
    module, name = _text(module), _text(name)
    full = f"{module}.{name}"
    short = full
    for start in _NUMPY:
        short = short.replace(start, "core.") if full.startswith(start) else short
    known = {
        "core.multiarray._reconstruct", "core.multiarray.scalar", "core.numeric._frombuffer", "numpy.ndarray",
        "numpy.dtype", "_codecs.encode", "__builtin__.bytes", "builtins.bytes",
    }  # fmt: skip
    if short not in known:
        raise UnsafeError(f"it asks for {full[:80]}, which plain values do not need")
    return _Name(short)


def _made(machine: _Machine, function: Any, arguments: Any) -> Any:
    """Return what a known function makes of its arguments."""
    if not isinstance(function, _Name) or not isinstance(arguments, tuple):
        raise UnsafeError("it calls something that is no function of NumPy")
    what = function.what
    if what == "core.multiarray._reconstruct":
        return _Array()
    if what == "numpy.dtype":
        return _Dtype(_text(arguments[0]))
    if what == "_codecs.encode" and len(arguments) == 2 and _text(arguments[1]) == "latin1":
        # Bytes as Python 3 writes them for Python 2.
        text = _text(arguments[0], machine.budget, "it would grow without measure")
        machine.budget -= len(text)
        return text.encode("latin-1")
    if what.endswith(".bytes") and not arguments:
        return b""
    if what == "core.numeric._frombuffer" and len(arguments) == 4:
        data, dtype, shape, order = arguments
        return _Array(_array(data, dtype, shape, _text(order) == "F"))
    if what == "core.multiarray.scalar" and len(arguments) == 2:
        return _array(arguments[1], arguments[0], (), False)[()]
    raise UnsafeError(f"it calls {what} in an unusual way")


def _built(target: Any, state: Any) -> None:
    """Give an array or a type under construction its contents."""
    if isinstance(target, _Dtype) and isinstance(state, tuple) and len(state) >= 2:
        target.order = _text(state[1])
    elif isinstance(target, _Array) and target.value is None and isinstance(state, tuple) and len(state) == 5:
        _, shape, dtype, is_fortran, data = state
        target.value = _array(data, dtype, shape, bool(is_fortran))
    else:
        raise UnsafeError("it changes something that is no array")


def _array(data: Any, dtype: Any, shape: Any, is_fortran: bool) -> Any:
    if not isinstance(dtype, _Dtype) or dtype.code[:1] not in _KINDS or not dtype.code[1:].isdigit():
        raise UnsafeError("it holds an array of something else than numbers")
    if not isinstance(data, bytes) or not isinstance(shape, tuple) or dtype.order not in _ORDERS:
        raise UnsafeError("it holds a damaged array")
    if math.prod(side or 1 for side in shape) > max(len(data), _LARGEST_EMPTY):  # one without data has any shape
        raise UnsafeError("it holds an array without measure")
    return np.frombuffer(data, np.dtype(dtype.order + dtype.code)).reshape(shape, order="F" if is_fortran else "C")

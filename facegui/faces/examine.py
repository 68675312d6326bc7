"""Look at a network from elsewhere, find out what it wants, and put it into the form that embedders have here.

`examine` is run by `facegui.apart` in a process of its own, because the parser may not survive the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.apart import Tell
from facegui.errors import KnownError
from facegui.faces import packs_form as forms
from facegui.faces.align import CROP_SIZE
from facegui.faces.catalog import file_sha256
from facegui.faces.packs_proposal import Preprocessing, Proposal, candidates, choose, some_of
from facegui.faces.packs_wrap import resizing, wrap
from facegui.faces.session import OnnxNetwork

__all__ = ["examine"]

_BATCH = 16
_LEAST, _MOST = 32, 400
_BUDGET = 90.0
"""Seconds that trying the ways of preprocessing may take; fewer faces are used where the network is slow."""
_SAME = 0.9999
"""Least cosine between what must be the same embedding."""
_CHANCE = 0.6
"""Share of rightly ordered couples of pairs below which a network does not tell people apart; 0.5 is chance."""
_ENOUGH_PEOPLE = 5
_NOT_LOADED = "ONNX Runtime cannot load it"

Vectors = NDArray[np.float32]


def examine(arguments: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Examine a file and write it in the form that embedders have here.

    Parameters
    ----------
    arguments : dict
        ``file``, ``out``: where it lies, and where the result goes. ``faces``: an .npz file with ``crops``, uint8 RGB
        (n, 112, 112, 3), to try it on. ``people``: who is on each of them. ``known``: whether these are photos of
        people whose names are known, and not disguises of one photo each. ``colour``, ``mean``, ``scale``: what is
        known already, or None. ``threads``: for the network.
    tell : callable

    Returns
    -------
    dict
        ``form``, ``way``, ``words`` (the way in words), ``dimension``, ``milliseconds`` per face, ``original_sha256``,
        ``loop``, ``faces``, ``people``, ``tried`` (each way with its separation and order, best first), ``clear``, and
        ``settled``: whether nothing was to choose.

    Raises
    ------
    KnownError
        It is not an embedder.
    """
    file, out = Path(arguments["file"]), Path(arguments["out"])
    tell(0, 0, "Reading the file")
    model = forms.load(file)
    form = forms.describe(model, file.name)
    with np.load(arguments["faces"], allow_pickle=False) as stored:
        crops: NDArray[np.uint8] = np.ascontiguousarray(stored["crops"], np.uint8)
    people = [str(person) for person in arguments["people"]]
    tell(0, 0, "Starting the network")
    bare = _Bare(file.name, model, form, out.with_suffix(".bare.onnx"), int(arguments["threads"]))
    ways = candidates(
        arguments["colour"], _numbers(arguments["mean"]), _numbers(arguments["scale"]), form.kind == "uint8"
    )
    milliseconds = bare.time(ways[0], crops[:1])
    proposal, used = _propose(ways, bare, crops, people, milliseconds, tell, known=arguments["known"])
    if arguments["known"]:
        _must_tell_people_apart(file.name, proposal, people, used)
    digest = file_sha256(file)
    facts = {"original_sha256": digest, "preprocessing": str(proposal.way), "layout": bare.form.layout}
    tell(0, 0, "Writing the model")
    forms.write(wrap(bare.model, bare.form, proposal.way, bare.dimension, facts), out)
    _must_be_the_same(file.name, bare, proposal.way, out, crops[: 2 * _BATCH], int(arguments["threads"]))
    bare.remove()
    return {
        "form": {name: getattr(bare.form, name) for name in ("layout", "kind", "height", "width", "batch", "opset")},
        "way": {"colour": proposal.way.colour, "mean": proposal.way.mean, "scale": proposal.way.scale},
        "words": str(proposal.way),
        "dimension": bare.dimension,
        "milliseconds": round(milliseconds, 2),
        "original_sha256": digest,
        "loop": bare.form.batch == 1,
        "faces": len(used),
        "people": len({people[place] for place in used}),
        "tried": [
            {"way": str(each.way), "separation": _finite(each.separation), "order": round(each.order, 4)}
            for each in proposal.tried
        ],
        "clear": proposal.clear,
        "settled": len(ways) == 1,
    }


def _numbers(values: Any) -> tuple[float, float, float] | None:
    return None if values is None else (float(values[0]), float(values[1]), float(values[2]))


def _finite(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


class _Bare:
    """A network as its author made it, its number of faces freed where that changes nothing.

    Parameters
    ----------
    name : str
        Name of the file, for errors.
    model : onnx.ModelProto
    form : forms.Form
    file : Path
        Where it may be written.
    threads : int
    """

    def __init__(self, name: str, model: Any, form: forms.Form, file: Path, threads: int) -> None:
        self._file, self._threads = file, threads
        self.dimension = 0
        problem = ""
        for self.model, self.form in _attempts(model, form):
            try:
                self._start()
                self._check()
            except _Wrong as error:
                problem = problem or str(error)
            else:
                return
        if form.batch > 1 and not problem.startswith(_NOT_LOADED):
            problem = f"It takes {form.batch} faces at a time, neither one nor any number."
        raise forms.unsuitable(name, problem)

    def _start(self) -> None:
        forms.write(self.model, self._file)
        self._network = OnnxNetwork(self._file, provider="cpu", threads=self._threads)
        try:
            _ = self._network.report
        except KnownError as error:
            detail = str(error.__cause__ or "").strip().partition("\n")[0]
            raise _Wrong(f"{_NOT_LOADED}: {detail or error.why}") from error

    def _check(self) -> None:
        """Find out the number of numbers, and whether faces are computed alone as well as together."""
        shape = (3, *self.form.shape)
        noise = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
        noise[1] = noise[1] * 0.2 + 100.0
        if self.form.kind != "uint8":
            noise = (noise - 127.5) / 128.0
        together = self.run(noise)
        if together.ndim < 2 or together.shape[0] != len(noise) or together[0].size != max(together.shape[1:]):
            raise _Wrong(f"For 3 faces it gives numbers of the shape {together.shape} instead of 3 lists.")
        together = together.reshape(len(noise), -1)
        if together.shape[1] < forms.LEAST_NUMBERS:
            raise _Wrong(f"It gives {together.shape[1]} numbers per face, too few to tell people apart.")
        if not np.isfinite(together).all():
            raise _Wrong("It gives numbers that are not finite.")
        alone = np.concatenate([self.run(noise[place : place + 1]).reshape(1, -1) for place in range(len(noise))])
        if _cosines(together, alone).min() < _SAME:
            raise _Wrong("Its answer for a face depends on the other faces or on chance.")
        self.dimension = int(together.shape[1])

    def run(self, values: NDArray[np.float32]) -> Vectors:
        """Run it on prepared pictures, (n, ...) in its own layout."""
        if self.form.kind == "uint8":
            fed: NDArray[Any] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        else:
            fed = values.astype(self.form.kind)
        step = self.form.batch or max(1, len(fed))
        found = []
        for start in range(0, len(fed), step):
            part = np.ascontiguousarray(fed[start : start + step])
            try:
                outputs = self._network.run({self.form.source: part})
            except Exception as error:  # ONNX Runtime raises its own types, which share no base but Exception
                raise _Wrong(f"It cannot be run: {str(error).strip().partition(chr(10))[0]}") from error
            found.append(np.asarray(outputs[self._place()], np.float32))
        return np.concatenate(found)

    def _place(self) -> int:
        return [item.name for item in self.model.graph.output].index(self.form.target)

    def embed(self, way: Preprocessing, crops: NDArray[np.uint8]) -> Vectors:
        """Embed crops, RGB (n, 112, 112, 3), prepared in one way."""
        form = self.form
        side = max(form.height, form.width)
        found = []
        for start in range(0, len(crops), _BATCH):
            part = crops[start : start + _BATCH]
            values = part.astype(np.float32) if form.kind == "uint8" else way.apply(part)
            if form.kind == "uint8" and way.colour == "BGR":
                values = values[..., ::-1]
            if (form.height, form.width) != (CROP_SIZE, CROP_SIZE):
                rows, columns = resizing(side, form.height), resizing(side, form.width)
                values = np.einsum("hy,nyxc,wx->nhwc", rows, values, columns, optimize=True)
            if form.layout == "NCHW":
                values = values.transpose(0, 3, 1, 2)
            found.append(self.run(values).reshape(len(part), -1))
        return np.concatenate(found)

    def time(self, way: Preprocessing, crops: NDArray[np.uint8]) -> float:
        """Return milliseconds for one face."""
        self.embed(way, crops)
        start = perf_counter()
        self.embed(way, crops)
        return (perf_counter() - start) * 1000 / len(crops)

    def remove(self) -> None:
        """Remove what was written."""
        self._file.unlink(missing_ok=True)


def _attempts(model: Any, form: forms.Form) -> Iterator[tuple[Any, forms.Form]]:
    """Give the ways to understand a network, the better ones first."""
    layouts = (form.layout,) if form.certain else ("NCHW", "NHWC")
    for layout in layouts:
        understood = replace(form, layout=layout)
        if form.batch:
            yield forms.free_batch(model, understood)
        if form.batch <= 1:
            yield model, understood


class _Wrong(Exception):  # noqa: N818 - never leaves this module
    """The network does not do what an embedder does; the message says so to the user."""


def _cosines(one: Vectors, other: Vectors) -> NDArray[np.float64]:
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: NDArray[np.float64] = np.einsum("ij,ij->i", a, b) / np.maximum(lengths, 1e-300)
    return found


def _propose(
    ways: tuple[Preprocessing, ...],
    bare: _Bare,
    crops: NDArray[np.uint8],
    people: list[str],
    milliseconds: float,
    tell: Tell,
    *,
    known: bool,
) -> tuple[Proposal, list[int]]:
    """Choose how to prepare the pixels; return the faces, too, that it was tried on."""
    affordable = int(_BUDGET * 1000 / max(milliseconds, 0.1) / len(ways))
    used = some_of(people, min(_MOST, max(_LEAST, affordable)))
    names, labels = np.unique([people[place] for place in used], return_inverse=True)
    if len(names) < 2 or len(names) == len(used):  # nothing to compare: the most usual way it is
        return Proposal(ways[0], (), False), []
    chosen = crops[used]
    total = len(ways) * len(chosen)
    done = 0

    def embed(way: Preprocessing) -> Vectors:
        nonlocal done
        found = []
        for start in range(0, len(chosen), _BATCH):
            tell(done, total, f"Trying {way}")
            found.append(bare.embed(way, chosen[start : start + _BATCH]))
            done += len(found[-1])
        return np.concatenate(found)

    return choose(ways, embed, labels.astype(np.int64), known=known), used


def _must_tell_people_apart(name: str, proposal: Proposal, people: list[str], used: list[int]) -> None:
    if len({people[place] for place in used}) < _ENOUGH_PEOPLE or not proposal.tried:
        return
    best = max(each.order for each in proposal.tried)
    if best < _CHANCE:
        raise forms.unsuitable(
            name,
            f"It does not tell people apart: on {len(used)} faces, two photos of one person are more alike than two of "
            f"different people in {best:.0%} of the cases, and chance gives 50%.",
        )


def _must_be_the_same(
    name: str, bare: _Bare, way: Preprocessing, file: Path, crops: NDArray[np.uint8], threads: int
) -> None:
    """Check that the file that was written gives what the network gives, for one face and for several."""
    wanted = bare.embed(way, crops)
    network = OnnxNetwork(file, provider="cpu", threads=threads)
    together, alone = (np.asarray(network.run({"input": some})[0]) for some in (crops, crops[:1]))
    right = together.shape == wanted.shape and alone.shape == wanted[:1].shape
    if right:
        lengths = np.linalg.norm(together, axis=1)
        right = bool(
            np.isfinite(together).all()
            and np.abs(lengths - 1).max() < 1e-3
            and _cosines(together, wanted).min() >= _SAME
            and _cosines(alone, wanted[:1]).min() >= _SAME
        )
    if not right:
        raise forms.unsuitable(name, "With its preprocessing built in it no longer gives the same numbers.")

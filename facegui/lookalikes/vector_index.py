"""An index of very many faces on disk: found in milliseconds, some four hundred bytes a face, grown without rebuilding.

Vectors are turned onto their principal axes. The directions that hold nothing are left out; the others are kept as
16-bit fixed-point numbers, from which similarities come out right to four decimals. Beside them lie codes of four bits
for each pair of the foremost axes (FAISS, IndexPQFastScan), small enough to compare all of them for each probe: they
choose the faces that are then compared in 16 bits.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.lookalikes.neighbours import principal_axes

__all__ = ["Batch", "IndexLimits", "VectorIndex"]

Ids = NDArray[np.int64]
Batch = tuple[NDArray[np.float32], Ids, Ids]

_FORMAT = 1
_ONE = 32767
"""What 1.0 is as a 16-bit number."""
_BITS = 4
_ADDED = 65536
_META, _ROWS, _NUMBERS, _AXES, _GONE = "index.json", "rows.i16", "numbers.i64", "axes.f32", "gone.i64"


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """The numbers that steer an index, see ``[index]`` of the manifest.

    Attributes
    ----------
    kept_energy : float
        Share of the vectors' energy that the kept axes hold.
    coarse_share : float
        Share of the kept axes that have codes.
    shortlist, least_shortlist : int
        Faces compared in 16 bits, per face wanted and at least.
    trained_on : int
        Faces from which axes and codes are made.
    """

    kept_energy: float
    coarse_share: float
    shortlist: int
    least_shortlist: int
    trained_on: int

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> IndexLimits:
        """Read them from the manifest."""
        return cls(**{name: table[name] for name in cls.__slots__})


class VectorIndex:
    """Faces of one model in a folder of files; the vectors are mapped into memory, not read.

    Make one with `build`, or `open` one that was saved. One thread at a time.

    Attributes
    ----------
    folder : Path
        Where it lies.
    face_ids, photo_ids : array of int64, shape (faces ever added,)
    """

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder = folder
        self._meta = meta
        self._limits = IndexLimits(**meta["limits"])
        self._axes = np.fromfile(folder / _AXES, np.float32).reshape(meta["dimension"], meta["kept"])
        import faiss  # late: it takes time to load

        self._coarse: Any = faiss.read_index(str(folder / meta["codes"]))
        self._map()

    def _map(self) -> None:
        count, kept = self._meta["count"], self._meta["kept"]
        shape = count, kept
        # An empty file cannot be mapped.
        self._rows = np.memmap(self.folder / _ROWS, np.int16, "r", shape=shape) if count else np.empty(shape, np.int16)
        numbers = np.fromfile(self.folder / _NUMBERS, np.int64, count * 2).reshape(count, 2)
        self.face_ids: Ids = np.ascontiguousarray(numbers[:, 0])
        self.photo_ids: Ids = np.ascontiguousarray(numbers[:, 1])
        gone = np.fromfile(self.folder / _GONE, np.int64) if (self.folder / _GONE).exists() else np.empty(0, np.int64)
        self._alive = np.ones(count, bool)
        self._alive[gone] = False

    @classmethod
    def make(cls, folder: Path, sample: NDArray[np.float32], limits: IndexLimits) -> VectorIndex:
        """Make an empty index in a folder that is not there yet, for faces like those of a sample.

        Parameters
        ----------
        folder : Path
        sample : ndarray of float32, shape (n, d)
            Of unit length; at least 16 of them.
        limits : IndexLimits
        """
        import faiss  # late: it takes time to load

        sample = sample[:: max(1, len(sample) // limits.trained_on)]
        axes, shares = principal_axes(sample, len(sample))
        kept = min(len(shares), int(np.searchsorted(np.cumsum(shares), limits.kept_energy)) + 1)
        coarse = min(kept - kept % 2, 2 * max(1, round(kept * limits.coarse_share / 2)))
        axes = np.ascontiguousarray(axes[:, :kept])
        codes = faiss.IndexPQFastScan(coarse, coarse // 2, _BITS, faiss.METRIC_INNER_PRODUCT)
        codes.pq.cp.min_points_per_centroid = 1  # else it warns on standard error where there are few
        codes.train(np.ascontiguousarray(sample @ axes[:, :coarse]))
        try:
            folder.mkdir(parents=True)
            axes.tofile(folder / _AXES)
            (folder / _ROWS).touch()
            (folder / _NUMBERS).touch()
            meta = {
                "format": _FORMAT, "dimension": sample.shape[1], "kept": kept, "coarse": coarse, "count": 0,
                "codes": "codes.0", "limits": asdict(limits), "stamp": {},
            }  # fmt: skip
            faiss.write_index(codes, str(folder / "codes.0"))
        except OSError as error:
            raise _not_written(folder, error) from error
        return cls(folder, meta)

    @classmethod
    def build(
        cls, folder: Path, sample: NDArray[np.float32], batches: Iterable[Batch], limits: IndexLimits,
        stamp: Mapping[str, Any] | None = None,
    ) -> VectorIndex:  # fmt: skip
        """Make an index of many faces in a folder, in the place of an older one; see `make` and `add`.

        Parameters
        ----------
        folder : Path
        sample : ndarray of float32, shape (n, d)
        batches : iterable of tuple
            Vectors, face ids and photo ids.
        limits : IndexLimits
        stamp : mapping, optional
            What the caller wants to find again in `stamp`: JSON.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        try:
            made = cls.make(draft / "new", sample, limits)
            for vectors, face_ids, photo_ids in batches:
                made.add(vectors, face_ids, photo_ids, stamp)
            shutil.rmtree(folder, ignore_errors=True)
            (draft / "new").rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> VectorIndex:
        """Open an index that was saved.

        Raises
        ------
        KnownError
            There is none, or it is damaged or of another version: build it again.
        """
        try:
            meta = json.loads((folder / _META).read_text("utf-8"))
            if meta["format"] != _FORMAT:
                raise ValueError("another format")
            return cls(folder, meta)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise KnownError(
                "The search index cannot be opened.", f"{folder}: {error}.", "It is built anew from the gallery."
            ) from error

    @staticmethod
    def stamp_of(folder: Path) -> dict[str, Any] | None:
        """Return what the caller noted in an index without opening it; None where that cannot be read."""
        try:
            meta = json.loads((folder / _META).read_text("utf-8"))
            return dict(meta["stamp"]) if meta["format"] == _FORMAT else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def face_ids_of(folder: Path) -> Ids:
        """Return the ids of the faces in an index without opening it; of some that were removed, too."""
        try:
            return np.fromfile(folder / _NUMBERS, np.int64)[::2]
        except OSError:
            return np.empty(0, np.int64)

    @property
    def stamp(self) -> dict[str, Any]:
        """What the caller noted with the last change."""
        return dict(self._meta["stamp"])

    @property
    def current(self) -> bool:
        """Whether the files are as this object left them: another process may have changed them."""
        try:
            return bool(json.loads((self.folder / _META).read_text("utf-8")) == self._meta)
        except (OSError, ValueError):
            return False

    @property
    def gone_share(self) -> float:
        """Share of the faces that were removed and still take up space."""
        return 1.0 - float(self._alive.mean()) if len(self._alive) else 0.0

    @property
    def present(self) -> Ids:
        """Ids of the faces that can be found, in the order in which they came."""
        return self.face_ids[self._alive]

    def __len__(self) -> int:
        return int(self._alive.sum())

    def bytes_per_face(self) -> float:
        """Return the memory that a face takes when all of the index is in memory."""
        names = (_ROWS, _NUMBERS, self._meta["codes"])
        used = sum((self.folder / name).stat().st_size for name in names) + self._alive.nbytes
        return used / max(1, len(self._alive))

    def add(
        self, vectors: NDArray[np.float32], face_ids: Ids, photo_ids: Ids, stamp: Mapping[str, Any] | None = None
    ) -> None:
        """Add faces; they are found from now on, and after a crash all of them are there or none.

        A face that is there already gets this vector in the place of its other one.
        """
        before = np.flatnonzero(self._alive & np.isin(self.face_ids, face_ids))
        meta = dict(self._meta)
        kept, coarse = meta["kept"], meta["coarse"]
        try:
            with (self.folder / _ROWS).open("r+b") as rows, (self.folder / _NUMBERS).open("r+b") as numbers:
                # What an interrupted run had added lies beyond the count and is written over.
                rows.seek(meta["count"] * kept * 2)
                numbers.seek(meta["count"] * 16)
                for begin in range(0, len(vectors), _ADDED):
                    some = slice(begin, begin + _ADDED)
                    turned = vectors[some] @ self._axes
                    self._coarse.add(np.ascontiguousarray(turned[:, :coarse]))
                    np.clip(np.rint(turned * _ONE), -_ONE, _ONE).astype(np.int16).tofile(rows)
                    np.stack([face_ids[some], photo_ids[some]], 1).astype(np.int64).tofile(numbers)
            meta["count"] += len(vectors)
            self._save(meta, stamp)
            self._map()
            self._wipe(before)
        except OSError as error:
            raise _not_written(self.folder, error) from error

    def remove(self, face_ids: Ids, stamp: Mapping[str, Any] | None = None) -> None:
        """Find these faces no more, and leave nothing of them in the files but their ids."""
        places = np.flatnonzero(self._alive & np.isin(self.face_ids, face_ids))
        try:
            self._wipe(places)
            self._save(dict(self._meta), stamp, codes=False)
        except OSError as error:
            raise _not_written(self.folder, error) from error

    def note(self, stamp: Mapping[str, Any]) -> None:
        """Write down what the caller wants to find again in `stamp`."""
        self._save(dict(self._meta), stamp, codes=False)

    def _wipe(self, places: Ids) -> None:
        """Write zeros over faces, in 16 bits and in the codes, and find them no more.

        They count as gone only when that is done: whoever is interrupted does it again.
        """
        if not len(places):
            return
        import faiss  # late: it takes time to load

        rows = np.memmap(self.folder / _ROWS, np.int16, "r+", shape=self._rows.shape)
        for begin in range(0, len(places), _ADDED):
            rows[places[begin : begin + _ADDED]] = 0
        codes, coarse = self._coarse, self._meta["coarse"]
        # Codes lie in blocks of some vectors, interleaved: a block is coded anew from its 16-bit numbers.
        size, width = codes.bbs, codes.bbs * codes.M2 // 2
        packed = faiss.rev_swig_ptr(codes.codes.get(), codes.codes.size()).reshape(-1, width)
        coder = faiss.IndexPQFastScan(coarse, coarse // 2, _BITS, faiss.METRIC_INNER_PRODUCT)
        coder.pq, coder.is_trained = codes.pq, True
        blocks = np.unique(places // size)
        for begin in range(0, len(blocks), _ADDED // size):
            some = blocks[begin : begin + _ADDED // size]
            members = (some[:, None] * size + np.arange(size)).ravel()
            # Only the last block can end early.
            turned = rows[members[members < len(rows)], :coarse].astype(np.float32) / _ONE
            coder.reset()
            coder.add(np.ascontiguousarray(turned))
            packed[some] = faiss.rev_swig_ptr(coder.codes.get(), coder.codes.size()).reshape(-1, width)
        self._save(dict(self._meta), None)
        self._alive[places] = False
        _write(self.folder / _GONE, np.flatnonzero(~self._alive).astype(np.int64).tobytes())

    def _save(self, meta: dict[str, Any], stamp: Mapping[str, Any] | None, *, codes: bool = True) -> None:
        old = meta["codes"]
        if codes:
            import faiss  # late: it takes time to load

            meta["codes"] = f"codes.{int(old.split('.')[1]) + 1}"
            faiss.write_index(self._coarse, str(self.folder / meta["codes"]))
        if stamp is not None:
            meta["stamp"] = dict(stamp)
        _write(self.folder / _META, json.dumps(meta).encode())
        self._meta = meta
        if codes:
            (self.folder / old).unlink(missing_ok=True)

    def search(
        self, query: NDArray[np.float32], wanted: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Ids, NDArray[np.float32]]:
        """Return places and similarities of the faces most similar to a probe, best first.

        Parameters
        ----------
        query : ndarray of float32, shape (d,)
        wanted : int
        allowed : ndarray of bool, shape (faces ever added,), optional
            Which places may be found; see `face_ids`.

        Returns
        -------
        places : ndarray of int64
            For `face_ids` and `photo_ids`.
        similarities : ndarray of float32
        """
        turned = np.ascontiguousarray(query.astype(np.float32, copy=False) @ self._axes)
        usable = self._alive if allowed is None else self._alive & allowed
        count, total = int(usable.sum()), len(usable)
        if not count:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        length = max(wanted * self._limits.shortlist, self._limits.least_shortlist)
        # Where few may be found, so many more of the shortlist are of no use; all of a few are compared at once.
        length = -(-length * total // count)
        if length >= total or count <= self._limits.least_shortlist:
            places = np.flatnonzero(usable)
        else:
            _, found = self._coarse.search(turned[None, : self._meta["coarse"]], length)
            places = found[0][found[0] >= 0]
            places = places[usable[places]]
        scores = self._scores(places, turned)
        best = np.argsort(-scores, kind="stable")[:wanted]
        return places[best].astype(np.int64, copy=False), np.clip(scores[best], -1.0, 1.0)

    def _scores(self, places: Ids, turned: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = np.empty(len(places), np.float32)
        scaled = turned / np.float32(_ONE)
        for begin in range(0, len(places), _ADDED):
            some = places[begin : begin + _ADDED]
            scores[begin : begin + _ADDED] = self._rows[some].astype(np.float32) @ scaled
        return scores


def _write(path: Path, data: bytes) -> None:
    """Put a file in its place whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    Path(name).replace(path)


def _not_written(folder: Path, error: OSError) -> KnownError:
    return KnownError(
        "The search index could not be written.",
        f"{folder}: {error.strerror or error}.",
        "Check that the disk is not full and the folder can be written.",
    )

"""The file that says how to train, in TOML; needs no PyTorch, so a mistake in it is told before anything is loaded."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from facegui.errors import KnownError
from facegui.training.augment import Augmentation

__all__ = ["Config", "Data", "MarginTable", "Network", "Optimizer", "Running", "load_config", "text_of"]

SCHEDULES = ("steps", "cosine", "polynomial")
PRECISIONS = ("float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Data:
    """Pictures.

    Attributes
    ----------
    train : str
        Folder with one folder per person, ``.rec``, or ``.npz``. Paths start from the folder of the file.
    verify : str or list of str
        Held-out pairs of aligned crops, any protocol that `facegui evaluate` reads; several sets are judged one by one.
    kind : str
        ``auto``, or ``mnist`` or ``cifar10`` for torchvision's files.
    batch : int
        Pictures in a step, on each rank.
    balanced : int
        So many pictures of each person in a batch; 0 for every picture once a round.
    workers : int
        Processes that read pictures, on each rank.
    """

    train: str
    verify: tuple[str, ...] = ()
    kind: str = "auto"
    batch: int = 64
    balanced: int = 0
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """The network.

    Attributes
    ----------
    name : str
        See `facegui.training.backbones`; ``bundled:arcface`` is the program's own, to be trained on.
    dimension : int
        Numbers a face.
    dropout : float
    start : str
        Folder of an earlier run whose weights to begin with; empty for fresh ones.
    """

    name: str = "mobilefacenet"
    dimension: int = 512
    dropout: float = 0.0
    start: str = ""


@dataclass(frozen=True, slots=True)
class MarginTable:
    """The margin; see `facegui.training.margins.Margin`.

    Attributes
    ----------
    scale, m1, m2, m3, beyond, normalised
        The defaults are ArcFace's; plain softmax is normalised = false with scale = 1 and m2 = 0.
    grow : float
        Rounds in which the margins grow from nothing to their full size. A network that gets much wrong at first may be
        drawn by the full margin into one narrow cone, where every class pays little, and stay there.
    subcentres : int
        Centres a person.
    share : float
        Share of the centres that take part in a step.
    imprint : bool
        Begin with everybody's mean embedding for a centre; for a network that is good already.
    """

    scale: float = 64.0
    m1: float = 1.0
    m2: float = 0.5
    m3: float = 0.0
    beyond: str = "paper"
    normalised: bool = True
    grow: float = 0.0
    subcentres: int = 1
    share: float = 1.0
    imprint: bool = False


@dataclass(frozen=True, slots=True)
class Optimizer:
    """SGD and its schedule; the defaults are the paper's where it has them.

    Attributes
    ----------
    rate : float
        Learning rate after the warm-up.
    momentum, decay : float
    epochs : float
        Rounds over all pictures.
    warmup : float
        Rounds in which the rate rises from 0.
    schedule : str
        ``steps``: divided at each of `at`; ``cosine`` and ``polynomial`` fall to 0.
    at : list of float
        Rounds.
    factor : float
        What `steps` multiplies the rate with.
    power : float
        Of ``polynomial``.
    clip : float
        Largest norm of the network's gradient; 0 for any.
    average : float
        Weight of the past in the moving average of the weights that is verified and exported, 0.999 say; 0 for none.
    precision : str
        ``float32``, ``bfloat16`` or ``float16`` for the network; the head always takes float32.
    """

    rate: float = 0.1
    momentum: float = 0.9
    decay: float = 5e-4
    epochs: float = 20.0
    warmup: float = 0.0
    schedule: str = "steps"
    at: tuple[float, ...] = (10.0, 16.0, 18.0)
    factor: float = 0.1
    power: float = 2.0
    clip: float = 5.0
    average: float = 0.0
    precision: str = "float32"


@dataclass(frozen=True, slots=True)
class Running:
    """The run.

    Attributes
    ----------
    out : str
        Folder of checkpoints and logs; with several machines, on a drive that all of them see.
    seed : int
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    save_every, verify_every : float
        In rounds.
    log_every : int
        In steps.
    """

    out: str = "run"
    seed: int = 0
    device: str = "auto"
    save_every: float = 1.0
    verify_every: float = 1.0
    log_every: int = 10


@dataclass(frozen=True, slots=True)
class Config:
    """Everything; one table of the file each."""

    data: Data
    network: Network = field(default_factory=Network)
    margin: MarginTable = field(default_factory=MarginTable)
    optimizer: Optimizer = field(default_factory=Optimizer)
    augment: Augmentation = field(default_factory=Augmentation)
    run: Running = field(default_factory=Running)


_TABLES: dict[str, type[Any]] = {
    "data": Data, "network": Network, "margin": MarginTable, "optimizer": Optimizer, "augment": Augmentation,
    "run": Running,
}  # fmt: skip
_POSITIVE = {
    ("data", "batch"), ("network", "dimension"), ("margin", "scale"), ("margin", "subcentres"), ("optimizer", "rate"),
    ("optimizer", "epochs"), ("run", "save_every"), ("run", "verify_every"), ("run", "log_every"),
}  # fmt: skip
_NOT_NEGATIVE = {
    ("data", "balanced"), ("data", "workers"), ("optimizer", "momentum"), ("optimizer", "decay"),
    ("optimizer", "warmup"), ("margin", "grow"),
    ("optimizer", "clip"), ("optimizer", "factor"), ("optimizer", "power"), ("run", "seed"),
}  # fmt: skip
_SHARES = {("network", "dropout"), ("optimizer", "average"), ("optimizer", "momentum")}  # below 1
_GREATEST_SEED = 2**32 - 1
_CHOICES = {
    ("optimizer", "schedule"): SCHEDULES, ("optimizer", "precision"): PRECISIONS, ("run", "device"): DEVICES,
    ("margin", "beyond"): ("paper", "easy", "none"),
}  # fmt: skip


def load_config(file: Path) -> Config:
    """Read the file.

    Returns
    -------
    Config
        Paths in it start from the folder of the file.

    Raises
    ------
    KnownError
        It cannot be read, names something unknown, or a value is none that it can be.
    """
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise KnownError(f"{file} cannot be read.", f"{error.strerror or error}.", "Check its name.") from error
    except ValueError as error:
        raise KnownError(f"{file} is not TOML.", f"{error}.", "Mend that line.") from error
    tables = {}
    for name, values in document.items():
        if name not in _TABLES or not isinstance(values, dict):
            raise _unknown(file, f"[{name}]", name, _TABLES)
        tables[name] = _table(file, name, values)
    if "data" not in tables:
        raise KnownError(f"{file} names no pictures.", "It has no table [data].", 'Write [data] and train = "FOLDER".')
    config = Config(**tables)
    return _placed(config, file.parent)


def _unknown(file: Path, what: str, name: str, known: Mapping[str, Any]) -> KnownError:
    near = difflib.get_close_matches(name, known, 1)
    do = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
    return KnownError(f"{file} says {what}, which does not exist.", "", do)


def _table(file: Path, table: str, values: Mapping[str, Any]) -> Any:
    kind = _TABLES[table]
    known = {item.name: item for item in fields(kind)}
    found = {}
    for name, value in values.items():
        if name not in known:
            raise _unknown(file, f"{name} in [{table}]", name, known)
        found[name] = _value(file, table, name, value, str(known[name].type))
    for name, item in known.items():
        if name not in found and item.default is MISSING and item.default_factory is MISSING:
            raise KnownError(f"{file} lacks {name} in [{table}].", "", f'Write {name} = "..." there.')
    try:
        return kind(**found)
    except ValueError as error:
        raise KnownError(f"[{table}] in {file} cannot be used.", f"{str(error).capitalize()}.", "Mend it.") from error


def _value(file: Path, table: str, name: str, value: Any, kind: str) -> Any:
    what = f"{name} in [{table}] of {file}"
    if kind == "float" and _is_number(value):
        value = float(value)
    elif kind == "tuple[str, ...]" and isinstance(value, str):
        value = (value,) if value else ()
    elif kind == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(v, str) and v for v in value):
        value = tuple(value)
    elif kind == "tuple[float, ...]" and isinstance(value, list) and all(_is_number(v) for v in value):
        value = tuple(float(v) for v in value)
    elif type(value).__name__ != kind:
        words = {
            "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false",
            "tuple[str, ...]": "a text or a list of texts",
        }  # fmt: skip
        raise KnownError(
            f"{what} cannot be {value!r}.", f"It must be {words.get(kind, 'a list of numbers')}.", "Mend it."
        )
    key = (table, name)
    if key in _CHOICES and value not in _CHOICES[key]:
        raise KnownError(f"{what} cannot be {value!r}.", "", f"Say {', '.join(_CHOICES[key])}.")
    several = value if kind == "tuple[float, ...]" else ()
    wrong = (
        "a finite number" if not all(math.isfinite(v) for v in (*several, value) if isinstance(v, float))
        else "0 or more" if min(several, default=0.0) < 0
        else f"at most {_GREATEST_SEED}" if key == ("run", "seed") and value > _GREATEST_SEED
        else "above 0 and at most 1" if key == ("margin", "share") and not 0 < value <= 1
        else "above 0" if key in _POSITIVE and not value > 0
        else "0 or more" if key in _NOT_NEGATIVE and not value >= 0
        else "from 0 to below 1" if key in _SHARES and not 0 <= value < 1
        else ""
    )  # fmt: skip
    if wrong:
        raise KnownError(f"{what} cannot be {value}.", f"It must be {wrong}.", "Mend it.")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _placed(config: Config, folder: Path) -> Config:
    """Let all paths start from the folder of the file."""

    def at(path: str) -> str:
        return str((folder / Path(path).expanduser()).absolute()) if path else ""

    return replace(
        config,
        data=replace(config.data, train=at(config.data.train), verify=tuple(at(path) for path in config.data.verify)),
        network=replace(config.network, start=at(config.network.start)),
        run=replace(config.run, out=at(config.run.out)),
    )


def text_of(config: Config) -> dict[str, Any]:
    """Return the values as JSON and a checkpoint hold them."""
    return {
        table: {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        for table, values in asdict(config).items()
    }

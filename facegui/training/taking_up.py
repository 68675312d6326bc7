"""Whether a run may be taken up with a configuration, and that only one process at a time does so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from facegui.errors import KnownError
from facegui.faces.packs_manifest import changing
from facegui.training.config import Config, text_of

__all__ = ["alone_in", "require_same_run"]

_FREE = {
    "run": {"out", "device", "save_every", "verify_every", "log_every"},
    "data": {"workers", "verify", "train", "batch"},  # the batch of all ranks together must stay, see below
}


@contextlib.contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Let no second run write into a folder: ranks outlive a killed torchrun, and it is soon started again.

    Raises
    ------
    KnownError
        Another process trains into it.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(changing(out, wait=False))
        except (BlockingIOError, PermissionError) as error:
            raise KnownError(
                f"{out} cannot be trained into.",
                f"Another process does so already, or it cannot be written: {error.strerror or error}.",
                "Wait for that process or end it, or name another folder in out.",
            ) from error
        except OSError:  # some network drives know no locks; a run needs none to be right
            pass
        yield


def require_same_run(
    out: Path, saved: Mapping[str, Any], ranks_before: int, config: Config, classes: int, ranks: int
) -> None:
    """Refuse a configuration that would go on with another run than the folder holds.

    Parameters
    ----------
    out : Path
    saved : mapping
        The network's part of the checkpoint.
    ranks_before, ranks : int
        Processes that saved it, and processes now.
    config : Config
    classes : int
        People now.

    Raises
    ------
    KnownError
        Numbers that steer the training, the people, or the number of pictures in a step are others.
    """
    before, now = saved["config"], text_of(config)
    for table, values in now.items():
        for name, value in values.items():
            if name not in _FREE.get(table, ()) and before.get(table, {}).get(name) != value:
                raise KnownError(
                    f"{out} holds a run with another {name} in [{table}].",
                    f"It has {before.get(table, {}).get(name)!r}, the configuration {value!r}.",
                    "Name another folder in out, or put the old value back.",
                )
    if saved["classes"] != classes:
        raise KnownError(
            f"{out} holds a run on {saved['classes']} people.", f"There are {classes} now.",
            "Name another folder in out, or give the same pictures.",
        )  # fmt: skip
    # Steps, rounds and the learning rate keep their meaning, and each step its pictures, where this product stays.
    together = before["data"]["batch"] * ranks_before
    if config.data.batch * ranks != together:
        mend = f"Set batch = {together // ranks} in [data]"
        if together % ranks:
            mend = f"Start as many processes as divide {together}, and set batch so that they make {together}"
        raise KnownError(
            f"{out} holds a run with {together} pictures in a step.",
            f"It had {ranks_before} times {before['data']['batch']}; these are {ranks} times {config.data.batch}.",
            f"{mend}, or name another folder in out.",
        )

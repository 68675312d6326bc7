"""What a run says of itself: lines of JSON, and TensorBoard's files where that is installed."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from facegui.errors import KnownError

__all__ = ["LOG", "RunLog", "opened"]

LOG = "log.jsonl"
"""One line of JSON for each report, in the folder of the run."""


def _unwritable(file: Path, error: OSError) -> KnownError:
    return KnownError("The log cannot be written.", f"{file}: {error.strerror or error}.", "Free some space.")


class RunLog:
    """The reports of a run.

    Parameters
    ----------
    folder : Path
    board : SummaryWriter or None
    """

    def __init__(self, folder: Path, board: Any) -> None:
        self.file, self._board = folder / LOG, board

    def report(self, report: Mapping[str, Any]) -> None:
        """Write a report, which has its `step` and numbers by name.

        Raises
        ------
        KnownError
            It cannot be written.
        """
        try:
            with self.file.open("a", encoding="utf-8") as log:
                log.write(json.dumps(report) + "\n")
        except OSError as error:
            raise _unwritable(self.file, error) from error
        if self._board is not None:
            for name, value in report.items():
                if name != "step":
                    self._board.add_scalar(name, value, report["step"])

    def rows(self) -> list[dict[str, Any]]:
        """Return all reports; a line that a kill cut off counts for nothing."""
        if not self.file.is_file():
            return []
        found = []
        for line in self.file.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):
                found.append(dict(json.loads(line)))
        return found

    def trim(self, step: int) -> None:
        """Take out what was reported after a step: the run goes on from there.

        Raises
        ------
        KnownError
            It cannot be written; the log is as it was.
        """
        if not self.file.is_file():
            return
        kept = "".join(f"{json.dumps(row)}\n" for row in self.rows() if row["step"] <= step)
        draft = self.file.with_suffix(".part")
        try:
            draft.write_text(kept, "utf-8")
            draft.replace(self.file)
        except OSError as error:
            raise _unwritable(self.file, error) from error

    def last_loss(self) -> float:
        """Return the loss of the last report; NaN where there is none."""
        return next((float(row["loss"]) for row in reversed(self.rows()) if "loss" in row), math.nan)


@contextlib.contextmanager
def opened(folder: Path, step: int) -> Iterator[RunLog]:
    """Give the log of a run that goes on from a step."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log = RunLog(folder, None)
        log.trim(step)
        yield log
        return
    with SummaryWriter(str(folder / "tensorboard"), purge_step=step) as writer:
        log = RunLog(folder, writer)
        log.trim(step)
        yield log

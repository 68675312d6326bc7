"""Results of runs in a JSON file that grows run by run, so that an experiment goes on where it was stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facegui.errors import KnownError
from facegui.training.experiments.learning import Plan, Run
from facegui.training.experiments.losses import Loss
from facegui.training.experiments.measures import angles, pair_eer
from facegui.training.experiments.pictures import Pictures

__all__ = ["LARGE_WIDTH", "WIDTH", "Result", "keep", "kept", "key_of", "result_of"]

WIDTH, LARGE_WIDTH = 16, 32
"""Channels of the first convolution of the small and of the large network for coloured pictures."""


@dataclass(frozen=True, slots=True)
class Result:
    """One finished run.

    Attributes
    ----------
    set, loss : str
    m2, scale : float
        m2 in radians.
    seed, epochs, pictures : int
    final_loss : float
        Mean of the last epoch, margin and all.
    train_accuracy, test_accuracy : float
    within, between : float
        Degrees: from an embedding to the mean direction of its class, and from there to the nearest other class.
    pair_eer : float
        Of verifying pairs of test pictures by their cosine.
    growth : float
        Share of the steps after which the margin had its full size; 0 if from the start.
    width : int
        Tells the networks for coloured pictures apart: `WIDTH` or `LARGE_WIDTH`.
    clip : float
        The norm that gradients were cut to; 0 if they were not.
    core_seconds : float
        Processor time of the run, over all cores; 0 where it was not measured.
    """

    set: str
    loss: str
    m2: float
    scale: float
    seed: int
    epochs: int
    pictures: int
    final_loss: float
    train_accuracy: float
    test_accuracy: float
    within: float
    between: float
    pair_eer: float
    growth: float = 0.0
    width: int = WIDTH
    clip: float = 0.0
    core_seconds: float = 0.0

    @property
    def key(self) -> tuple[object, ...]:
        """What tells runs apart."""
        setting = self.loss, round(self.m2, 4), round(self.growth, 4)
        return self.set, *setting, self.seed, self.epochs, self.pictures, self.width, self.clip


def key_of(chosen: Loss, data: Pictures, plan: Plan, seed: int, width: int = WIDTH) -> tuple[object, ...]:
    """Return the key that the result of a run will have."""
    setting = chosen.name, round(chosen.margin.m2, 4), round(plan.growth[1], 4)
    return data.name, *setting, seed, plan.epochs, len(data.train), width, plan.clip


def result_of(run: Run, data: Pictures, plan: Plan, seed: int, width: int = WIDTH, core_seconds: float = 0.0) -> Result:
    """Measure a finished run on the test pictures."""
    last, labels, margin = run.frames[-1], data.test_labels.numpy(), run.chosen.margin
    found = angles(last.features, labels, last.centres)
    return Result(
        data.name, run.chosen.name, margin.m2, margin.scale, seed, plan.epochs, len(data.train), last.loss,
        run.train_accuracy, last.test_accuracy, found.within, found.between, pair_eer(last.features, labels),
        plan.growth[1], width, plan.clip, round(core_seconds, 1),
    )  # fmt: skip


def kept(file: Path) -> list[Result]:
    """Return the results of a file, none where it is missing.

    Raises
    ------
    KnownError
        It holds something else.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        return [Result(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise KnownError(f"{file} cannot be used.", f"{error}.", "Delete it to start anew.") from error


def keep(file: Path, result: Result) -> None:
    """Add a result; the file is replaced as a whole, so that it is never half written."""
    rows = [row for row in kept(file) if row.key != result.key] + [result]
    part = file.with_suffix(".part")
    part.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")
    part.replace(file)

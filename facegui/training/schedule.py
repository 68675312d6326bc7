"""The learning rate as a function of the step."""

from __future__ import annotations

import math

from facegui.training.config import Optimizer

__all__ = ["rate_at"]


def rate_at(step: int, per_round: int, total: int, how: Optimizer) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    step : int
        From 0.
    per_round, total : int
        Steps in a round over all pictures, and in all.
    how : Optimizer
        Rises from 0 over `warmup` rounds; then ``steps`` multiplies the rate with `factor` at each of `at` rounds, and
        ``cosine`` and ``polynomial`` let it fall to 0 at the end.
    """
    warm = round(how.warmup * per_round)
    if step < warm:
        return how.rate * (step + 1) / warm
    if how.schedule == "steps":
        return how.rate * how.factor ** sum(step >= round(rounds * per_round) for rounds in how.at)
    left = 1.0 - (step - warm) / max(1, total - warm)
    if how.schedule == "cosine":
        return how.rate * 0.5 * (1.0 - math.cos(math.pi * left))
    return float(how.rate * left**how.power)

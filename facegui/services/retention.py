"""How long the evidence of decisions is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from facegui.gallery.facerows import now

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["erase_old_evidence", "evidence_end"]


def evidence_end(days: int) -> datetime | None:
    """Return the moment before which evidence is too old; None where its age does not matter."""
    return now() - timedelta(days=days) if days > 0 else None


def erase_old_evidence(services: Services) -> int:
    """Erase for good what is older than the settings allow; return of how many decisions.

    Raises
    ------
    KnownError
        The gallery cannot be opened or written.
    """
    before = evidence_end(services.settings.evidence_days)
    if before is None or services.gallery.read_only:
        return 0
    return services.gallery.erase_evidence(before)

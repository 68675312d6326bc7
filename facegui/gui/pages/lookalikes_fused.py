"""Several photos of one person as the probe: read in the background, judged, and put into words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.errors import KnownError
from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes_probe import Probe, probe_of_fused, probe_of_photo
from facegui.matching.wording import format_similarity
from facegui.services.fusing import Fused, fuse, read_photos
from facegui.sources.files import shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["FusedProbes"]


class FusedProbes(QObject):
    """Makes one probe of several photos, and takes out those that do not fit.

    Signals
    -------
    made(Probe)
    failed(object)
        The exception: there is no face in any of them.
    """

    made = Signal(object)
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge

    def read(self, paths: Sequence[Path]) -> None:
        """Look for one person in these photos."""
        self._bridge.start(
            self, read_photos(self._services, paths), on_done=self._done, on_error=self.failed.emit, lane="analyse",
            newest="fused", title=self.tr("Reading {0} photos of one person").format(len(paths)),
        )  # fmt: skip

    def leave_out(self, probe: Probe) -> None:
        """Make the probe anew without the photos that the others do not resemble."""
        fused = probe.fused
        if fused is not None:
            members = [member for member in fused.members if not member.odd]
            self._bridge.run(self, lambda: fuse(self._services, members), self._done, newest="fused")

    def words(self, fused: Fused) -> tuple[str, str]:
        """Say how many photos were fused and whether they agree, and in a tip which ones those are."""
        count, odd = len(fused.members), [member for member in fused.members if member.odd]
        said = self.tr("{0} photos make one probe").format(count)
        if odd:
            names = ", ".join(shown_name(member.photo.frame.source) for member in odd)
            said += self.tr("; {0} does not look like the others").format(names)
        else:
            rule, least = self._services.rule(), format_similarity(fused.least)
            agree = rule is None or fused.least >= rule.threshold
            # Profiles of one person may well be below the threshold to one another and yet fit the rest.
            said += (
                self.tr(", and they agree (least similarity {0})").format(least) if agree
                else self.tr("; two of them differ (similarity {0})").format(least)
            )  # fmt: skip
        if fused.without_face:
            said += self.tr(". No face found in {0}").format(", ".join(map(shown_name, fused.without_face)))
        if fused.failed:
            said += self.tr(". {0} could not be read").format(len(fused.failed))
        sources = [shown_name(member.photo.frame.source) for member in fused.members]
        return said + ".", "\n".join([*sources, *(str(error) for error in fused.failed)])

    def _done(self, fused: Fused) -> None:
        if not fused.members:
            if fused.failed and not fused.without_face:
                self.failed.emit(fused.failed[0])
                return
            advice = self.tr("Try some where the face is larger or turned to the camera.")
            self.failed.emit(KnownError(self.tr("No face found in these photos."), "", advice))
        elif len(fused.members) == 1 and not fused.without_face and not fused.failed:
            self.made.emit(probe_of_photo(fused.members[0].photo, fused.members[0].index))
        else:
            self.made.emit(probe_of_fused(fused, self.tr("{0} photos").format(len(fused.members))))

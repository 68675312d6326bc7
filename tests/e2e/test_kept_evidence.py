"""The evidence of a live decision: kept only where the user wants it, opened again, saved as a file; full screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.faces.types import Frame
from facegui.gui import theme
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.verify import VerifyPage
from facegui.matching.decision import Outcome
from facegui.services import EnrolSample, Services, retention
from facegui.services.evidence import CARD_CROPS, EvidenceCard
from facegui.sources.camera import frames
from tests import faces
from tests.e2e.test_verify_life import WAIT, show


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> list[Frame]:
    return list(frames(shared_data / "video" / "d3.mp4"))[::3]


@pytest.fixture
def page(qtbot, window: MainWindow, services: Services, clip: list[Frame]) -> Iterator[VerifyPage]:
    person = services.enroll("Dee", [EnrolSample(services.probe(clip[n])[1], clip[n]) for n in (0, 50)])[0]
    page = window.page
    assert isinstance(page, VerifyPage)
    qtbot.waitUntil(lambda: not page._first, timeout=WAIT)
    page.receive(person)
    page.refresh()
    qtbot.waitUntil(lambda: page.claim.person is not None, timeout=WAIT)
    yield page
    services.change_settings(keep_evidence=False)
    services.gallery.delete_person(person)


@pytest.mark.parametrize("wanted", [True, False])
def test_evidence_is_kept_where_it_is_wanted_and_opens_again_and_full_screen_says_the_same(
    qtbot, page: VerifyPage, services: Services, clip: list[Frame], tmp_path: Path, wanted: bool
) -> None:
    services.change_settings(keep_evidence=wanted)
    person = page.claim.person
    assert person is not None
    show(page, iter(clip))
    qtbot.waitUntil(lambda: page.full.isEnabled(), timeout=WAIT)
    QTest.keyClick(page, Qt.Key.Key_F11)
    kiosk = page.kiosk
    assert kiosk is not None
    qtbot.waitUntil(lambda: kiosk.outcome is Outcome.MATCH, timeout=WAIT)
    assert kiosk.sentence == "This face matches Dee."
    QTest.keyClick(kiosk, Qt.Key.Key_Escape)
    assert page.kiosk is None
    qtbot.waitUntil(lambda: bool(services.gallery.decisions(person_id=person.id)), timeout=WAIT)
    (decision, *_) = services.gallery.decisions(person_id=person.id)
    assert decision.outcome is Outcome.MATCH
    assert decision.has_evidence is wanted
    data = services.gallery.evidence_of(decision.id)
    if not wanted:
        assert data is None
        return
    assert data is not None
    card = EvidenceCard.from_bytes(data)
    assert 1 <= len(card.crops) <= CARD_CROPS
    assert len(card.scores) >= card.frames >= 5
    qtbot.waitUntil(lambda: any(entry.has_evidence for entry in page.evidence._decisions), timeout=WAIT)
    assert page.evidence.look.trace.scores, "the frames stand in the inspector too"
    opened = page.evidence.open_cards()
    qtbot.addWidget(opened)
    assert "Dee" in opened.browser.toPlainText()
    opened.write(tmp_path / "card.html")
    written = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert written.count("data:image/png;base64,") == len(card.crops)
    assert "http" not in written.replace("http://www.w3.org", ""), "nothing is fetched"
    opened.close()
    assert page.comparing.looks.best()
    page.probe.clear()
    assert not page.comparing.looks.best(), "no crop is left for the next source"


def test_photos_keep_both_crops_and_old_evidence_goes_when_the_window_opens(
    qtbot, page: VerifyPage, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.change_settings(keep_evidence=True)
    page.open_files([faces.astronaut(), faces.hopper()])
    qtbot.waitUntil(lambda: any(entry.reference for entry in services.gallery.decisions()), timeout=WAIT)
    (decision, *_) = services.gallery.decisions()
    data = services.gallery.evidence_of(decision.id)
    assert data is not None
    card = EvidenceCard.from_bytes(data)
    assert (len(card.crops), card.frames) == (2, 0)
    qtbot.waitUntil(lambda: any(entry.id == decision.id for entry in page.evidence._decisions), timeout=WAIT)
    opened = page.evidence.open_cards()
    qtbot.addWidget(opened)
    told = opened.browser.toPlainText()
    assert "✕ No match" in told
    assert decision.probe in told
    assert opened.browser.document().toHtml().count(theme.color("panel").name()), "the sheet has the theme's colours"
    opened.close()
    window = page.window()
    assert isinstance(window, MainWindow)
    monkeypatch.setattr(retention, "now", lambda: datetime.now(UTC) + timedelta(days=91))
    window.retention.look()
    qtbot.waitUntil(lambda: services.gallery.evidence_of(decision.id) is None, timeout=WAIT)
    assert services.gallery.decisions()[0].id == decision.id

"""The evidence card: it comes back as it was, says so where it cannot, and goes with person, history and age."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from gallery_samples import decision, sample

from facegui.cli import main
from facegui.errors import KnownError
from facegui.gallery.records import Outcome
from facegui.gallery.store import Gallery
from facegui.services import Services
from facegui.services.evidence import EvidenceCard
from facegui.services.evidence_page import html_of
from facegui.services.retention import erase_old_evidence
from facegui.settings import Settings

PICTURE = bytes(cv2.imencode(".png", np.arange(112 * 112 * 3, dtype=np.uint8).reshape(112, 112, 3))[1].tobytes())
CARD = EvidenceCard(
    scores=((-1.0, 0.4, 0.9), (-0.5, 0.6, 1.0), (0.0, 0.7, 0.2)), threshold=0.35, unsure_low=0.3, crops=(PICTURE,),
    quality="0.90", liveness=(("depth", 0.8, 0.4, "live"),), movements=("turn left",), verdict="live: <all> done",
    model="M", provider="CPU", frames=3,
)  # fmt: skip


def test_a_card_comes_back_as_it_was() -> None:
    assert EvidenceCard.from_bytes(CARD.to_bytes()) == CARD


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"version": 2}', CARD.to_bytes()[:-9]])
def test_a_damaged_card_is_an_error_that_says_so(data: bytes) -> None:
    with pytest.raises(KnownError, match="cannot be read"):
        EvidenceCard.from_bytes(data)


def test_a_card_lies_with_its_decision_and_goes_with_it(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "g.sqlite") as gallery:
        anna, _ = gallery.enroll("Anna", [sample(1, "/a.jpg")])
        bela, _ = gallery.enroll("Bela", [sample(2, "/b.jpg")])
        kept = gallery.record(decision(person_id=anna, evidence=CARD.to_bytes()))
        other = gallery.record(decision(person_id=bela, evidence=CARD.to_bytes()))
        plain = gallery.record(decision(person_id=bela))
        assert {one.id: one.has_evidence for one in gallery.decisions()} == {kept: True, other: True, plain: False}
        assert gallery.evidence_of(kept) == CARD.to_bytes()
        assert gallery.evidence_of(plain) is None
        change = gallery.delete_person(anna)
        assert gallery.evidence_of(kept) is None
        assert change.undo is not None
        gallery.undo(change.undo)
        assert gallery.evidence_of(kept) == CARD.to_bytes(), "an undo brings it back"
        gallery.clear_history()
        assert gallery.evidence_of(kept) is None
        assert gallery.evidence_of(other) is None
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"unsure_low" not in left, "no byte of a card stays in the file"


def test_evidence_that_is_too_old_is_erased_for_good_and_the_decision_stays(tmp_path: Path) -> None:
    file = tmp_path / "g.sqlite"
    now = datetime.now(UTC)
    with Services(settings=Settings(evidence_days=30), gallery=file) as services:
        gallery = services.gallery
        fresh = gallery.record(decision(evidence=CARD.to_bytes().replace(b"0.90", b"NEW!"), time=now))
        old = gallery.record(decision(evidence=CARD.to_bytes(), time=now - timedelta(days=31)))
        services.settings = Settings(evidence_days=0)
        assert erase_old_evidence(services) == 0, "0 keeps it"
        services.settings = Settings(evidence_days=30)
        assert erase_old_evidence(services) == 1
        assert erase_old_evidence(services) == 0
        assert {one.id: one.has_evidence for one in gallery.decisions()} == {fresh: True, old: False}
    left = b"".join(path.read_bytes() for path in tmp_path.glob("g.sqlite*"))
    assert b"NEW!" in left
    assert b"0.90" not in left, "no byte of the old card stays in the file"


def test_the_command_tells_of_evidence_and_erases_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "g.sqlite"
    with Gallery.open(file) as gallery:
        for days in (5, 50):
            gallery.record(decision(evidence=CARD.to_bytes(), time=datetime.now(UTC) - timedelta(days=days)))
    told = []
    for more in ([], ["--erase", "--older-than", "10"], ["--erase"], ["--erase", "--older-than", "0"]):
        assert main(["evidence", "--gallery", str(file), "--json", *more]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [(one["erased"], one["kept"], one["days"]) for one in told] == [
        (0, 2, 90),
        (1, 1, 90),
        (0, 1, 90),
        (1, 0, 90),
    ]
    assert main(["evidence", "--gallery", str(file)]) == 0
    assert "No decision with evidence" in capsys.readouterr().out


def test_the_document_needs_nothing_else_and_escapes_what_it_says(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "g.sqlite") as gallery:
        person, _ = gallery.enroll("<b>Anna</b>", [sample(1, "/a.jpg")])
        gallery.record(decision(person_id=person, margin=0.2))
        (record,) = gallery.decisions()
    html = html_of(CARD, record)
    assert "&lt;b&gt;Anna" in html
    assert "live: &lt;all&gt; done" in html
    assert "✓ Match" in html
    assert 'src="http' not in html
    assert "Threshold" in html_of(replace(CARD, scores=(), crops=()), record)
    refused = html_of(CARD, replace(record, outcome=Outcome.NO_MATCH))
    assert "✕ No match" in refused
    photos = html_of(replace(CARD, frames=0), record)
    assert "svg+xml" in html
    assert "svg+xml" not in photos, "two photos have no scores over time"

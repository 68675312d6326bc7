"""The evidence card: it comes back as it was, says so where it cannot, and goes with the person and the history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from gallery_samples import decision, sample

from facegui.errors import KnownError
from facegui.gallery.store import Gallery
from facegui.services.evidence import EvidenceCard, html_of

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

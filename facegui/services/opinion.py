"""Decisions in two steps: the fast network of a fused model decides the clear cases, the whole model the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from facegui.errors import KnownError
from facegui.faces.catalog import ModelInfo
from facegui.faces.embed import Embedder
from facegui.faces.types import Embedding, Face, Timings, Vector
from facegui.gallery.records import TemplateMatrix
from facegui.matching.decision import Rule
from facegui.matching.opinion_bands import band_at, bands_from
from facegui.matching.second_opinion import Band, Opinion, fused, judge, part_of
from facegui.services.candidates import candidates_of
from facegui.services.chain import calibrations_of, network_of
from facegui.services.core import FRONTAL, Services
from facegui.services.values import Candidate, Comparison

__all__ = ["Answer", "SecondOpinion"]

_MEND = "Leave out the second opinion, or choose the model arcface+sface."


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A decision in two steps and what it rests on.

    Attributes
    ----------
    opinion : Opinion
    comparison : Comparison
        By the fast network's own model where its score was clear, by the fused model where that one was asked;
        `Comparison.model` says which, and similarity and calibration belong to it.
    rule : Rule
        On the scale of the comparison: the fused model's rule, or the band, whose ends are the fast score's limits.
    whole_rule : Rule
        The fused model's rule.
    band : Band
        Of the fast scores that leave a doubt.
    fast_model, whole_model : ModelInfo
    milliseconds : float
        Spent in the networks.
    """

    opinion: Opinion
    comparison: Comparison
    rule: Rule
    whole_rule: Rule
    band: Band
    fast_model: ModelInfo
    whole_model: ModelInfo
    milliseconds: float


class SecondOpinion:
    """Compares faces with as little work as the certainty of the fused model allows.

    What is enrolled stays as it is: a fused template contains the fast network's embedding.

    Parameters
    ----------
    services : Services
        Its model in use is asked in doubt.

    Raises
    ------
    KnownError
        That model does not consist of two networks, was not calibrated for this, or the settings want the precision
        of several looks, which this would undo.
    """

    def __init__(self, services: Services) -> None:
        model = services.model
        if not model.weights:
            raise KnownError(f"{model.id} has no second opinion to give.", "It is not made of two networks.", _MEND)
        try:
            self._points = bands_from(model.second_opinion)
        except (KeyError, TypeError, ValueError) as error:
            raise KnownError(
                f"The second opinion of {model.id} cannot be read.",
                f"manifest.toml: {error}.",
                "Install facegui again.",
            ) from error
        if not self._points:
            raise KnownError(
                f"{model.id} has no second opinion to give.",
                "Nobody has measured where its fast network leaves a doubt.",
                "Calibrate it: `facegui calibrate FOLDER --write`.",
            )
        catalog = services.catalog
        if catalog.tables["precision"][services.settings.precision]["mirror_embedding"]:
            raise KnownError(
                "A second opinion saves time, and the settings ask for the best precision instead.",
                "The precision `best` embeds each face twice, by both networks.",
                "Leave out the second opinion, or set the precision to `balanced`.",
            )
        self._services = services
        self._whole = model
        self._fast, self._slow = (catalog.model(part.model, "embedder") for part in model.parts)
        self._networks = {one.sha256: network_of(one, services.settings) for one in (self._fast, self._slow)}
        self._embedders = {name: Embedder(network, name) for name, network in self._networks.items()}
        self._lock = threading.Lock()
        self._sliced: tuple[TemplateMatrix, TemplateMatrix] | None = None

    def band(self, rule: Rule) -> Band:
        """Return the fast scores that leave a doubt when the fused model decides by this rule.

        Raises
        ------
        KnownError
            Nothing was measured near this threshold.
        """
        band = band_at(self._points, rule.threshold)
        if band is None:
            low, high = (f(point.threshold for point in self._points) for f in (min, max))
            raise KnownError(
                f"There is no second opinion at the threshold {rule.threshold:.3f}.",
                f"Where the fast network leaves a doubt is known for thresholds from {low:.3f} to {high:.3f}.",
                "Choose a threshold there, or leave out the second opinion.",
            )
        return band

    def warm_up(self) -> None:
        """Run both networks once, so that the first face does not wait."""
        blank = np.zeros((1, 112, 112, 3), np.uint8)
        for embedder in self._embedders.values():
            embedder.embed_array(blank)

    def compare(self, left: Face, right: Face, rule: Rule, timings: Timings | None = None) -> Answer:
        """Compare two faces, which need no embeddings.

        Raises
        ------
        KnownError
            See `band`.
        """
        band, start = self.band(rule), perf_counter()
        quick = self._shares(self._fast, left, right)
        fast = _cosine(*quick)
        asked: list[tuple[Embedding, Embedding]] = []

        def ask() -> float:
            slow = self._shares(self._slow, left, right)
            one, other = (self._joined(pair) for pair in zip(quick, slow, strict=True))
            asked.append((one, other))
            return _cosine(one.vector, other.vector)

        opinion = judge(fast, ask, band, rule)
        spent = (perf_counter() - start) * 1000
        if asked:
            one, other = asked[0]
            comparison = self._services.compare(replace(left, embedding=one), replace(right, embedding=other), timings)
        else:
            comparison = self._clear(fast, left, right, timings)
        return self._answer(opinion, comparison, rule, band, spent)

    def compare_person(self, person_id: int, probe: Face, rule: Rule, timings: Timings | None = None) -> Answer:
        """Compare a face, which needs no embedding, with an enrolled person.

        Raises
        ------
        KnownError
            See `band`; or the person has no sample of the fused model.
        """
        band, start = self.band(rule), perf_counter()
        (quick,) = self._shares(self._fast, probe)
        candidates = self._candidates(quick)
        own = next((one for one in candidates if one.person_id == person_id), None)
        whole: list[Comparison] = []

        def ask() -> float:
            (slow,) = self._shares(self._slow, probe)
            face = replace(probe, embedding=self._joined((quick, slow)))
            whole.append(self._services.compare_person(person_id, face, timings))
            return whole[0].similarity

        # Somebody without a sample is the whole model's to complain about.
        opinion = judge(own.similarity if own else float("nan"), ask, band, rule)
        spent = (perf_counter() - start) * 1000
        if whole or own is None:
            return self._answer(opinion, whole[0], rule, band, spent)
        other = next((one for one in candidates if one.person_id != person_id), None)
        comparison = replace(
            self._clear(own.similarity, None, probe, timings),
            person_id=person_id,
            person_name=own.name,
            best_sample_face_id=own.nearest_face_id,
            next_best=other,
            margin=own.similarity - other.similarity if other else None,
        )
        return self._answer(opinion, comparison, rule, band, spent)

    def _answer(self, opinion: Opinion, comparison: Comparison, rule: Rule, band: Band, spent: float) -> Answer:
        shown = rule if opinion.asked else Rule(band.high, band.low)
        return Answer(opinion, comparison, shown, rule, band, self._fast, self._whole, spent)

    def _shares(self, model: ModelInfo, *faces: Face) -> list[Vector]:
        """Return one network's embeddings of faces, without running it for those that were embedded before."""
        part = self._whole.parts[0 if model is self._fast else 1]
        found = [_known(face, model, self._whole, lambda vector: part_of(vector, part)) for face in faces]
        missing = [n for n, vector in enumerate(found) if vector is None]
        made = self._embedders[model.sha256].embed([faces[n].crop for n in missing])
        fresh = {n: one.vector for n, one in zip(missing, made, strict=True)}
        return [fresh[n] if vector is None else vector for n, vector in enumerate(found)]

    def _joined(self, shares: tuple[Vector, ...]) -> Embedding:
        return Embedding(fused(shares, self._whole.weights), self._whole.sha256)

    def _clear(self, fast: float, left: Face | None, right: Face, timings: Timings | None) -> Comparison:
        report = self._networks[self._fast.sha256].report
        calibration = calibrations_of(self._fast).get(FRONTAL)
        return Comparison(
            similarity=fast, left=left, right=right, person_id=None, person_name=None, best_sample_face_id=None,
            next_best=None, margin=None, timings=timings or Timings(), model=self._fast, provider=report,
            calibration=calibration,
        )  # fmt: skip

    def _candidates(self, probe: Vector) -> tuple[Candidate, ...]:
        whole = self._services.gallery.template_matrix(self._whole.sha256)
        if not len(whole.vectors):
            return ()
        shrink = float(self._services.catalog.tables["enrolment"]["template_shrink"])
        return candidates_of(self._templates(whole), probe, shrink)

    def _templates(self, whole: TemplateMatrix) -> TemplateMatrix:
        """Return the fast network's share of everybody's samples."""
        # SQLAlchemy takes about a second to import.
        from facegui.gallery.matrices import template_means

        with self._lock:
            if self._sliced is None or self._sliced[0] is not whole:
                share = np.ascontiguousarray(part_of(whole.vectors, self._whole.parts[0]))
                means, agreement = template_means(share, whole.quality, whole.starts)
                own = replace(whole, model_id=self._fast.sha256, vectors=share, means=means, agreement=agreement)
                self._sliced = whole, own
            return self._sliced[1]


def _known(face: Face, own: ModelInfo, whole: ModelInfo, share: Callable[[Vector], Vector]) -> Vector | None:
    """Return the embedding of a face by one network where it is at hand."""
    made = face.embedding
    if made is None or made.model_id not in (own.sha256, whole.sha256):
        return None
    return made.vector if made.model_id == own.sha256 else share(made.vector)


def _cosine(left: Vector, right: Vector) -> float:
    return float(np.clip(left @ right, -1.0, 1.0))

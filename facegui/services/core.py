"""The services themselves: what is loaded, and every question that the program answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from facegui import paths
from facegui import settings as settings_table
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog, ModelInfo
from facegui.faces.embed import Embedder, cosine
from facegui.faces.pipeline import FacePipeline
from facegui.faces.session import OnnxNetwork, ProviderReport
from facegui.faces.types import Embedding, Face, FacePolicy, Frame, Image, Photo, Timings
from facegui.gallery.records import Change, DecisionKind, NewDecision, NewSample
from facegui.jobs import Job, Progress
from facegui.lookalikes.indexer import IndexSummary, index_folders
from facegui.lookalikes.ranking import Ranking
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, Rule, rule_for
from facegui.matching.enrolment import Enrolled, SampleCheck, check
from facegui.paths import plain
from facegui.services import index_upkeep, thumbnails
from facegui.services.candidates import candidates_of
from facegui.services.chain import build_pipeline, calibrations_of, network_of
from facegui.services.processes import executor_for
from facegui.services.searching import ranked
from facegui.services.values import Candidate, Comparison, EnrolSample
from facegui.settings import Settings
from facegui.sources import files

if TYPE_CHECKING:
    from facegui.gallery.store import Gallery

__all__ = ["Services"]

FRONTAL = "frontal"
REEMBED_BATCH = 32
TIMED_RUNS = 15


class Services:
    """The program without a window.

    Parameters
    ----------
    settings : Settings, optional
        Read from the settings file by default.
    gallery : str or Path, optional
        Database file or URL; the default gallery of this user otherwise.
    model : str, optional
        Id of the embedder; the one of the settings otherwise.
    read_only : bool
        Open the gallery for reading only.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        gallery: str | Path | None = None,
        model: str | None = None,
        read_only: bool = False,
    ) -> None:
        self.settings, self.ignored_settings = (settings, ()) if settings else settings_table.load()
        self._lock = threading.RLock()
        self._where = gallery or paths.gallery_file()
        self._read_only = read_only
        self._gallery: Gallery | None = None
        self._catalog = Catalog()
        if model is None and not self._catalog.has(self.settings.model, "embedder"):
            # It was removed by hand; a program that does not start could not be told to use another one.
            self.settings = replace(self.settings, model=Settings().model)
            self.ignored_settings = (*self.ignored_settings, "model")
        self._model = self._catalog.model(model or self.settings.model, "embedder")
        self._pipeline: FacePipeline | None = None
        self._network: OnnxNetwork | None = None
        self._detector_network: OnnxNetwork | None = None
        self._landmarks_network: OnnxNetwork | None = None
        self._calibrations = calibrations_of(self._model)

    def __enter__(self) -> Services:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the gallery; networks go with the object."""
        with self._lock:
            if self._gallery is not None:
                self._gallery.close()
                self._gallery = None

    # --- settings, models ---------------------------------------------------------------------------------

    def change_settings(self, **changes: Any) -> Settings:
        """Change and save settings; networks are made anew when a change concerns them."""
        with self._lock:
            wanted = settings_table.changed(self.settings, **changes)
            if wanted.model != self.settings.model:
                self._catalog.model(wanted.model, "embedder")
            settings_table.save(wanted)
            self.settings = wanted
            if {"provider", "threads"} & changes.keys():
                self._detector_network = self._network = self._landmarks_network = None
            if {"provider", "threads", "detection_score", "precision"} & changes.keys():
                self._pipeline = None
            if "model" in changes:
                self.use_model(wanted.model)
            return wanted

    @property
    def catalog(self) -> Catalog:
        """All models."""
        return self._catalog

    def models(self) -> tuple[ModelInfo, ...]:
        """Return all models, whatever their role."""
        return self._catalog.models()

    @property
    def model(self) -> ModelInfo:
        """The embedder in use."""
        return self._model

    def use_model(self, model_id: str) -> None:
        """Use another embedder from now on."""
        with self._lock:
            self._model = self._catalog.model(model_id, "embedder")
            self._calibrations = calibrations_of(self._model)
            self._network = None
            self._pipeline = None

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of the model in use, for faces that look at the camera."""
        return self._calibrations.get(FRONTAL)

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """All calibrations of the model in use, by condition."""
        return dict(self._calibrations)

    def rule(self) -> Rule | None:
        """Return threshold and unsure band at the false match rate of the settings; None if not calibrated."""
        return rule_for(self.calibration, self.settings.target_fmr)

    def warm_up(self) -> ProviderReport:
        """Load the networks and run them once, so that the first real face does not wait."""
        self.pipeline.warm_up()
        report = self.provider
        assert report is not None
        return report

    @property
    def provider(self) -> ProviderReport | None:
        """What the embedder really runs on; None until it was loaded."""
        network = self._network
        return network.report if network is not None and network.loaded else None

    @property
    def providers(self) -> dict[str, ProviderReport]:
        """What each network that was loaded really runs on, by the id of its model."""
        detector, points = (self._catalog.models(role)[0].id for role in ("detector", "landmarks"))
        with self._lock:
            networks = (self._detector_network, self._network, self._landmarks_network)
        made = zip((detector, self._model.id, points), networks, strict=True)
        return {name: network.report for name, network in made if network is not None and network.loaded}

    def time_model(self, model_id: str) -> float:
        """Return how long a model takes to embed one face here, in milliseconds: the median of some runs."""
        model = self._catalog.model(model_id, "embedder")
        embedder = Embedder(network_of(model, self.settings), model.sha256)
        rng = np.random.default_rng(0)
        crop = rng.integers(0, 256, (1, 112, 112, 3), np.uint8)
        spent = []
        for _ in range(TIMED_RUNS):
            start = perf_counter()
            embedder.embed_array(crop)
            spent.append((perf_counter() - start) * 1000)
        return float(np.median(spent))

    @property
    def pipeline(self) -> FacePipeline:
        """The chain with the model in use."""
        with self._lock:
            if self._pipeline is None:
                self._pipeline = self._make_pipeline()
            return self._pipeline

    def _make_pipeline(self) -> FacePipeline:
        settings, catalog = self.settings, self._catalog
        detector = self._detector_network or network_of(catalog.models("detector")[0], settings)
        points = self._landmarks_network or network_of(catalog.models("landmarks")[0], settings)
        embedder = self._network or network_of(self._model, settings)
        self._detector_network, self._landmarks_network, self._network = detector, points, embedder
        return build_pipeline(
            catalog, detector, embedder, self._model.sha256, points,
            score=settings.detection_score, precision=settings.precision,
        )  # fmt: skip

    @property
    def gallery(self) -> Gallery:
        """The gallery, opened at its first use."""
        with self._lock:
            if self._gallery is None:
                # SQLAlchemy takes about a second to import, which the window must not wait for.
                from facegui.gallery.store import Gallery

                self._gallery = Gallery.open(self._where, read_only=self._read_only)
                thumbnails.follow_gallery(self, self._gallery)
                index_upkeep.follow_index(self, self._gallery)
            return self._gallery

    # --- pictures -----------------------------------------------------------------------------------------

    def read(self, path: str | Path) -> Frame:
        """Read a photo from a file."""
        return files.read_photo(
            path, working_pixels=self.settings.working_pixels, max_megapixels=self.settings.max_megapixels
        )

    def read_bytes(self, data: bytes, name: str) -> Frame:
        """Read a photo from memory."""
        return files.read_bytes(
            data, name, working_pixels=self.settings.working_pixels, max_megapixels=self.settings.max_megapixels
        )

    def analyse(self, source: Frame | Path | str, *, policy: FacePolicy = FacePolicy.ALL, embed: bool = True) -> Photo:
        """Find the faces of a photo, align, assess and embed them."""
        start = perf_counter()
        frame = source if isinstance(source, Frame) else self.read(source)
        decode = (perf_counter() - start) * 1000 if frame is not source else 0.0
        photo = self.pipeline.analyse(frame, policy, embed=embed)
        return replace(photo, timings=replace(photo.timings, decode=decode))

    def analyse_live(self, frame: Frame) -> Photo:
        """Analyse a camera frame: the largest face only."""
        return self.pipeline.analyse(frame, FacePolicy.LARGEST)

    def probe(
        self, source: Frame | Path | str, policy: FacePolicy | None = None, *, embed: bool = True
    ) -> tuple[Photo, Face]:
        """Analyse a photo and return the one face that counts.

        Raises
        ------
        KnownError
            There is no face, or there are several and the policy refuses that.
        """
        photo = self.analyse(source, policy=policy or FacePolicy(self.settings.face_policy), embed=embed)
        if not photo.faces:
            raise KnownError(
                "No face found in this photo.",
                f"File: {photo.frame.source}.",
                "Try one where the face is larger or turned to the camera.",
            )
        return photo, photo.faces[0]

    # --- verify, identify ---------------------------------------------------------------------------------

    def compare(self, left: Face, right: Face, timings: Timings | None = None) -> Comparison:
        """Compare two faces."""
        model, (one, other) = self._embedded(left, right)
        return self._comparison(cosine(one, other), left, right, timings, model)

    def compare_person(self, person_id: int, probe: Face, timings: Timings | None = None) -> Comparison:
        """Compare a face with an enrolled person."""
        model, candidates = self._candidates(probe)
        own = next((c for c in candidates if c.person_id == person_id), None)
        if own is None:
            raise KnownError(
                "This person has no sample that can be compared.",
                f"Their samples were made with another model than {model.title}, or they have none.",
                "Add a photo of them on the Enroll page.",
            )
        other = next((c for c in candidates if c.person_id != person_id), None)
        return replace(
            self._comparison(own.similarity, None, probe, timings, model),
            person_id=person_id,
            person_name=own.name,
            best_sample_face_id=own.nearest_face_id,
            next_best=other,
            margin=own.similarity - other.similarity if other else None,
        )

    def identify(self, probe: Face, top: int = 5) -> tuple[Candidate, ...]:
        """Return the enrolled people most similar to a face, best first."""
        return self._candidates(probe)[1][:top]

    def record(
        self,
        comparison: Comparison,
        outcome: Outcome,
        rule: Rule | None,
        probe: str,
        reference: str = "",
        liveness: str | None = None,
        evidence: bytes | None = None,
    ) -> int | None:
        """Write a decision into the history, if the settings want one; return its id."""
        if not self.settings.keep_history or rule is None:
            return None
        calibration = comparison.calibration
        next_best = comparison.next_best
        return self.gallery.record(
            NewDecision(
                kind=DecisionKind.VERIFY_PAIR if comparison.person_id is None else DecisionKind.VERIFY_PERSON,
                outcome=outcome,
                probe=probe,
                reference=reference or None,
                person_id=comparison.person_id,
                runner_up_id=next_best.person_id if next_best else None,
                similarity=comparison.similarity,
                threshold=rule.threshold,
                target_fmr=calibration.fmr_at(rule.threshold).value if calibration else self.settings.target_fmr,
                margin=comparison.margin,
                model_id=comparison.model.sha256,
                provider=comparison.provider.active,
                liveness=liveness,
                evidence=evidence,
            )
        )

    def _comparison(
        self, similarity: float, left: Face | None, right: Face, timings: Timings | None, model: ModelInfo
    ) -> Comparison:
        report = self.provider or self.warm_up()
        return Comparison(
            similarity=similarity,
            left=left,
            right=right,
            person_id=None,
            person_name=None,
            best_sample_face_id=None,
            next_best=None,
            margin=None,
            timings=timings or Timings(),
            model=model,
            provider=report,
            calibration=calibrations_of(model).get(FRONTAL) if model is not self._model else self.calibration,
        )

    def _embedded(self, *faces: Face) -> tuple[ModelInfo, list[Embedding]]:
        """Return the model in use and the faces' embeddings by it, from their crops if need be.

        Another thread may switch the model at any moment, so whoever compares goes on with the model from here.
        """
        embedder = self.pipeline.embedder
        found = [face.embedding for face in faces]
        missing = [n for n, made in enumerate(found) if made is None or made.model_id != embedder.model_id]
        fresh = dict(zip(missing, embedder.embed([faces[n].crop for n in missing]), strict=True))
        embeddings = [fresh.get(n, made) for n, made in enumerate(found)]
        model = self._catalog.model(embedder.model_id, "embedder")
        return model, [made for made in embeddings if made is not None]

    def _candidates(self, probe: Face) -> tuple[ModelInfo, tuple[Candidate, ...]]:
        model, (embedding,) = self._embedded(probe)
        matrix = self.gallery.template_matrix(model.sha256)
        shrink = float(self._catalog.tables["enrolment"]["template_shrink"])
        return model, candidates_of(matrix, embedding.vector, shrink)

    # --- enrol --------------------------------------------------------------------------------------------

    def check_samples(self, name: str, faces: Sequence[Face]) -> tuple[SampleCheck, ...]:
        """Check samples before they are saved: quality, near duplicates, likeness to somebody else.

        `name` may still be empty: likeness to everybody enrolled is looked at then.
        """
        model, embeddings = self._embedded(*faces)
        matrix = self.gallery.template_matrix(model.sha256)
        person = self.gallery.person_named(name) if name.strip() else None
        limits = self._catalog.tables
        embedded = [replace(face, embedding=made) for face, made in zip(faces, embeddings, strict=True)]
        return check(
            embedded,
            person.id if person else None,
            Enrolled(matrix.vectors, matrix.person_ids, matrix.names),
            self.rule(),
            poor=float(limits["quality"]["poor"]),
            near_duplicate=float(limits["enrolment"]["near_duplicate"]),
        )

    def enroll(self, name: str, samples: Sequence[EnrolSample]) -> tuple[int, Change]:
        """Save samples of a person, who is made when the name is new; return their id and what changed."""
        _, embeddings = self._embedded(*(sample.face for sample in samples))
        rows = [
            NewSample.of(replace(sample.face, embedding=made), sample.frame)
            for sample, made in zip(samples, embeddings, strict=True)
        ]
        return self.gallery.enroll(name, rows)

    def reembed(self) -> Job[int]:
        """Return the job that embeds with the model in use what only other models have embedded.

        The stored crops are its input, so no photo is read again. A run that was broken off is taken up by the next.

        Yields
        ------
        Progress
            After each batch.

        Returns
        -------
        int
            Faces embedded.
        """
        gallery, pipeline = self.gallery, self.pipeline
        model_id = pipeline.embedder.model_id
        total = 0 if gallery.read_only else gallery.pending_count(model_id)
        done = 0
        pending = gallery.reembed_pending(model_id)
        while done < total and (batch := list(islice(pending, REEMBED_BATCH))):
            vectors = pipeline.embedder.embed([crop for _, crop in batch])
            gallery.store_embeddings(
                model_id, [(face_id, made.vector) for (face_id, _), made in zip(batch, vectors, strict=True)]
            )
            done += len(batch)
            yield Progress(min(done, total), total)
        return done

    # --- lookalikes ---------------------------------------------------------------------------------------

    def index(self, folders: Sequence[Path], *, retry_skipped: bool = False) -> Job[IndexSummary]:
        """Return the job that brings the index of some folders up to date.

        With `retry_skipped`, files that could not be used are tried again although they did not change.
        """
        return index_folders(
            self.gallery,
            self.pipeline,
            folders,
            self.read_bytes,
            include_hidden=self.settings.include_hidden,
            retry_skipped=retry_skipped,
            follow_links=self.settings.follow_links,
            executor=executor_for(self),
        )

    def lookalikes(
        self,
        probe: Face | int,
        folders: Sequence[Path] | None = None,
        *,
        top: int | None = None,
        one_per_photo: bool = False,
    ) -> Ranking:
        """Order the indexed faces by their similarity to a face or to an enrolled person.

        Raises
        ------
        KnownError
            The person has no sample made with the model in use.
        """
        if isinstance(probe, Face):
            model, (embedding,) = self._embedded(probe)
            query = embedding.vector
        else:
            model = self._model
            matrix = self.gallery.template_matrix(model.sha256)
            position = np.flatnonzero(matrix.people == probe)
            if not position.size:
                raise KnownError(
                    "This person has no sample that can be compared.",
                    f"No sample of theirs was made with {model.title}.",
                    "Add a photo of them on the Enroll page.",
                )
            place = int(position[0])
            # As in `_candidates`: the threshold keeps its meaning for the mean of several samples, too.
            shrink = float(self._catalog.tables["enrolment"]["template_shrink"])
            query = matrix.means[place] * matrix.agreement[place] ** np.float32(shrink)
        where = [str(plain(folder)) for folder in folders] if folders is not None else None
        return ranked(self, query, folders=where, top=top, one_per_photo=one_per_photo)

    def crop(self, face_id: int) -> Image | None:
        """Return the stored aligned crop of a face, RGB uint8 (112, 112, 3)."""
        return self.gallery.crop(face_id)

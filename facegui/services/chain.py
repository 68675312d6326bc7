"""The chain and the calibrations, put together from the manifest."""

from __future__ import annotations

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog, ModelInfo
from facegui.faces.dense import DenseFinder, DenseLimits
from facegui.faces.dense_quality import DenseQualityLimits
from facegui.faces.dense_shape import MeanHead
from facegui.faces.detect import DetectorLimits, YuNet
from facegui.faces.embed import Embedder
from facegui.faces.landmarks import LookLimits
from facegui.faces.pipeline import FacePipeline, SearchPlan
from facegui.faces.precision import Precision
from facegui.faces.quality import QualityLimits, QualityOdds
from facegui.faces.session import Network, OnnxNetwork
from facegui.matching.calibration import Calibration
from facegui.matching.tables import from_table
from facegui.settings import Settings

__all__ = ["build_pipeline", "calibrations_of", "network_of"]


def calibrations_of(model: ModelInfo) -> dict[str, Calibration]:
    """Return the calibrations of a model by condition."""
    return {condition: from_table(table) for condition, table in model.calibrations.items()}


def network_of(model: ModelInfo, settings: Settings) -> OnnxNetwork:
    """Return the network of a model, to run as the settings say."""
    return OnnxNetwork(model.file, provider=settings.provider, threads=settings.threads)


def build_pipeline(
    catalog: Catalog,
    detector: Network,
    embedder: Network,
    model_id: str,
    landmarks: Network,
    *,
    score: float,
    precision: str,
) -> FacePipeline:
    """Put the chain together from networks and the numbers of the manifest.

    Parameters
    ----------
    catalog : Catalog
    detector, embedder, landmarks : Network
    model_id : str
        sha256 of the embedder.
    score : float
        Least confidence of the detector, 0..1.
    precision : str
        One of `facegui.faces.precision.LEVELS`.

    Raises
    ------
    KnownError
        The manifest lacks something.
    """
    try:
        level = Precision.from_table(catalog.tables["precision"][precision])
        dense = DenseLimits.from_table(catalog.tables["dense"])
        return FacePipeline(
            YuNet(detector),
            Embedder(embedder, model_id, mirror=level.mirror_embedding),
            detection=DetectorLimits(score, float(catalog.tables["detection"]["iou"])),
            plan=SearchPlan(**catalog.tables["search"]),
            second_look=LookLimits.from_table(catalog.tables["second_look"]),
            quality=QualityLimits.from_table(catalog.tables["quality"]),
            odds=QualityOdds.from_table(catalog.tables["quality_odds"]),
            dense=DenseFinder(landmarks, dense, MeanHead.load(paths.models_dir() / "mean_head.csv")),
            dense_quality=DenseQualityLimits.from_table(catalog.tables["quality_dense"]),
            precision=level,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise KnownError(
            "The list of models is incomplete.", f"manifest.toml lacks {error}.", "Install facegui again."
        ) from error

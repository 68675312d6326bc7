"""What the window does in the background for its status strip: models, the samples made with them, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.gui.bridge import Bridge
from facegui.gui.widgets.status_strip import StatusStrip

if TYPE_CHECKING:
    from facegui.faces.session import ProviderReport
    from facegui.services import Services

__all__ = ["Loading"]


class Loading(QObject):
    """Loads the models, changes the model on the user's wish, and tells the strip.

    Signals
    -------
    changed
        The model or the samples made with it are others now.
    failed(object)
        The models could not be loaded: the exception.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, strip: StatusStrip, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._strip = services, bridge, strip
        strip.model_chosen.connect(self._use_model)

    def load(self) -> None:
        """Load what the settings say; what is loaded already stays."""
        embedders = [model for model in self._services.models() if model.role == "embedder"]
        self._strip.set_models([(model.id, model.title) for model in embedders], self._services.model.id)
        self._strip.set_provider(self._services.provider)
        self._bridge.run(self, self._services.warm_up, self._loaded, self._not_loaded, newest="load")
        self.count()

    def count(self) -> None:
        """Read the size of the gallery again."""
        self._bridge.run(
            self, lambda: self._services.gallery.counts(),
            lambda counts: self._strip.set_counts(counts.people, counts.samples), newest="count",
        )  # fmt: skip

    def _loaded(self, report: ProviderReport) -> None:
        self._strip.set_provider(report)
        self._bridge.start(
            self, self._services.reembed(), on_done=lambda faces: self.changed.emit() if faces else None,
            newest="reembed", title=self.tr("Preparing the samples for this model"),
        )  # fmt: skip

    def _not_loaded(self, error: Exception) -> None:
        self._strip.set_provider_problem(str(error))
        self.failed.emit(error)

    def _use_model(self, model_id: str) -> None:
        def done(_settings: object) -> None:
            self.load()
            self.changed.emit()

        self._bridge.run(
            self, lambda: self._services.change_settings(model=model_id), done, lane="write", newest="model"
        )

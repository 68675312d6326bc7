"""What the window and the command line ask of the program: one object, plain blocking methods, no Qt.

Networks, gallery and calibration are loaded when first needed. All methods may be called from any thread.
"""

from facegui.services.chain import build_pipeline
from facegui.services.core import REEMBED_BATCH, Services
from facegui.services.values import Candidate, Comparison, EnrolSample

__all__ = ["REEMBED_BATCH", "Candidate", "Comparison", "EnrolSample", "Services", "build_pipeline"]

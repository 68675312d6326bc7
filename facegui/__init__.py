"""facegui: face verification, identification and lookalike search on one's own computer."""

import os
from importlib.metadata import PackageNotFoundError, version

# The official builds of ONNX Runtime report to their maker, under a number that they give this user, unless this
# is set before anything loads them.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Threads of OpenMP (FAISS, scikit-learn, PyTorch) wait for each other by spinning, by default for milliseconds: where
# other programs wanted the processor too, an index of faces took several times as long. Some microseconds do.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

try:
    __version__ = version("facegui")
except PackageNotFoundError:  # run from a folder that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]

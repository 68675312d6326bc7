"""facegui: face verification, identification and lookalike search on one's own computer."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("facegui")
except PackageNotFoundError:  # run from a folder that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]

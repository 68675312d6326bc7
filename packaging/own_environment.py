"""Run at the start of both packaged programs (Linux): what they start in turn gets the user's own environment.

The loader of the package points LD_LIBRARY_PATH at the package's libraries. It has done its work by now, and a file
manager or a viewer that is opened from the window would load those libraries instead of its own. Processes of the
program itself (multiprocessing) get it back, because there the loader does not set it once more.
"""

import os
from multiprocessing import util
from typing import Any

_ORIGINAL, _PATH = "LD_LIBRARY_PATH_ORIG", "LD_LIBRARY_PATH"
_for_ourselves = {name: os.environ.pop(name) for name in (_ORIGINAL, _PATH) if name in os.environ}
_for_others = {_PATH: _for_ourselves[_ORIGINAL]} if _ORIGINAL in _for_ourselves else {}
os.environ.update(_for_others)
_spawn: Any = util.spawnv_passfds


def _spawn_ourselves(*arguments: object) -> int:
    """Start a process of the program itself."""
    os.environ.update(_for_ourselves)
    try:
        return int(_spawn(*arguments))
    finally:
        for name in _for_ourselves:
            del os.environ[name]
        os.environ.update(_for_others)


setattr(util, "spawnv_passfds", _spawn_ourselves)  # noqa: B010 - known to type checkers as a constant

"""Run at the start of both packaged programs (Linux): what they start in turn gets the user's own environment.

The loader of the package points LD_LIBRARY_PATH at the package's libraries. It has done its work by now; a file
manager or a viewer that is opened from the window would load those libraries instead of its own.
"""

import os

_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
os.environ.pop("LD_LIBRARY_PATH", None)
if _before is not None:
    os.environ["LD_LIBRARY_PATH"] = _before

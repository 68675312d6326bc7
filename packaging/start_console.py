"""Entry of the packaged program `facegui`: the command line, and the window when no verb is given."""

import multiprocessing
import sys

from facegui.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())

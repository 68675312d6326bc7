"""Entry of the packaged program `facegui-window`: what a double click opens.

``facegui-window --self-test FOLDER`` verifies the pictures of a folder in the window and closes it; see
`facegui.gui.self_test`.
"""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()
    if sys.argv[1:2] == ["--self-test"]:
        from facegui.gui.self_test import main as self_test

        sys.exit(self_test(sys.argv[2:]))
    from facegui.gui.start import main

    sys.exit(main(sys.argv[1:]))

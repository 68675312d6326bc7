"""Reads a folder into a gallery with made-up faces, slowly, to be killed in the middle: see test_indexer.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from test_indexer import Decoder, FakePipeline

from facegui.faces.types import Frame
from facegui.gallery.store import Gallery
from facegui.jobs import run
from facegui.lookalikes import indexer

if __name__ == "__main__":
    decode = Decoder()

    def slowly(data: bytes, name: str) -> Frame:
        time.sleep(0.003)
        return decode(data, name)

    indexer._BATCH = 7
    with Gallery.open(sys.argv[1]) as gallery:
        print("begins", flush=True)
        run(indexer.index_folders(gallery, FakePipeline(), [Path(sys.argv[2])], slowly))  # type: ignore[arg-type]

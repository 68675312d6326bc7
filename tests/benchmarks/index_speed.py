"""Whether a folder is read into the index as fast as the chain alone takes its photos: prints both and their ratio.

    uv run python tests/benchmarks/index_speed.py FOLDER [--count 400] [--group 80]

Both take the same photos, group by group and by turns, all faces of each: the chain from file to embedding with photos
side by side, and `index` with everything that it does besides (content hash, crops, database). The first group of each
only warms up.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=400, help="photos, spread over the folder")
    parser.add_argument("--group", type=int, default=80)
    parser.add_argument("--model", default="arcface+sface")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["FACEGUI_HOME"] = home
        from facegui.faces.stages import analyse_photos
        from facegui.services import Services
        from facegui.settings import Settings
        from facegui.sources.files import photo_files

        files = [path.resolve() for path in photo_files(chosen.folder)]
        files = files[:: max(1, len(files) // chosen.count)][: chosen.count]
        spent: dict[str, list[float]] = {"chain": [], "index": []}
        found = {"chain": 0, "index": 0}
        with Services(gallery=Path(home, "gallery.sqlite"), settings=Settings(), model=chosen.model) as services:
            services.warm_up()
            for number, start in enumerate(range(0, len(files) - chosen.group + 1, chosen.group)):
                part = files[start : start + chosen.group]
                folder = Path(home, f"photos {number}")
                folder.mkdir()
                links = [folder / f"{place:05d}{file.suffix}" for place, file in enumerate(part)]
                for link, file in zip(links, part, strict=True):
                    link.symlink_to(file)

                def chain(links: list[Path] = links) -> int:
                    done = analyse_photos(services.pipeline, links, services.read)
                    return sum(len(one.value.faces) for one in done if one.error is None and one.value is not None)

                def index(folder: Path = folder) -> int:
                    job = services.index([folder])
                    while True:
                        try:
                            next(job)
                        except StopIteration as end:
                            return int(end.value.faces)

                ways = [("chain", chain), ("index", index)]
                for name, way in ways if number % 2 else reversed(ways):
                    begun = time.perf_counter()
                    faces = way()
                    took = (time.perf_counter() - begun) * 1000 / len(part)
                    if number:
                        spent[name].append(took)
                        found[name] += faces
        ratios = np.array(spent["index"]) / np.array(spent["chain"])
        for name, words in (("chain", "the chain alone"), ("index", "index")):
            print(f"{words:18s}{np.median(spent[name]):8.2f} ms per photo (median of groups), {found[name]} faces")
        print(f"index over chain   {np.median(ratios):8.2f} (groups from {ratios.min():.2f} to {ratios.max():.2f})")


if __name__ == "__main__":
    main()

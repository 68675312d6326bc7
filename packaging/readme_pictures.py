"""Make the README's pictures: ``uv run python packaging/readme_pictures.py``.

The real window, drawn without a screen, on two portraits in the public domain and changed copies of them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

PICTURES = Path(__file__).resolve().parent / "pictures"
WANTED = {"light": ("verify",), "dark": ("lookalikes",)}


def main() -> int:
    """Draw the pages in both themes and keep those that the README shows."""
    from facegui.cli.samples import make_folder
    from facegui.gui.pictures import draw_pages
    from facegui.jobs import run
    from facegui.services import EnrolSample, Services
    from facegui.settings import Settings, changed, save

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facegui-") as name:
        home = Path(name)
        os.environ["FACEGUI_HOME"] = str(home)
        with Services() as services:
            photos = run(make_folder(services, home / "photos")).photos
            for file in photos.iterdir():
                if not file.name.startswith(("astronaut", "admiral")):
                    file.unlink()
            for person, stem in (("Eileen Collins", "astronaut"), ("Grace Hopper", "admiral")):
                photo, face = services.probe(photos / f"{stem}-half.jpg")
                services.enroll(person, [EnrolSample(face, photo.frame)])
        files = {
            "verify": [photos / "astronaut.jpg", photos / "admiral.jpg"],
            "enroll": [photos / "astronaut.jpg"],
            "lookalikes": [photos / "admiral.jpg", photos],
        }
        for theme, pages in WANTED.items():
            save(changed(Settings(), theme=theme))
            drawn = draw_pages(Services, files, home)
            for picture in drawn:
                if picture.stem in pages:
                    shutil.copy(picture, PICTURES / f"{picture.stem}-{theme}.png")
    for picture in sorted(PICTURES.glob("*.png")):
        print(picture.name, picture.stat().st_size // 1024, "KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

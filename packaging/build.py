"""Build the packaged program: ``uv run --group packaging python packaging/build.py [--deb] [--smoke]``.

    dist/facegui/            the program in one folder; double-click facegui-window in it
    dist/facegui_*_*.deb     the same as a Debian package (--deb)

--smoke starts what was built and verifies faces in its window (see ``smoke.py``).
--cuda takes the CUDA libraries along; the folder grows by 270 MB, and by some gigabytes with the extra `cuda`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def build(dist: Path, work: Path, *, cuda: bool = False) -> Path:
    """Build the folder and return it; ends the program when that fails."""
    if not sys.platform.startswith("linux"):
        from icons import make_icons

        make_icons(ROOT / "build" / "icons")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(dist), "--workpath", str(work), str(HERE / "facegui.spec")]
    environment = os.environ | {"FACEGUI_CUDA": "1" if cuda else "0"}
    if status := subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        sys.exit(status)
    return dist / "facegui"


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where the result goes (dist)")
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="where the build keeps its files (build)")
    parser.add_argument("--cuda", action="store_true", help="with the CUDA libraries")
    parser.add_argument("--deb", action="store_true", help="make the Debian package as well")
    parser.add_argument("--smoke", action="store_true", help="start the result and verify faces in its window")
    given = parser.parse_args()
    folder = build(given.dist.resolve(), given.work.resolve(), cuda=given.cuda)
    print(folder)
    steps = []
    if given.deb:
        steps.append([str(HERE / "linux" / "make_deb.py"), str(folder), str(folder.parent)])
    if given.smoke:
        steps.append([str(HERE / "smoke.py"), str(folder)])
    for step in steps:
        status = subprocess.run([sys.executable, *step], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())

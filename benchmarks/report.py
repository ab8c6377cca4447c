"""What was measured, written down: JSON for programs, tables and plots for people, figures for docs/performance.md."""

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks import growth, over_server
from benchmarks.results import Results, Row
from bridge.version import __version__

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
RATIO = "x b"


def machine() -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "version": __version__,
        "python": sys.version.split()[0],
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": str(os.cpu_count()),
    }


def as_json(results: Results, told: Mapping[str, str]) -> str:
    rows = [asdict(row) for row in results.rows]
    return json.dumps({"machine": told, "rows": rows, "skipped": results.skipped}, indent=1) + "\n"


def as_markdown(results: Results, told: Mapping[str, str]) -> str:
    lines = ["Measured on " + ", ".join(f"{name} {value}" for name, value in told.items()) + ".", ""]
    for part in dict.fromkeys(row.part for row in results.rows):
        title = f"### {part[0].upper()}{part[1:]}"
        lines += [title, "", *_table([row for row in results.rows if row.part == part]), ""]
    if grown := growth.grown(results.rows):
        lines += ["### Growth, most rows against fewest", ""]
        lines += _lines(("database", "what", "times"), [(*key, f"{times:.2f}") for key, times in grown.items()])
        lines.append("")
    lines += [f"Not measured: {name}, because {why}." for name, why in results.skipped.items()]
    return "\n".join(lines).rstrip() + "\n"


def _table(rows: Sequence[Row]) -> list[str]:
    where, figures = _names(row.where for row in rows), _names(row.figures for row in rows)
    cells = []
    for row in rows:
        circumstances = [str(row.where.get(name, "")) for name in where]
        cells.append([*circumstances, row.subject, *(_shown(row.figures.get(name)) for name in figures)])
    return _lines((*where, "what", *figures), cells)


def _lines(head: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *cells)]


def _names(named: Iterable[Mapping[str, object]]) -> list[str]:
    """Every name once, in the order in which they come."""
    return list(dict.fromkeys(name for each in named for name in each))


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plots(results: Results) -> dict[str, str]:
    """SVG by the file's name, of what was measured.

    pygal is imported where it draws: it adds a hook to every import of its process.
    """
    made = {}
    for part in dict.fromkeys(row.part for row in results.rows):
        rows = [row for row in results.rows if row.part == part]
        if part == growth.PART:
            made[part] = _curves(rows, "payments", RATIO, "Growth")
        elif part == over_server.PART:
            made[part] = _curves(rows, "connections", "p99 ms", "Over serve")
        elif any(RATIO in row.figures for row in rows):
            made[part] = _bars(rows, f"{part}: times b")
    return {f"{name.replace(' ', '-')}.svg": image for name, image in made.items()}


def _bars(rows: Sequence[Row], title: str) -> str:
    import pygal

    chart = pygal.HorizontalBar(title=title, js=(), disable_xml_declaration=True)
    subjects = _names({row.subject: 0} for row in rows)
    chart.x_labels = subjects
    for kind in dict.fromkeys(str(row.where.get("database", "")) for row in rows):
        of_kind = {row.subject: row.figures.get(RATIO) for row in rows if str(row.where.get("database", "")) == kind}
        chart.add(kind, [of_kind.get(subject) for subject in subjects])
    return _drawn(chart)


def _curves(rows: Sequence[Row], along: str, figure: str, title: str) -> str:
    import pygal

    chart = pygal.XY(title=f"{title}: {figure}", x_title=along, js=(), disable_xml_declaration=True, logarithmic=False)
    for kind, subject in dict.fromkeys((str(row.where["database"]), row.subject) for row in rows):
        points = [
            (float(row.where[along]), row.figures[figure])
            for row in rows
            if row.subject == subject and row.where["database"] == kind and figure in row.figures
        ]
        chart.add(f"{subject}, {kind}", points)
    return _drawn(chart)


def _drawn(chart: Any) -> str:
    """Without the scripts that pygal puts in for its tooltips: images on a page run none."""
    tree = chart.render_tree()
    for parent in list(tree.iter()):
        for script in parent.findall("script"):
            parent.remove(script)
    return ElementTree.tostring(tree, encoding="unicode")


def write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = machine()
    (folder / "results.json").write_text(as_json(results, told))
    (folder / "report.md").write_text(as_markdown(results, told))
    for name, image in plots(results).items():
        (folder / name).write_text(image, encoding="utf-8")


def write_page(results: Results, page: Path = PAGE) -> None:
    """Put the figures into the page, in place of those that are there, or at its end."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    made = f"{BEGIN}## Figures\n\n{as_markdown(results, machine())}{END}"
    after = rest.partition(END)[2]
    page.write_text(before.rstrip("\n") + "\n\n" + made + after, encoding="utf-8")

"""`make bench` works from end to end, its figures are there, and a subject that answers an error has none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask

from benchmarks import report
from benchmarks.calls import INTENTS, Failed, Prepared, post
from benchmarks.load import ask_all
from benchmarks.processes import Server
from benchmarks.results import HELD_AGAINST, Results, Row, rows
from benchmarks.subjects import SUBJECTS
from bridge import Bridge
from bridge.simulators.server import serve
from tests.lifecycle.sizes import FULL
from tests.plugins.distributions import ROOT

CALL = post(INTENTS, {"order_id": 1}, ("ck_1", "cs_1"))


def bench(folder: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--database", "sqlite", "--out", str(folder), *arguments]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout == (folder / "report.md").read_text()
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


def test_every_subject_is_measured_beside_the_controls(tmp_path: Path) -> None:
    parts = ("in process", "over serve", "paid orders", "slow providers", "growth")
    found = bench(tmp_path, "--times", "1", "--requests", "2", *(word for part in parts for word in ("--only", part)))
    by_part = {part: [row for row in found["rows"] if row["part"].startswith(part)] for part in parts}
    assert {row["subject"] for row in by_part["in process"]} == {each.name for each in SUBJECTS}
    assert {(row["subject"], row["where"]["connections"]) for row in by_part["over serve"]} == {
        (each.name, count) for each in SUBJECTS if each.is_served for count in (1, 4)
    }
    for row in by_part["in process"]:
        figures = row["figures"]
        assert figures.keys() == {"CPU ms", *HELD_AGAINST}
        assert min(figures.values()) > 0
    for row in by_part["over serve"]:
        assert {"CPU ms", "requests/s", "p50 ms", "p99 ms"} <= row["figures"].keys()
        assert 0 < row["figures"]["p50 ms"] <= row["figures"]["p99 ms"]
    slow = {row["where"]["provider ms"]: row["figures"] for row in by_part["slow providers"]}
    assert slow.keys() == {0, 20}
    assert 1 <= slow[20]["held at the provider"] <= 4
    assert slow[20]["p50 ms"] >= 20
    assert {row["where"]["payments"] for row in by_part["growth"]} == {200, 400}
    assert {"create", "charge", "b"} <= {row["subject"] for row in by_part["growth"]}
    assert len(by_part["paid orders"]) == 2
    assert found["skipped"] == {}
    told = (tmp_path / "report.md").read_text()
    assert "| sqlite | create, stripe_connect |" in told
    assert "### Growth, most rows against fewest" in told
    for name in ("in-process.svg", "over-serve.svg", "growth.svg"):
        image = (tmp_path / name).read_text()
        assert ElementTree.fromstring(image).tag.endswith("svg")
        assert "<script" not in image


@pytest.mark.needs("valgrind")
@pytest.mark.skipif(not FULL, reason="valgrind is slow: BATTERY=full")
def test_instructions_are_counted(tmp_path: Path) -> None:
    wanted = ("--only", "instructions", "--subject", "b", "--subject", "bare JSON", "--subject", "create, sandbox")
    figures = {row["subject"]: row["figures"] for row in bench(tmp_path, *wanted)["rows"]}
    assert 0.2 < figures["bare JSON"]["M instructions"] < figures["b"]["M instructions"] < 5
    assert figures["create, sandbox"]["x b"] > 1


@pytest.fixture
def failing() -> Flask:
    app = Flask("failing")

    @app.post(INTENTS)
    def create() -> Any:
        return {"code": "nothing works"}, 500

    return app


def test_a_subject_that_answers_an_error_has_no_figures_in_process(failing: Flask) -> None:
    bridge = Bridge(secret_key="k" * 40, database_url="sqlite:////nowhere/bridge.sqlite")
    with pytest.raises(Failed, match=r"is answered 500 .*nothing works"):
        Prepared(failing, bridge, [CALL]).run()


@pytest.mark.parametrize("connections", [1, 3])
def test_a_subject_that_answers_an_error_has_no_figures_over_a_server(failing: Flask, connections: int) -> None:
    with serve(failing) as server, pytest.raises(Failed, match=r"is answered 500 .*nothing works"):
        ask_all(Server(0, "127.0.0.1", server.port), [CALL] * 5, connections)


def test_a_server_that_hangs_up_has_no_figures() -> None:
    with serve(failing_connection) as server, pytest.raises(Failed, match="a connection broke"):
        ask_all(Server(0, "127.0.0.1", server.port), [CALL], 1)


def failing_connection(_environ: Any, _start_response: Any) -> Any:
    raise ConnectionAbortedError


def test_a_ratio_is_the_median_of_ratios_of_one_round_each() -> None:
    """A machine that became ten times slower in the second round."""
    found = {"b": [{"ms": 1.0}, {"ms": 10.0}, {"ms": 1.0}], "create": [{"ms": 4.0}, {"ms": 50.0}, {"ms": 6.0}]}
    ratios = {row.subject: row.figures["x b"] for row in rows("part", {}, found, "ms")}
    assert ratios == {"b": 1.0, "create": 5.0}


def test_the_page_keeps_its_text_and_has_only_the_newest_figures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\nText.\n")
    for subject in ("older", "newer"):
        report.write_page(Results([Row("part", subject, {"database": "sqlite"}, {"x b": 2.0})]), page)
    text = page.read_text()
    assert text.startswith("# Title\n\nText.\n\n<!-- figures -->\n")
    assert text.count("<!-- figures -->") == 1
    assert "| sqlite | newer | 2 |" in text
    assert "older" not in text

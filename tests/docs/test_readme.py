"""README.md is followed: the demo beside it, programs in four languages, a bridge of one's own, an app of one's own."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.conftest import NpmClient
from tests.docs.demo_reader import READY, DemoReader
from tests.docs.owner import owner
from tests.docs.reader import Answer, Block, Elsewhere, NotRun, Paste, Reader, Step, Write, blocks, follow
from tests.plugins.distributions import ROOT
from tests.plugins.shared import FOLDER
from tests.plugins.tools import require

PAGE = "README.md"
OF_AN_INDEX = (
    "needs the package index; the test below holds its commands against the Makefile's, which filled this .venv"
)
OF_A_SHOP = "a shop of one's own"


@dataclass(frozen=True)
class TwoCommands(Step):
    """The first goes on in its own terminal; the second is what runs this test."""

    def take(self, reader: Reader, block: Block) -> None:
        demo, test = block.text.splitlines()
        assert test.startswith("make test ")
        reader.start(demo, READY, block.where)


CHARGES = Elsewhere("tests/docs/test_readme.py::test_its_programs_charge_an_order")
IN_THE_DEMO = (
    ("make demo", TwoCommands()),
    ("export PATH=", Paste(['"status":"succeeded"'])),
    ('{"id":"pi_', Answer()),
    ("wcpay-bridge why $ORDER", Paste()),
    ("pi_", Answer()),
    ('eval "$(wcpay-bridge demo env --store forte', Paste()),
    ("{\n", Answer()),
    ("wcpay-bridge demo trigger pay $VIRTUAL", Paste(["Done at forte_payments"])),
    ('eval "$(wcpay-bridge demo env)"\n', Paste()),
    ("import os", Write("charge.py")),
    ("python charge.py", CHARGES),
    ("const WooCommerce", Write("charge.js")),
    ("node charge.js", CHARGES),
    ("<?php", Write("charge.php")),
    ("php charge.php", CHARGES),
)
ON_ITS_OWN = (
    ("python3 -m venv /opt/wcpay-bridge", NotRun(OF_AN_INDEX)),
    ("wcpay-bridge init", NotRun(OF_A_SHOP)),
    ("BRIDGE_PUBLIC_URL", NotRun(OF_A_SHOP)),
    ("from bridge import Bridge", Elsewhere("tests/docs/test_readme.py::test_its_lines_mount_a_bridge_into_an_app")),
)
LANGUAGES = ("python", "node", "php")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory):
    with DemoReader(tmp_path_factory.mktemp("reader")) as reader:
        looks = {
            "export PATH=": reader.becomes("ORDER", "processing"),
            "wcpay-bridge demo trigger pay $VIRTUAL": reader.becomes("VIRTUAL", "processing"),
        }
        follow(PAGE, reader, (*IN_THE_DEMO, *ON_ITS_OWN), looks)
        yield reader


def test_the_page_is_followed(followed: DemoReader) -> None:
    assert (followed.folder / "charge.py").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_programs_charge_an_order(followed: DemoReader, language: str, request: pytest.FixtureRequest) -> None:
    if language != "python":
        require(language)
    if language == "node":
        client: NpmClient = request.getfixturevalue("npm_client")
        assert client
        followed.environ["NODE_PATH"] = str(request.config.stash[FOLDER] / "npm-client" / "node_modules")
    [run] = [block.text for block in blocks(PAGE) if block.text.startswith(f"{language} charge.")]
    assert followed.paste(run).strip() == "succeeded"


def test_its_commands_connect_a_shop(tmp_path: Path) -> None:
    *_, made, serve, _ = blocks(PAGE)
    with owner(tmp_path) as reader:
        reader.paste(made.text, stdin=f"{reader.secret}\n", where=made.where)
        assert "cs_" in reader.said
        reader.start(serve.text, "Listening at", serve.where)


def test_it_installs_as_the_makefile_does() -> None:
    """What stands there was done when this .venv was made, but for the folder."""
    [block] = [block for block in blocks(PAGE) if "pip install" in block.text]
    own = [" ".join(words.split()) for words in re.findall(r"pip install ([^#\n]*)", block.text)]
    makefile = (ROOT / "Makefile").read_text()
    assert own == ["--no-deps --require-hashes -r requirements.lock", "--no-deps --no-build-isolation ."]
    for words in own:
        assert words.removesuffix(".") in makefile
    assert os.path.exists(ROOT / "requirements.lock")


def test_its_lines_mount_a_bridge_into_an_app(tmp_path: Path) -> None:
    """The last block of README.md, in an app that is there."""
    code = blocks(PAGE)[-1].text.replace(", worker=True", "")
    with Reader(
        tmp_path, {"BRIDGE_SECRET_KEY": "k" * 32, "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite"}
    ) as reader:
        (tmp_path / "app.py").write_text(f"from flask import Flask\n\napp = Flask(__name__)\n{code}")
        assert "/pay/wp-json/wc/v3/payments/payment_intents" in reader.paste("flask routes")

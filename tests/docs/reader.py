"""Pages are followed as a reader follows them: what stands there is pasted into a shell, block by block, in order.

A page's table has a line for each of its blocks: how the block begins, and what a reader does with it. A block that is
not in the table fails, and so does a line of the table that the page does not have.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Self

from tests.plugins.distributions import ROOT

PROGRAMS = Path(sys.executable).parent
TIMEOUT = 120.0  # seconds for a block
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
"""Those of a list's steps are indented, and so is what stands in them."""


@dataclass(frozen=True)
class Block:
    """What stands between two fences of a page; `language` is the word behind the first."""

    page: str
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = FENCE.finditer(text)
    return [Block(page, text.count("\n", 0, match.start()) + 1, match[2], dedent(match[3])) for match in found]


@dataclass
class Reader:
    """Somebody at a shell in `folder`, which is his home too. `environ` and what he exports stay from block to block.

    He fills in what a page leaves open: `fills` has what stands there, and what it is for him.
    """

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)
    said: str = ""

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        path = f"{PROGRAMS}:{os.environ['PATH']}:/usr/local/sbin:/usr/sbin"
        own = {"PATH": path, "HOME": str(self.folder), "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8"}
        self.environ = own | self.environ

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def filled(self, text: str) -> str:
        for open_, own in self.fills.items():
            text = text.replace(open_, own)
        return text

    def paste(self, text: str, *, code: int = 0, stdin: str = "", where: str = "") -> str:
        """Run it line by line as one script that stops at the first failure; what it writes to stdout."""
        kept = self.folder / ".exported"
        script = f"set -eo pipefail; set -a; test ! -e {kept} || . {kept}; set +a\n"
        script += f"trap 'export -p > {kept}' EXIT\nset -a\n{self.filled(text)}\n"
        told = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        self.said = told.stdout
        assert told.returncode == code, f"{where}\n{self.filled(text)}\n{told.stdout}\n{told.stderr}"
        self.complained = told.stderr
        return told.stdout

    def exported(self, name: str) -> str:
        """A variable of the shell."""
        return self.paste(f'printf %s "${name}"')

    def start(self, text: str, sign: str, where: str = "") -> str:
        """Run what does not end by itself, until it says `sign`; what it said. It is ended with the reader."""
        kept = self.folder / ".exported"
        process = subprocess.Popen(
            ["bash", "-c", f"test ! -e {kept} || . {kept}\n{self.filled(text)}"],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if sign in line:
                break
        else:
            process.wait(timeout=TIMEOUT)
            process.stdout.close()
            raise AssertionError(f"{where}\n{''.join(lines)}")
        rest = threading.Thread(target=lambda: list(process.stdout or ()))
        rest.start()
        self._stack.callback(process.stdout.close)
        self._stack.callback(rest.join)
        self._stack.callback(_end, process)
        self.said = "".join(lines)
        return self.said


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:  # else whoever reads what it says would wait for it without end
        os.killpg(process.pid, signal.SIGKILL)
        raise


class Step(ABC):
    """What a reader does with a block."""

    @abstractmethod
    def take(self, reader: Reader, block: Block) -> None:
        """Fails the test unless the block does what the page says."""


@dataclass(frozen=True)
class Paste(Step):
    """Into the shell. `says` are words of what it answers, `stdin` what he enters when he is asked."""

    says: Sequence[str] = ()
    stdin: str = ""
    code: int = 0

    def take(self, reader: Reader, block: Block) -> None:
        assert block.language in ("sh", ""), block.where
        reader.paste(block.text, stdin=self.stdin, code=self.code, where=block.where)
        missing = [words for words in self.says if words not in reader.said + reader.complained]
        assert missing == [], f"{block.where}\n{reader.said}\n{reader.complained}"


@dataclass(frozen=True)
class Start(Step):
    """Into another shell, where it goes on: `sign` is what it says when it has begun."""

    sign: str

    def take(self, reader: Reader, block: Block) -> None:
        reader.start(block.text, self.sign, block.where)


@dataclass(frozen=True)
class Answer(Step):
    """It is what the block before it answers: line by line, but for what is another one each time.

    `...` stands for anything; ids, times, addresses and signatures count by their kind. In JSON white space is nothing.
    """

    def take(self, reader: Reader, block: Block) -> None:
        said, shown = (_normal(text, block.language) for text in (reader.said, reader.filled(block.text)))
        wanted = ".*?".join(re.escape(part) for part in shown.strip().split("..."))
        assert re.search(rf"(?:^|\n){wanted}(?:\n|$)", said, re.DOTALL), (
            f"{block.where}\n{block.text}\nis not in\n{reader.said}"
        )


@dataclass(frozen=True)
class Write(Step):
    """Into a file of this name, after what stands `before` it there."""

    name: str
    before: str = ""

    def take(self, reader: Reader, block: Block) -> None:
        path = reader.folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.before + reader.filled(block.text), encoding="utf-8")


@dataclass(frozen=True)
class Elsewhere(Step):
    """Another test does it: `test` is its file and name. That file reads this page."""

    test: str

    def take(self, reader: Reader, block: Block) -> None:
        file, _, name = self.test.partition("::")
        code = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^ *def {name}\(", code, re.MULTILINE), f"{block.where}: {self.test} is not there"
        is_of_page = Path(block.page).stem.lower() in file or Path(block.page).name in code
        assert is_of_page, f"{block.where}: {file} does not read the page"


@dataclass(frozen=True)
class NotRun(Step):
    """Nobody runs it, for this reason."""

    reason: str

    def take(self, reader: Reader, block: Block) -> None:
        """Nothing."""


Table = Sequence[tuple[str, Step]]
Looks = Mapping[str, Callable[[], object]]

SAME = (
    (r"\d{4}-\d\d-\d\dT?[ \d:.]*Z", "TIME"),
    (r"\b(pi|ch|re|dp|du|cus|ck|cs|py|pay|pst_test|evt)_[A-Za-z0-9]+", r"\1_ID"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{32}\b(\.[\w.-]+)?", "TOKEN"),
    (r'("created": ?)\d+', r"\1N"),
    (r"127-0-0-1-\d+", "127-0-0-1-PORT"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
)


def _normal(text: str, language: str) -> str:
    for pattern, name in SAME:
        text = re.sub(pattern, name, text)
    return re.sub(r"\s+", "", text) if language == "json" else re.sub(r"[ \t]+", " ", text)


def follow(page: str, reader: Reader, table: Table, then: Looks | None = None) -> None:
    """Do what the page says, from its first block to its last; `then` has what is looked at after a block, by how it
    begins. The table has to have every block."""
    found = blocks(page)
    for block, (begins, _) in zip(found, table, strict=False):
        assert block.text.startswith(begins), (
            f"{block.where}: nobody runs {block.text!r}, or it stood before {begins!r}"
        )
    assert len(found) >= len(table), f"{page}: these blocks are gone: {[begins for begins, _ in table[len(found) :]]}"
    assert len(found) == len(table), f"{page}: nobody runs {[block.where for block in found[len(table) :]]}"
    looks = dict(then or {})
    for block, (begins, step) in zip(found, table, strict=True):
        step.take(reader, block)
        said, look = reader.said, looks.pop(begins, None)
        if look:
            look()
        reader.said = said
    assert not looks, f"{page}: no block begins with {list(looks)}"

"""Reads the Dockerfile, and carries its instructions out in a folder that stands for the image's file system."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.install.environments import clean_environ
from tests.plugins.distributions import NOT_SOURCE, ROOT

OURS = ("/opt/", "/data", "/etc/passwd", "/source")
"""Where the image's own files are: everything else is the base image's."""


def instructions() -> list[tuple[str, str]]:
    """Each instruction's word and the rest of it, in order."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, rest in (line.split(" ", 1) for line in lines)]


def last(word: str) -> str:
    """The rest of the last such instruction of the last stage, which counts."""
    found = instructions()
    stage = max(index for index, (each, _) in enumerate(found) if each == "FROM")
    return next(rest for each, rest in reversed(found[stage:]) if each == word)


def entrypoint() -> list[str]:
    return json.loads(last("ENTRYPOINT"))


def command() -> list[str]:
    return json.loads(last("CMD"))


def healthcheck() -> list[str]:
    """The command of the one health check, without its options."""
    options, _, asked = last("HEALTHCHECK").partition("CMD ")
    assert all(re.fullmatch(r"--[a-z-]+=\d+s", option) for option in options.split())
    return json.loads(asked)


@dataclass(frozen=True)
class Image:
    """A folder with the files of the image, and programs that run there."""

    root: Path

    @classmethod
    def build(cls, folder: Path) -> "Image":
        """Everything that the Dockerfile copies and runs, with this Python for the base image's."""
        image = cls(folder / "root")
        (image.root / "etc").mkdir(parents=True)
        context = folder / "context"
        send_context(context)
        working = image.root
        for word, rest in instructions():
            if word == "WORKDIR":
                (working := image.root / rest.lstrip("/")).mkdir(exist_ok=True)
            elif word == "COPY":
                image._copy(context, working, rest.split())
            elif word == "RUN":
                image._run(rest, working)
        shutil.rmtree(image.root / "source")
        return image

    def _copy(self, context: Path, working: Path, words: list[str]) -> None:
        *sources, target = [word for word in words if not word.startswith("--")]
        if any(word.startswith("--from=") for word in words):
            assert sources == [target], "both stages are one folder here"
            assert (self.root / target.lstrip("/")).exists()
            return
        for source in map(context.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, working / target, symlinks=True)
            else:
                shutil.copy(source, working / target)

    def _run(self, script: str, working: Path) -> None:
        environment = clean_environ()
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        ran = subprocess.run(
            ["sh", "-ec", self.here(script)], cwd=working, env=environment, capture_output=True, text=True, timeout=900
        )
        assert ran.returncode == 0, f"{script}\n{ran.stdout}{ran.stderr}"

    def here(self, text: str) -> str:
        """A text in which the image's own paths are those of the folder; not the fields of a line of /etc/passwd."""
        return re.sub(rf"(?<![\w./:])({'|'.join(OURS)})", lambda found: f"{self.root}{found[1]}", text)

    @property
    def home(self) -> Path:
        """Of the user that the image runs as."""
        uid, _, gid = last("USER").partition(":")
        lines = [line.split(":") for line in (self.root / "etc" / "passwd").read_text().splitlines()]
        (home,) = (fields[5] for fields in lines if fields[2:4] == [uid, gid])
        return self.root / home.lstrip("/")


def send_context(folder: Path) -> None:
    """What .dockerignore lets through: of its patterns, the last one that matches a path counts."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]

    def kept(path: str) -> bool:
        verdict = True
        for pattern in patterns:
            wanted = pattern.startswith("!")
            glob = pattern.removeprefix("!").removeprefix("**/")
            if any(fnmatch(part, glob) for part in (path.split("/") if "**/" in pattern else path.split("/")[:1])):
                verdict = wanted
        return verdict

    def left_out(directory: str, names: list[str]) -> set[str]:
        relative = Path(directory).relative_to(ROOT)
        return {name for name in names if not kept((relative / name).as_posix())} | NOT_SOURCE(directory, names)

    shutil.copytree(ROOT, folder, symlinks=True, ignore=left_out)

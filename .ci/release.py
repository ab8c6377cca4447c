"""Builds a release of what is committed into dist/: sdist, wheel, SBOM and checksums.

    python .ci/release.py [TAG]

The same commit gives the same bytes on any machine, at any time: nothing comes from the working tree, and every time
stamp is SOURCE_DATE_EPOCH (the time of the commit, unless the environment has one). With a TAG (v1.2.3) the tree must
be that version, with a section of the changelog and nothing below "Unreleased"; the section becomes
build/release-notes.md.
"""

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import sbom

ROOT = Path(__file__).resolve().parents[1]
NAME = "wcpay_bridge"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tag", nargs="?", default="")
    tag = parser.parse_args().tag
    if told("status", "--porcelain"):
        sys.exit("Commit first: a release holds what is committed, and something else stands here.")
    os.environ.setdefault("SOURCE_DATE_EPOCH", told("log", "-1", "--format=%ct"))
    os.umask(0o022)  # permissions end up in the archives
    if tag:
        notes = notes_of(tag, (ROOT / "CHANGELOG.md").read_text())
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "release-notes.md").write_text(notes)
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder))
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        (ROOT / "dist").mkdir()
        for file in built:
            shutil.copy(file, ROOT / "dist")
            print(f"dist/{file.name}")


def told(*arguments: str) -> str:
    """What git answers."""
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def version() -> str:
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "bridge" / "version.py").read_text())
    assert found, "bridge/version.py has no version"
    return found[1]


def notes_of(tag: str, changelog: str) -> str:
    """The changelog's section of the tag's version. Exits with a sentence if that is not what stands here."""
    wanted = tag.removeprefix("v")
    if tag != f"v{version()}":
        sys.exit(f"The tag is {tag}, and bridge/version.py says {version()}.")
    sections = dict(re.findall(r"^## \[([^\]]+)\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL))
    if wanted not in sections:
        sys.exit(f"CHANGELOG.md has no section [{wanted}].")
    if re.search(r"^- ", sections.get("Unreleased", ""), re.MULTILINE):
        sys.exit(f"CHANGELOG.md has entries below [Unreleased]: move them below [{wanted}].")
    section: str = sections[wanted]
    return section.strip() + "\n"


def build(folder: Path) -> list[Path]:
    """The four files, in the folder."""
    source, dist = folder / "source", folder / "dist"
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        extract(tar, source)
    run_build("--sdist", source, dist)
    (sdist,) = dist.glob("*.tar.gz")
    normalize(sdist, int(os.environ["SOURCE_DATE_EPOCH"]))
    with tarfile.open(sdist) as tar:
        extract(tar, folder)
    run_build("--wheel", folder / sdist.name.removesuffix(".tar.gz"), dist)
    (wheel,) = dist.glob("*.whl")
    bill = dist / f"{NAME}-{version()}.cdx.json"
    bill.write_text(sbom.document(ROOT, version(), wheel))
    files = sorted([sdist, wheel, bill])
    sums = dist / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files))
    return [*files, sums]


def extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Only plain files and folders below it, where Python can see to that: since 3.11.4, and Debian 12 has 3.11.2."""
    tar.extraction_filter = getattr(tarfile, "data_filter", None)
    tar.extractall(folder)


def run_build(kind: str, source: Path, dist: Path) -> None:
    """With the locked build tools of this environment, not with whatever is newest today."""
    command = [sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", str(dist), str(source)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(ran.stdout + ran.stderr)


def normalize(sdist: Path, epoch: int) -> None:
    """Write the archive anew without what differs from machine to machine: order, owners, permissions, times."""
    with tarfile.open(sdist) as tar:
        members = {
            member.name: (member, opened.read() if (opened := tar.extractfile(member)) else b"") for member in tar
        }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(members):
            member, content = members[name]
            member.mtime, member.pax_headers = epoch, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            tar.addfile(member, io.BytesIO(content))
    with sdist.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=epoch) as compressed:
        compressed.write(packed.getvalue())


if __name__ == "__main__":
    main()

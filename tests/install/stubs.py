"""Wheels of the future: for a name, a version that is newer than any."""

import zipfile
from pathlib import Path

FUTURE = "9999"


def write_stub(folder: Path, name: str) -> None:
    """An empty wheel of `name`, version 9999, that every resolver prefers."""
    stem = f"{name.replace('-', '_')}-{FUTURE}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {FUTURE}\n")
        wheel.writestr(
            f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{stem}.dist-info/RECORD", "")

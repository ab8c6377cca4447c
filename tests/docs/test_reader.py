"""Who follows a page stumbles where a reader would."""

from pathlib import Path

import pytest

from tests.docs import reader as pages
from tests.docs.reader import Answer, Elsewhere, Paste, Reader, Start, follow

PAGE = """
```sh
X=$(echo 1); export Y=2
```

```sh
echo $X$Y pi_abc
```

```
12 pi_def
```
"""
TABLE = (("X=", Paste()), ("echo", Paste(["12"])), ("12", Answer()))


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(PAGE)
    return tmp_path / "page.md"


def test_variables_stay_and_answers_are_compared(page: Path, tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        follow("page.md", reader, TABLE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12 pi_def", "13 pi_def"),
        ("12 pi_def", "12 pi"),
        ("echo $X$Y", "false; echo $X$Y"),
        ("echo $X$Y", "cd nowhere\necho $X$Y"),
        ("export Y=2", "Z=2"),
        ("12 pi_def\n```", "12 pi_def\n```\n\n```sh\ntrue\n```"),
        ("```\n12 pi_def\n```\n", ""),
    ],
)
def test_a_page_that_does_not_work_fails(page: Path, tmp_path: Path, old: str, new: str) -> None:
    page.write_text(PAGE.replace(old, new))
    with Reader(tmp_path) as reader, pytest.raises(AssertionError):
        follow("page.md", reader, TABLE)


def test_what_does_not_begin_and_a_test_that_is_not_there_fail(page: Path, tmp_path: Path) -> None:
    assert page.exists()
    with Reader(tmp_path) as reader, pytest.raises(AssertionError):
        follow("page.md", reader, (("X=", Start("Listening")), *TABLE[1:]))
    with Reader(tmp_path) as reader, pytest.raises((AssertionError, OSError)):
        follow("page.md", reader, (("X=", Elsewhere("tests/nowhere.py::test_x")), *TABLE[1:]))

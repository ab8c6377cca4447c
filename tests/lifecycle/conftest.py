"""`live`: one Life of each kind per module, on SQLite; a test takes orders of its own from it. `life` and `manual` are
the usual ones.

`live_on` makes one on any database, for one test.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.simulators.certificates import Certificates
from tests.lifecycle.lives import SECRET, Life
from tests.plugins.local import MakeLocal, locals_in

LiveIn = Callable[..., Life]


def bring_to_life(make: MakeLocal, url: str, kind: str, settings: dict[str, str], **more: Any) -> Life:
    if kind == "sandbox":
        books = {"books": f"{url.removeprefix('sqlite:///')}.books"} if url.startswith("sqlite:") else {}
        return Life(make(url, settings=books | settings, **more), kind)
    settings = {"webhook_secret": SECRET, **({"charge_type": kind} if kind == "destination" else {}), **settings}
    return Life(make(url, "stripe_connect", settings=settings, **more), kind)


@pytest.fixture
def live_on(make_local: MakeLocal) -> LiveIn:
    """`live_on(database_url, kind, capture="manual")`; `settings` are the adapter's."""

    def live_on(url: str, kind: str = "direct", settings: dict[str, str] | None = None, **more: Any) -> Life:
        return bring_to_life(make_local, url, kind, settings or {}, **more)

    return live_on


@pytest.fixture(scope="module")
def live(
    certificates: Certificates, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveIn]:
    """`live(kind, capture="manual")`; the same answers the same."""
    folder = tmp_path_factory.mktemp("lives")
    known: dict[str, Life] = {}
    with locals_in(folder, certificates) as make:

        def live(kind: str = "direct", settings: dict[str, str] | None = None, **more: Any) -> Life:
            name = repr((kind, settings, more))
            if name not in known:
                database = shutil.copy(sqlite_template, folder / f"{len(known)}.db")
                known[name] = bring_to_life(make, f"sqlite:///{database}", kind, settings or {}, **more)
            return known[name]

        yield live


@pytest.fixture
def life(live: LiveIn) -> Life:
    """Direct charges, captured at once."""
    return live("direct")


@pytest.fixture
def manual(live: LiveIn) -> Life:
    """Direct charges, captured by hand."""
    return live("direct", capture="manual")

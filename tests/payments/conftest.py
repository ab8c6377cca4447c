"""`stripe`, as most tests of a payment's later life want it; the others have one of their own."""

import pytest

from tests.plugins.local import Local, MakeLocal
from tests.web.conftest import open_shop

__all__ = ["open_shop", "stripe"]


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    """A store that captures by hand, with direct charges."""
    return make_local(sqlite_url, "stripe_connect", capture="manual")

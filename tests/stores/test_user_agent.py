"""As what shops are called: firewalls of hosts refuse the name of a library; case D13."""

import pytest

from bridge import __version__
from bridge.domain.errors import ConfigurationError
from bridge.simulators.faults import Fault
from tests.plugins.local import Local, MakeLocal


def names(local: Local) -> set[str]:
    """The names under which the shop is called for a payment."""
    heard: set[str] = set()

    def listen(request: object) -> bool:
        heard.add(request.headers["User-Agent"])  # type: ignore[attr-defined]
        return False

    local.shop_faults.next(Fault.ERROR_503, match=listen)
    assert local.create().status_code == 200
    local.work()
    return heard


def test_d13_shops_are_called_by_the_bridges_name_and_version(local: Local) -> None:
    assert names(local) == {f"wcpay-bridge/{__version__}"}


def test_d13_the_owner_gives_it_another_name(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, user_agent="Example shop's payments (ops@example.com)")
    assert names(local) == {"Example shop's payments (ops@example.com)"}


@pytest.mark.parametrize("name", [" ", "a\r\nX-Header: 1", "Größe", "x" * 201])
def test_d13_a_name_that_no_header_takes_is_refused(make_local: MakeLocal, sqlite_url: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match="ASCII"):
        make_local(sqlite_url, user_agent=name)

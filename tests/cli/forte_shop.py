"""A store of either Forte that the command line manages and a running bridge serves, both on one database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any

from bridge.simulators.faults import Faults
from bridge.simulators.forte_payments import FortePaymentsSimulator
from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.server import Server, serve
from tests.plugins.clock import START
from tests.plugins.commandline import CommandLine
from tests.plugins.local import Local, MakeLocal

API_KEY, CLIENT_SECRET = "forte_test_CanaryOfThePlatform", "CanarySecretOfTheClient"
SIGNED = {
    "signature_header": "X-Forte-Signature",
    "signature_payload": "{timestamp}.{body}",
    "timestamp_header": "X-Forte-Timestamp",
}
"""How the simulator of Forte Payments signs."""


def manage(cli: CommandLine, local: Local, public_url: str = "") -> None:
    """Have `wcpay-bridge` work on the local's database; its bridge listens at `public_url`."""
    settings = local.bridge.settings
    cli.environ["BRIDGE_DATABASE_URL"] = settings.database_url
    cli.environ["BRIDGE_SECRET_KEY"] = settings.secret_key[0]
    cli.environ["BRIDGE_PUBLIC_URL"] = public_url or None


class Front:
    """Where a bridge listens that is made later. `clock` is the bridge's, before that a moment that stands."""

    def __init__(self, stack: ExitStack) -> None:
        self._locals: list[Local] = []
        self._server: Server = stack.enter_context(serve(lambda environ, start: self._locals[0].app(environ, start)))

    @property
    def url(self) -> str:
        return self._server.url

    def clock(self) -> float:
        return self._locals[0].clock() if self._locals else START

    def put(self, local: Local) -> Local:
        self._locals.append(local)
        return local


@contextmanager
def payments(
    make_local: MakeLocal, database_url: str, **settings: str
) -> Iterator[tuple[Local, FortePaymentsSimulator, str]]:
    """A store of Forte Payments, its simulator, and where the bridge listens. Nobody has subscribed to anything."""
    with ExitStack() as stack:
        front = Front(stack)
        forte = FortePaymentsSimulator(
            client_id="shop-7", client_secret=CLIENT_SECRET, clock=front.clock, random=Random(7)
        )
        stack.callback(forte.close)
        url = stack.enter_context(serve(forte)).url
        given = {"client_id": "shop-7", "client_secret": CLIENT_SECRET, "api_base": url, "widget_script": f"{url}/w.js"}
        yield (
            front.put(make_local(database_url, "forte_payments", settings=given | SIGNED | settings)),
            forte,
            front.url,
        )


@contextmanager
def platform(
    make_local: MakeLocal, database_url: str, **settings: str
) -> Iterator[tuple[Local, FortePlatformSimulator, Callable[..., str], str]]:
    """A store of Forte Platforms, its simulator, what makes a service of its project, and where the bridge listens."""
    with ExitStack() as stack:
        front = Front(stack)
        forte = FortePlatformSimulator(api_key=API_KEY, clock=front.clock, random=Random(7))
        stack.callback(forte.close)
        url = stack.enter_context(serve(Faults(forte))).url
        project = forte.add_project()
        user = forte.add_user(project, "ann@example.com")
        given = {"api_key": API_KEY, "project": project, "default_user": user, "host": url} | settings

        def service(**where: Any) -> str:
            return forte.add_service(project, **where)

        yield front.put(make_local(database_url, "forte_platform", settings=given)), forte, service, front.url

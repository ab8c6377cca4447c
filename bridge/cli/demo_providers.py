"""The stores of `demo`, and the simulated providers that serve them: what a store sets to be served by one."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from bridge.adapters.forte_platform import FortePlatformAdapter
from bridge.app import Bridge
from bridge.domain.stores import Store
from bridge.simulators import forte_payments, forte_platform
from bridge.simulators.clock import Clock
from bridge.simulators.control_routes import with_controls
from bridge.simulators.fault_routes import with_routes
from bridge.simulators.faults import Faults
from bridge.simulators.forte_payments import FortePaymentsSimulator, error_body
from bridge.simulators.forte_platform import FortePlatformSimulator, injected_error
from bridge.simulators.ledger import Ledger
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce.seed import BILLING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CUSTOMER = "cus_OUQoHGzJLw87Tk"
ACCOUNT = "acct_demo"
LOOPBACK = "127.0.0.0/8,::1/128"


@dataclass(frozen=True)
class Plan:
    """A store of the demo: which adapter, with which settings beside those that lead to the provider."""

    adapter: str
    capture: str = "automatic"
    settings: tuple[tuple[str, str], ...] = ()


PLANS = {
    "sandbox": Plan("sandbox"),
    "sandbox_manual": Plan("sandbox", capture="manual"),
    "stripe_connect": Plan("stripe_connect"),
    "stripe_connect_destination": Plan("stripe_connect", settings=(("charge_type", "destination"),)),
    "forte_payments_widget": Plan("forte_payments", settings=(("mode", "widget"),)),
    "forte_payments_redirect": Plan("forte_payments", settings=(("mode", "redirect"),)),
    "forte_platform": Plan("forte_platform"),
}


def webhook_path(endpoint: str) -> str:
    """Where the bridge takes the messages of an endpoint."""
    return f"/bridge/v1/webhooks/{endpoint}"


class Provider(Protocol):
    """`name` is what `demo --info` calls it, `proof` the setting with which a store proves its messages."""

    name: ClassVar[str]
    proof: ClassVar[str]
    simulator: Any

    def settings(self, url: str) -> dict[str, str]:
        """What a store sets to be served by the simulator at `url`. Each call may make new secrets."""

    def faults(self) -> Faults:
        """The simulator as it can be made to fail."""

    def app(self) -> "WSGIApplication":
        """The simulator as it is served: it can be made to fail, and what else it offers whoever runs it."""

    def connect(self, bridge: Bridge, store: Store) -> None:
        """Have its messages sent to a store that was added with these settings."""


class Stripe:
    """One platform with one connected account. `front` is the bridge's address."""

    name: ClassVar[str] = "stripe"
    proof: ClassVar[str] = "webhook_secret"

    def __init__(self, front: str, directory: Path) -> None:
        self._front = front
        ledger = Ledger(directory / "stripe-ledger.jsonl")
        self.simulator = StripeSimulator(
            secret_key="sk_test_demo",  # noqa: S106 (it opens nothing but this simulator)
            accounts=[ACCOUNT],
            ledger=ledger,
            adopt_customers=True,
        )

    def settings(self, url: str) -> dict[str, str]:
        return {
            "secret_key": self.simulator.secret_key,
            "publishable_key": self.simulator.publishable_key,
            "account": ACCOUNT,
            "fee": "2.9%+30",
            "country": "US",
            "api_base": url,
            "script_url": f"{url}/stripe-elements.js",
            "webhook_secret": f"whsec_{secrets.token_hex(16)}",
        }

    def faults(self) -> Faults:
        return Faults(self.simulator)

    def app(self) -> "WSGIApplication":
        return with_routes(self.faults())

    def connect(self, bridge: Bridge, store: Store) -> None:  # noqa: ARG002
        self.simulator.add_webhook_endpoint(
            self._front + webhook_path(store.id),
            connect=store.settings.get("charge_type") != "destination",
            secrets=[store.settings["webhook_secret"]],
        )


class FortePayments:
    """One merchant. Its stores share an endpoint, because Forte lets one subscription be enabled in production."""

    name: ClassVar[str] = "forte_payments"
    proof: ClassVar[str] = "webhook_secret"

    def __init__(self, front: str, directory: Path) -> None:
        self._client_secret = secrets.token_urlsafe(24)
        self._clock = Clock()
        self.simulator = FortePaymentsSimulator(
            client_id="demo",
            client_secret=self._client_secret,
            clock=self._clock,
            ledger=Ledger(directory / "forte-payments-ledger.jsonl"),
        )
        self._subscription = self.simulator.subscribe(front + webhook_path(self.name), "wcpay-bridge")

    def settings(self, url: str) -> dict[str, str]:
        return {
            "client_id": "demo",
            "client_secret": self._client_secret,
            "api_base": url,
            "widget_script": f"{url}/forte-payments-widget.js",
            "physical_goods": "allow",
            "webhook_secret": self._subscription.signing_key,
            "webhook_endpoint": self.name,
            "signature_header": "X-Forte-Signature",
            "signature_payload": "{timestamp}.{body}",
            "timestamp_header": "X-Forte-Timestamp",
        }

    def faults(self) -> Faults:
        return Faults(self.simulator, errors=error_body)

    def app(self) -> "WSGIApplication":
        return with_controls(with_routes(self.faults(), forte_payments.SCENARIOS), self.simulator, self._clock)

    def connect(self, bridge: Bridge, store: Store) -> None:
        """The subscription is there already."""


class FortePlatform:
    """One sandbox project, whose one user has the e-mail address of the demo's orders. The bridge is a service of it,
    so that triggers reach it on the project's own network: here the loopback."""

    name: ClassVar[str] = "forte_platform"
    proof: ClassVar[str] = "relay_secret"

    def __init__(self, front: str, directory: Path) -> None:
        self._clock = Clock()
        ledger = Ledger(directory / "forte-platform-ledger.jsonl")
        self.simulator = FortePlatformSimulator(clock=self._clock, ledger=ledger)
        self._project = self.simulator.add_project()
        self._user = self.simulator.add_user(self._project, BILLING["email"], full_name="John Doe")
        self._service = self.simulator.add_service(self._project, base_url=front)

    def settings(self, url: str) -> dict[str, str]:
        return {
            "api_key": self.simulator.api_key,
            "project": self._project,
            "user_lookup": "email",
            "preview_user": self._user,
            "host": url,
            "stripe_script_url": f"{url}/stripe-elements.js",
            "trusted_networks": LOOPBACK,
            "relay_secret": secrets.token_urlsafe(24),
            "webhook_endpoint": self.name,
            "trigger_path": webhook_path(self.name),
        }

    def faults(self) -> Faults:
        return Faults(self.simulator, errors=injected_error)

    def app(self) -> "WSGIApplication":
        return with_controls(with_routes(self.faults(), forte_platform.SCENARIOS), self.simulator, self._clock)

    def connect(self, bridge: Bridge, store: Store) -> None:
        adapter = bridge.services.stores.adapter(store)
        assert isinstance(adapter, FortePlatformAdapter)
        adapter.triggers.create("wcpay-bridge", self._service, store.settings["trigger_path"])

"""A store's own webhooks, by which it tells us what staff do: watched, restored, reported.

WooCommerce switches a webhook off after more than five failed deliveries in a row, and never switches it on again
(`WC_Webhook:: failed_delivery`). The sweep finds what was not reported, but later; these webhooks make it soon.
"""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from bridge.domain import logs
from bridge.domain.deadlines import DAY, HOUR
from bridge.domain.errors import StoreRefused
from bridge.domain.ports import Finding, OrderBook, StoreWebhook, TellsByWebhooks
from bridge.domain.stores import Store
from bridge.payments.poll_schedule import read_all_soon
from bridge.services import Services, StoreHandle
from bridge.storage import reconcile, stores
from bridge.storage.jobs import Job

log = logs.logger(__name__)

MAX_PUT_BACK_PER_DAY = 3
"""How many times in 24 hours webhooks are restored: what is switched off again and again has a cause that remains."""
CALLED_PORTS = (80, 443, 8080)
"""What WordPress calls, beside the port of the site itself. Source: `wp_http_validate_url`, WordPress 6.9."""
PATH = "/bridge/v1/webhooks/"


def watching(store_id: str) -> Callable[[Services, Job], None]:
    """A job's work: switch on again what the store has switched off, and have its orders read. Raises
    StoreUnreachable."""

    def watch(services: Services, _job: Job) -> None:
        store = services.store(store_id)
        book = store.order_book
        off = [each for each in _of(store.config, book) if each.status == "disabled"]
        if off and _may_put_back(store):
            assert isinstance(book, TellsByWebhooks)
            for each in off:
                book.enable_webhook(each.id)
            topics = ", ".join(each.topic for each in off)
            read_all_soon(store)
            log.warning("store %s had switched webhooks off, and they were put back: %s", store.id, topics)

    return watch


def until_next(store_id: str) -> Callable[[Services], float]:
    """Seconds until the next look: an hour at a store where something happened within a week, else a day. Up to a tenth
    more, so that stores do not run in step."""

    def wait(services: Services) -> float:
        with services.database.read() as connection:
            changed = reconcile.last_change(connection, store_id) or 0.0
        is_quiet = services.clock() - changed > 7 * DAY
        return (DAY if is_quiet else HOUR) * (1 + services.jitter() / 10)

    return wait


def webhook_findings(store: StoreHandle, book: OrderBook, public_urls: Sequence[str]) -> list[Finding]:
    """Whether the store notifies us of its orders, at an address of ours that it calls. Raises StoreUnreachable."""
    if not isinstance(book, TellsByWebhooks):
        return []
    register = f"wcpay-bridge webhooks register {store.id}"
    known = _of(store.config, book)
    if not known:
        return [
            Finding(
                True,
                f"The store does not notify the bridge of its orders; the bridge reads them in intervals. {register}",
            )
        ]
    with store.database.read() as connection:
        restored = _lately(stores.webhooks_restored(connection, store.id), store.clock())
    found = [*_standing(known, public_urls, register), *_ports(store.config, known)]
    if restored:
        found.append(
            Finding(
                False,
                f"The store has switched its webhooks off {len(restored)} times in a day, after failed deliveries: can "
                f"it reach {known[0].url}?",
            )
        )
    return found or [Finding(True, "The store notifies the bridge of its orders: its webhooks are active.")]


def _of(store: Store, book: OrderBook) -> list[StoreWebhook]:
    """Those that deliver to us, whatever our address was when they were made."""
    try:
        known = book.webhooks() if isinstance(book, TellsByWebhooks) else []
    except StoreRefused as error:  # a key whose user may not see them
        log.info("the webhooks of store %s cannot be seen: %s", store.id, error)
        return []
    return [each for each in known if urlsplit(each.url).path.endswith(f"{PATH}{store.id}")]


def _standing(known: Sequence[StoreWebhook], public_urls: Sequence[str], register: str) -> Iterator[Finding]:
    """What is wrong with each topic. One that staff have paused is theirs to start again."""
    from_us = tuple(f"{url}{PATH}" for url in public_urls)
    topics = known[0].topics
    for topic in topics:
        of_topic = sorted((each for each in known if each.topic == topic), key=lambda each: each.status != "active")
        if not of_topic:
            yield Finding(False, f"The store no longer has a webhook for {topic}. {register}")
        elif of_topic[0].status == "paused":
            yield Finding(True, f"The webhook for {topic} is paused by the store's staff.")
        elif of_topic[0].status != "active":
            yield Finding(False, f"The store has switched off its webhook for {topic}. {register}")
        elif from_us and not of_topic[0].url.startswith(from_us):
            yield Finding(
                False, f"The webhook for {topic} goes to {of_topic[0].url}, no longer to this bridge. {register}"
            )


def _ports(store: Store, known: Sequence[StoreWebhook]) -> Iterator[Finding]:
    for url in sorted({each.url for each in known}):
        parts, own = urlsplit(url), urlsplit(store.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port in CALLED_PORTS or (parts.hostname, port) == (own.hostname, own.port) or _is_local(parts.hostname):
            continue
        yield Finding(
            False, f"WordPress does not call port {port}: webhooks to {url} never arrive. Use 443, 80 or 8080."
        )


def _is_local(host: str | None) -> bool:
    """A simulated world's address, which no WordPress calls."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _may_put_back(store: StoreHandle) -> bool:
    """At most once an hour and MAX_PUT_BACK_PER_DAY times a day. It is written down before the store is asked."""
    now = store.clock()
    with store.database.write() as connection:
        lately = _lately(stores.webhooks_restored(connection, store.id), now)
        if len(lately) >= MAX_PUT_BACK_PER_DAY or any(now - moment < HOUR for moment in lately):
            log.warning("store %s has switched webhooks off again; they stay so for now", store.id)
            return False
        stores.change(connection, store.id, webhooks_restored=[*lately, now])
    return True


def _lately(moments: Sequence[float], now: float) -> list[float]:
    return [moment for moment in moments if now - moment < DAY]

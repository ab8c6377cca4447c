"""Days at both Fortes while answers, messages and the shop get lost: nobody pays twice, and no payment is lost.

A seed decides what happens. With BATTERY=full many more seeds are played.
"""

import os
from collections import Counter
from contextlib import suppress
from random import Random

from sqlalchemy import text

from bridge.operations.why import why
from bridge.simulators.faults import DRIPS, Fault, Match
from bridge.worker.periodic_jobs import run_jobs
from tests.forte.buyers import Platform, Redirect, Sale, Till, Widget
from tests.web.conftest import OpenShop, Shop

SEEDS = 200 if os.environ.get("BATTERY") == "full" else 8
STEPS = 40
DAY = 24 * 3600.0
LONG = (Fault.STALLED, Fault.STALLED_AFTER, Fault.HUGE, *DRIPS)
FAULTS = [fault for fault in Fault if fault not in (*LONG, Fault.STATUS)]
PAYMENTS = "/wp-json/wc/v3/payments"
TOLD = ("processing", "refunded")
SEEN = {"paid", "unpaid", "replaced", "healed", "without the shop"}
"""What happens in every run: `healed` is a payment of which the shop had not heard, `replaced` one that came to
nothing."""


class Days:
    """Its judges are Forte's own books and the shop's own record. `seen` counts what happened."""

    def __init__(self, till: Till, seed: int, seen: Counter[str]) -> None:
        self.till = till
        self.local = till.shop.local
        self.random = Random(seed)
        self.seen = seen
        self.sales: list[Sale] = []
        self.number = 0
        self.is_down = False

    def pass_by(self) -> None:
        self.sale()
        actions = {self.sale: 2, self.create: 4, self.buyer: 6, self.messages: 2, self.shop: 2, self.time_passes: 3}
        if self.till.refunds:
            actions[self.refund] = 4
        for act in self.random.choices(list(actions), list(actions.values()), k=STEPS):
            act()
        self.settle_down()
        for sale in self.sales:
            self.judge(sale)

    def sale(self) -> None:
        total = self.random.randint(100, 99_999)
        price = f"{total // 100}.{total % 100:02}"
        order = self.local.shop.add_order(total=price, billing={"email": "ann@example.com"})
        self.sales.append(Sale(order, total))
        self.create()

    def create(self) -> None:
        """A client asks for the payment of an order, mostly the newest, and what comes is shown to the buyer."""
        sale = self.random.choice([*self.sales, self.sales[-1]])
        fault = self.trouble(self.random.choice([None, self.till.asks]))
        answer = self.local.create(sale.order)
        said = answer.get_json()
        if answer.status_code == 200:
            shown = self.till.show(said)
            if shown and shown not in sale.shown:
                self.seen["replaced"] += bool(sale.shown)
                sale.shown.append(shown)
        else:
            is_unknown = said["data"].get("outcome") == "unknown"
            assert self.is_down or fault or is_unknown or self.till.books(sale), said
            self.seen["unknown"] += is_unknown
            self.seen["without the shop"] += self.is_down
        self.till.faults.clear()

    def buyer(self) -> None:
        """Somebody pays what they were shown, now or long ago, or gives up, as far as Forte lets them."""
        sale = self.random.choice(self.sales)
        if sale.shown:
            try:
                self.till.pay(self.random.choice(sale.shown), self.random.random() < 0.7)
            except ValueError:
                self.seen["too late"] += 1

    def refund(self) -> None:
        sale = self.random.choice(self.sales)
        self.trouble("/refund")
        self.number += 1
        amount = max(1, sale.total * self.random.randint(1, 1100) // 1000)
        wanted = {"order_id": sale.order, "amount": amount, "reason": f"number {self.number}"}
        answer = self.local.post(f"{PAYMENTS}/refund", wanted)
        self.till.faults.clear()
        if answer.status_code == 200:
            sale.refunds.append(amount)
        elif answer.get_json()["data"].get("outcome") == "unknown":
            sale.doubtful.append(amount)

    def messages(self) -> None:
        """They come never, once or twice."""
        self.till.tell(self.random.randint(0, 2))
        self.local.work()

    def shop(self) -> None:
        self.connect(down=self.random.random() < 0.3)

    def connect(self, *, down: bool) -> None:
        self.local.shop_faults.clear()
        self.is_down = down
        if down:
            self.local.shop_faults.next(Fault.ERROR_503, times=10**6)

    def time_passes(self) -> None:
        self.trouble(None)
        self.wait(self.random.choice([1.0, 30.0, 700.0, 4000.0, DAY]))
        self.till.faults.clear()

    def trouble(self, match: Match) -> Fault | None:
        """Half of the time something of what Forte is asked next goes wrong."""
        fault = self.random.choice(FAULTS) if self.random.random() < 0.5 else None
        if fault:
            self.till.faults.next(fault, match=match)
        return fault

    def wait(self, seconds: float) -> None:
        self.local.clock.advance(seconds)
        self.local.work()
        while run_jobs(self.local.bridge.services):
            pass

    def settle_down(self) -> None:
        """Somebody pays in every tab that is still open, and no message tells; then everybody is back."""
        for payment in max(self.sales, key=lambda sale: len(sale.shown)).shown:
            with suppress(ValueError):
                self.till.pay(payment, agrees=True)
        self.till.tell(0)
        unheard = [sale for sale in self.sales if self.till.books(sale) and not self.is_told(sale)]
        self.connect(down=False)
        for seconds in (5.0, 700.0, 4000.0, DAY, DAY, DAY):
            self.wait(seconds)
            self.till.tell(1)
            self.local.work()
        self.seen["healed"] += sum(map(self.is_told, unheard))

    def is_told(self, sale: Sale) -> bool:
        return self.local.shop.order(sale.order)["status"] in TOLD

    def judge(self, sale: Sale) -> None:
        books, stories = self.till.books(sale), self.stories(sale)
        lost = [story for story in stories if story["outcome"] == "unknown"]
        assert {story["flag"] for story in lost} <= {self.till.lost}
        self.seen["for a person"] += bool(lost)
        assert {update["state"] for story in stories for update in story["store_updates"]} <= {"delivered"}
        flags = [story["flag"] for story in stories if story["flag"] and story not in lost]
        assert all(any(book.payment in flag for book in books) for flag in flags), flags
        fulfilled = [book for book in books if not any(book.payment in flag for flag in flags)]
        assert len(fulfilled) == self.is_told(sale), flags
        assert {book.captured for book in books} <= {sale.total}
        assert len(books) == len(fulfilled) or self.till.many_pages
        sent_back = Counter(amount for book in books for amount in book.sent_back)
        assert sent_back >= Counter(sale.refunds)
        assert sent_back <= Counter(sale.refunds + sale.doubtful)
        in_shop = self.local.shop.refunds(sale.order)
        assert Counter(round(float(refund["amount"]) * 100) for refund in in_shop) == sent_back
        self.seen["paid" if books else "unpaid"] += 1
        self.seen["paid twice"] += len(books) > 1
        self.seen["refunded"] += bool(sent_back)
        self.seen["refund settled"] += sum(sent_back.values()) > len(sale.refunds)

    def stories(self, sale: Sale) -> list[dict[str, object]]:
        services = self.local.bridge.services
        with services.database.read() as connection:
            known = connection.execute(text("select 1 from intents where order_id = :order"), {"order": sale.order})
            return why(services, str(sale.order)) if known.first() else []


def play(till: Till) -> set[str]:
    """What was seen, with all seeds."""
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        try:
            Days(till, seed, seen).pass_by()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    return {what for what, times in seen.items() if times}


def test_in_the_widget_nobody_pays_twice(open_shop: OpenShop) -> None:
    seen = play(Widget(open_shop("forte_payments", max_retries="0", physical_goods="allow")))
    assert seen >= {*SEEN, "unknown"}


def test_on_fortes_own_page_whoever_pays_twice_is_told_of(open_shop: OpenShop) -> None:
    seen = play(Redirect(open_shop("forte_payments", mode="redirect", max_retries="0", physical_goods="allow")))
    assert seen >= {*SEEN, "paid twice"}


def test_at_forte_platforms_nobody_pays_twice_or_gets_back_twice(platform: Shop) -> None:
    assert play(Platform(platform)) >= {*SEEN, "unknown", "refunded", "refund settled"}

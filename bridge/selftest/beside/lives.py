"""One order from its first create to its end: what its client and buyer do, who acts on it beside, and at which moment.

The moments are those of the one payment that the act falls into: before the order is read for it, from there to the
provider, from the provider to the store's first write, from the press to the bank's answer, and after.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import requests

from bridge.selftest.beside.acts import Act, Owed, minor, perform, stands_paid
from bridge.selftest.beside.books import Books
from bridge.selftest.beside.buyers import Buyer
from bridge.selftest.beside.kinds import SHOPS
from bridge.selftest.beside.town import Town
from bridge.selftest.beside.verdicts import Finding, told_falsely, too_much
from bridge.selftest.system_under_test import PAYMENTS, Answer, Call

BEFORE, BETWEEN, UNWRITTEN, PRESSED, AFTER = MOMENTS = (
    "before the read",
    "from the read to the provider",
    "from the provider to the first write",
    "from the press to the bank's answer",
    "after",
)


@dataclass(frozen=True)
class Plan:
    """What is to happen to one order. `who` acts, None if nobody does. `waits`: its payment needs the buyer at a page;
    `at_press`: the moment is one of the press, not of the create. `delay` is how many seconds after the payment an act
    AFTER comes."""

    outlet: str
    waits: bool
    moment: str
    who: str
    act: Act | None
    at_press: bool = False
    delay: float = 60.0
    total: str = "10.23"
    currency: str = "USD"


@dataclass
class Life:
    """`owed` is what the order owes now, `read` what it owed when it was read last for a payment, `pressed` what it
    owed when it was read for the buyer's last press. `names` are payments that others made for it. Until
    `unknown_until` nobody can know what became of a request whose answer was lost."""

    town: Town
    books: Books
    plan: Plan
    order: int
    buyer: Buyer = field(init=False)
    owed: Owed = field(init=False)
    read: Owed = field(init=False)
    pressed: Owed = field(init=False)
    began: float = field(init=False)
    acted_at: float | None = None
    money_at: float | None = None
    found: list[Finding] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    is_twice: bool = False
    unknown_until: float = 0.0
    after_money: Callable[["Life"], None] = field(default=lambda _life: None, repr=False)

    def __post_init__(self) -> None:
        self.owed = self.read = self.pressed = Owed(minor(self.plan.total))
        self.began = self.town.clock()
        self.buyer = Buyer(self.town, self.plan.outlet, self.order, self._told)

    @property
    def outlet(self) -> str:
        return self.plan.outlet

    def create(self) -> Answer:
        """A client asks for the payment, for the first time or again."""
        with_act = not self.plan.at_press and self.acted_at is None
        answer: Answer = self._operate(lambda: self.buyer.create(waits=self.plan.waits), with_act=with_act)
        self._check_refusal(answer)
        return answer

    def press(self) -> bool:
        """The buyer goes on to pay."""
        with_act = self.plan.at_press and self.acted_at is None
        if with_act:
            self.act(BEFORE)
            self.buyer.between = lambda: self.act(BETWEEN)
        went_on = bool(self._operate(self.buyer.press, with_act=with_act))
        self.pressed = self.read
        return went_on

    def bank(self) -> None:
        """The bank's answer: now the provider has the money of what was pressed."""
        before = self.books.sum(self.outlet, self.order)
        self.buyer.bank()
        self._look_at_money(before, self.pressed)

    def capture(self) -> None:
        """The client takes what is held."""
        path = f"{PAYMENTS}/orders/{self.order}/capture_authorization"
        body = {"payment_intent_id": self.buyer.intent}
        taken = sum(each.captured for each in self.books.of(self.outlet, self.order))
        owed = self.owed_at_capture
        self.town.request(Call("POST", path, body, self.outlet))
        now = sum(each.captured for each in self.books.of(self.outlet, self.order))
        if now > taken:
            self.found += too_much(now - taken, owed, "captured")

    @property
    def owed_at_capture(self) -> Owed:
        """What may be taken of money that is held: on hold is where every order waits for that, whoever put it there,
        so that nothing in it forbids the capture that somebody asks for."""
        return replace(self.owed, ended="") if self.owed.ended == "on hold" else self.owed

    def act(self, moment: str) -> None:
        """Once."""
        if self.acted_at is not None or self.plan.act is None or self.plan.moment != moment:
            return
        self.acted_at = self.town.clock()
        names = {each.name for each in self.books.of(self.outlet, self.order)} | {self.buyer.intent, *self.names}
        shown = self.town.shops[self.outlet].order(self.order)
        self.owed = replace(self.owed, is_ours=stands_paid(shown, names))
        has_begun = moment != BEFORE
        self.owed = perform(self.plan.act, self.town, self.outlet, self.order, self.owed, has_begun=has_begun)

    def _operate(self, work: Callable[[], Any], *, with_act: bool) -> Any:
        """Something in which the bridge reads the order and may go to the provider."""
        before = self.books.sum(self.outlet, self.order)
        self.read = self.owed
        wire = self.town.wire
        wire.arriving = self._arriving if with_act and self.plan.moment in (BEFORE, BETWEEN) else None
        wire.arrived = self._arrived if with_act and self.plan.moment == BETWEEN else None
        try:
            done = work()
        finally:
            wire.arriving = wire.arrived = None
        self._look_at_money(before, self.read)
        return done

    def _is_read(self, host: str, request: requests.PreparedRequest) -> bool:
        path = urlsplit(request.url or "").path
        return (
            host == SHOPS
            and request.method == "GET"
            and path.endswith(f"/{self.outlet}/wp-json/wc/v3/orders/{self.order}")
        )

    def _arriving(self, host: str, request: requests.PreparedRequest) -> None:
        if self._is_read(host, request):
            self.act(BEFORE)
            self.read = self.owed
        elif host != SHOPS:
            self.act(BETWEEN)

    def _arrived(self, host: str, request: requests.PreparedRequest) -> None:
        if self._is_read(host, request):
            self.town.wire.arrived = None
            self.act(BETWEEN)

    def _look_at_money(self, before: int, read: Owed) -> None:
        """After something that may have moved money, for which the order had been read."""
        grown = self.books.sum(self.outlet, self.order) - before
        if grown <= 0:
            return
        self.found += too_much(grown, read, "charged")
        if self.money_at is None:
            self.money_at = self.town.clock()
            self.act(UNWRITTEN)
            self.after_money(self)

    def _check_refusal(self, answer: Answer) -> None:
        """No way to pay for an order that owes nothing (A3)."""
        if (
            answer.status == 200
            and not self.read.sum
            and (answer.body.get("pay_url") or answer.body.get("client_secret"))
        ):
            self.found.append(Finding("given", "a create was answered with a way to pay what is not owed"))

    def _told(self, paid: bool, words: str) -> None:
        self.found += told_falsely(paid, words, bool(self.books.live(self.outlet, self.order)))

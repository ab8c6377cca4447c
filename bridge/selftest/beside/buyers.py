"""What clients and buyers do: create, open the page, press, answer the bank; and what they are told of it.

A buyer is a browser: nothing of the page's is run here but what its script would ask for, in the same order.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.test import Client

from bridge.selftest.beside.kinds import KINDS, PLATFORM_HOST
from bridge.selftest.beside.town import Town
from bridge.selftest.system_under_test import INTENTS, Answer, Call
from bridge.selftest.world import STRIPE_HOST

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
HEADERS = {"User-Agent": BROWSER, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VISA, CHALLENGED = "4242424242424242", "pm_card_threeDSecure2Required"
_STAGE, _NEEDS = re.compile('data-stage="([a-z]+)"'), re.compile("data-needs='([^']*)'")
_NOT_PAID = ("Nothing was paid", "no payment has arrived yet", "The payment was declined", "cancelled or has expired")
"""What pages say of a payment that has not come about."""


@dataclass
class Buyer:
    """One buyer of one order, who holds what the client was answered. `waits` is what the bank has still to answer:
    the provider's name of the payment. `told` hears at once whether somebody was told paid, and in which words;
    `between` is called when the bridge has let the buyer go on, before the provider hears of it."""

    town: Town
    outlet: str
    order: int
    told: Callable[[bool, str], None]
    intent: str = ""
    pay_url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    waits: str = ""
    between: Callable[[], None] = lambda: None
    _shown: str = field(default="", repr=False)
    _keys: dict[str, str] = field(default_factory=dict, repr=False)

    def create(self, *, waits: bool) -> Answer:
        """Ask for a payment, which `waits` for its buyer or is charged at once."""
        customer = self.town.place.outlets[self.outlet].customer or "cus_OUQoHGzJLw87Tk"
        card = CHALLENGED if waits and self.is_card else KINDS[self.outlet].card
        body = {"order_id": self.order, "customer": customer, "payment_method": card}
        known = self._forte_intents()
        answer = self.town.request(Call("POST", INTENTS, body, self.outlet))
        made = sorted(self._forte_intents() - known)
        if answer.status == 200:
            self.intent = answer.body["id"]
            self.pay_url = urlsplit(answer.body.get("pay_url") or "").path
            self.secret = answer.body.get("client_secret") or ""
            self.waits = made[0] if made else self.waits
            if answer.body["status"] in ("succeeded", "requires_capture"):
                self.told(True, f"a create was answered {answer.body['status']}")
        elif answer.told.get("outcome") == "failed":
            self.told(False, f"a create was answered {answer}")
        return answer

    @property
    def is_card(self) -> bool:
        return KINDS[self.outlet].adapter in ("stripe_connect", "sandbox")

    def look(self) -> str:
        """Open the page, or come back to it; the stage that it shows."""
        if not self.pay_url:
            return ""
        answer = self._get(f"{self.pay_url}?look")
        self._shown = answer.text
        return self._heard(answer)

    def ask(self) -> str:
        """How the payment stands, as the page's script hears it."""
        if not self.pay_url:
            return ""
        answer = self._get(f"{self.pay_url}/status")
        stage = (answer.body or {}).get("stage", "")
        if stage == "paid":
            self.told(True, "the page's script heard paid")
        return str(stage)

    def press(self) -> bool:
        """Go on to pay; whether the buyer got as far as the provider."""
        kind = KINDS[self.outlet]
        if not self.pay_url:
            return self._confirm_without_page()
        if kind.adapter == "sandbox":
            answer = self._post("action=approve")
            self._heard(answer)
            return answer.status == 303
        if kind.mode == "redirect":
            return self._hop()
        needs = _needs(self._shown)
        if needs is None or kind.mode == "widget":  # what is pressed at Forte asks nobody: its page was read when shown
            self.look()
            needs = _needs(self._shown)
        if needs is None:
            return False
        if kind.mode == "widget":
            self.between()
            return bool(self.waits)
        return self._confirm(needs)

    def bank(self) -> None:
        """The bank says yes, or a Forte does: from here on the provider has the money."""
        kind = KINDS[self.outlet]
        if not self.waits:
            return
        if kind.adapter == "forte_payments":
            forte = self.town.fortes[self.outlet]
            if forte.intent(self.waits).status == "Created":
                forte.approve(self.waits)
        else:
            Client(self._elements).post(
                "/__sim/elements/authenticate", base_url=f"https://{self._host}", data=self._keys | {"success": "true"}
            )
        self.waits = ""

    def _confirm(self, needs: dict[str, Any]) -> bool:
        """The Payment Element: the page's script asks the bridge, and only then the provider confirms."""
        asked = self.town.request(Call("POST", f"{self.pay_url}/confirm", raw=b"", headers=HEADERS | FORM))
        if isinstance(asked.body, dict) and "payable" in asked.body and not asked.body["payable"]:
            return False
        self.between()
        self._keys = {
            "key": needs["publishable_key"] or "",
            "account": needs["stripe_account"] or "",
            "client_secret": needs["client_secret"] or "",
        }
        if KINDS[self.outlet].adapter == "forte_platform":
            card = {"number": "4000002500003155"}
            answer = Client(self._elements).post(
                "/__sim/elements/confirm", base_url=f"https://{self._host}", data=self._keys | card
            )
            if answer.status_code != 200:
                return False
        self.waits = self._keys["client_secret"].partition("_secret_")[0]
        return bool(self.waits)

    def _confirm_without_page(self) -> bool:
        """A handler that has no page: the client's own page confirms with what the create answered."""
        if not self.secret:
            return False
        account = self.town.place.account
        self._keys = {"key": self.town.stripe.publishable_key, "account": account, "client_secret": self.secret}
        self.waits = self.secret.partition("_secret_")[0]
        return True

    def _hop(self) -> bool:
        """Redirect mode: our page sends the buyer on, once for each press."""
        known = self._forte_intents()
        answer = self._get(self.pay_url)
        if answer.status != 303:
            self._heard(answer)
            if 'value="again"' in answer.text and (seen := re.search('name="seen" value="([^"]+)"', answer.text)):
                answer = self._post(urlencode({"action": "again", "seen": seen[1]}))
            else:
                answer = self._post("action=open")
            self._heard(answer)
        made = sorted(self._forte_intents() - known)
        if answer.status == 303 and made:
            self.waits = made[0]
        return bool(made) and answer.status == 303

    def _get(self, path: str) -> Answer:
        return self.town.request(Call("GET", path, raw=b"", headers=HEADERS))

    def _post(self, form: str) -> Answer:
        return self.town.request(Call("POST", self.pay_url, raw=form.encode(), headers=HEADERS | FORM))

    def _heard(self, answer: Answer) -> str:
        """Keep what a page told."""
        stage = found[1] if (found := _STAGE.search(answer.text)) else ""
        if stage == "paid":
            self.told(True, "the page said paid")
        text = unescape(answer.text)
        for words in _NOT_PAID:
            if words in text:
                self.told(False, f"the page said: {words}")
        return stage

    def _forte_intents(self) -> set[str]:
        forte = self.town.fortes.get(self.outlet)
        return {intent.id for intent in forte.intents} if forte else set()

    @property
    def _host(self) -> str:
        return PLATFORM_HOST if KINDS[self.outlet].adapter == "forte_platform" else STRIPE_HOST

    @property
    def _elements(self) -> Any:
        return self.town.platform if self._host == PLATFORM_HOST else self.town.stripe


def _needs(text: str) -> dict[str, Any] | None:
    found = _NEEDS.search(text)
    needs = json.loads(unescape(found[1])) if found else None
    return needs if isinstance(needs, dict) else None

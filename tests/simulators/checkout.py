"""A shop's checkout page that embeds the stand-in for Stripe.js, below the strictest policy it works with."""

import html
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.wrappers import Request, Response

from bridge.simulators.server import serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

VISA, DECLINED, SECURE = "4242 4242 4242 4242", "4000000000000002", "4000 0025 0000 3155"
STARTER = """
const { key, account, secret, redirect } = JSON.parse(document.getElementById("start").dataset.start);
const told = document.getElementById("told");
const tell = async (work) => { told.textContent = ""; told.textContent = JSON.stringify(await work); };
const stripe = account ? Stripe(key, { stripeAccount: account }) : Stripe(key);
const elements = stripe.elements({ clientSecret: secret });
const element = elements.create("payment");
element.on("ready", (event) => told.dataset.ready = event.elementType);
element.on("change", (event) => told.dataset.complete = event.complete);
element.mount("#payment-element");
document.getElementById("pay").addEventListener("submit", async (event) => {
  event.preventDefault();
  const confirmParams = { return_url: new URL("/thanks?order=7", location.href).href };
  await tell(stripe.confirmPayment({ elements, confirmParams, ...(redirect ? { redirect } : {}) }));
});
document.getElementById("next").addEventListener("click", async () => {
  await tell(stripe.handleNextAction({ clientSecret: secret }));
});
document.getElementById("look").addEventListener("click", async () => {
  await tell(stripe.retrievePaymentIntent(secret));
});
"""
THANKS = '<!DOCTYPE html><title>Thanks</title><link rel="icon" href="data:,">'
PAGE = """<!DOCTYPE html>
<html lang="en"><title>Checkout</title><link rel="icon" href="data:,">
<form id="pay"><div id="payment-element"></div><button>Pay now</button></form>
<button id="next">Go on</button><button id="look">Look</button><output id="told"></output>
<script src="{provider}/stripe-elements.js"></script>
<script id="start" src="/start.js" data-start="{start}"></script>
</html>"""


class Checkout:
    """The page in a browser's tab, for one payment intent."""

    def __init__(self, tab: "Page", url: str) -> None:
        self.tab = tab
        self.url = url
        self.provider = ""
        self.start: dict[str, Any] = {}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        path = Request(environ).path
        if path == "/start.js":
            return Response(STARTER, content_type="text/javascript")(environ, start_response)
        if path == "/thanks":
            return Response(THANKS, content_type="text/html")(environ, start_response)
        page = PAGE.format(provider=self.provider, start=html.escape(json.dumps(self.start)))
        policy = f"default-src 'none'; script-src 'self' {self.provider}; connect-src {self.provider}; img-src data:"
        strict = {"Content-Security-Policy": f"{policy}; require-trusted-types-for 'script'; base-uri 'none'"}
        return Response(page, content_type="text/html", headers=strict)(environ, start_response)

    def open(self, provider: str, key: str, account: str | None, secret: str, redirect: str | None = None) -> None:
        self.provider = provider
        self.start = {"key": key, "account": account, "secret": secret, "redirect": redirect}
        self.tab.goto(self.url)
        self.tab.locator("#told[data-ready=payment]").wait_for(state="attached")

    def pay(self, number: str) -> None:
        self.tab.get_by_label("Card number").fill(number)
        self.press("Pay now")

    def press(self, name: str) -> None:
        self.tab.get_by_role("button", name=name).click()

    @property
    def told(self) -> dict[str, Any]:
        """What the script answered last; waits for it."""
        self.tab.locator("#told:not(:empty)").wait_for(state="attached")
        return json.loads(self.tab.locator("#told").text_content() or "")

    @property
    def returned(self) -> dict[str, list[str]]:
        """The query with which the payer came back to the shop; waits for that."""
        self.tab.wait_for_url(f"{self.url}/thanks?**")
        return parse_qs(urlsplit(self.tab.url).query)


@contextmanager
def open_checkout(tab: "Page") -> Iterator[Checkout]:
    """A shop that serves its checkout page on an origin of its own."""
    checkout = Checkout(tab, "")
    with serve(checkout) as server:
        checkout.url = server.url
        yield checkout

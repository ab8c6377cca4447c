"""What `demo` prints: addresses, and commands to paste."""

from collections.abc import Mapping
from typing import Any

INTENTS = "/wp-json/wc/v3/payments/payment_intents"
PRETTY = "python3 -m json.tool"
"""The bridge writes addresses as PHP does, with a backslash before each slash: not so that they can be opened."""
AT_A_PAGE = {
    "forte_payments_widget": "Forte Payments, in its widget (code 947293, card 4111111111111111)",
    "forte_payments_redirect": "Forte Payments, on its hosted page",
    "forte_platform": "Forte Platforms (card 4242424242424242)",
}


def welcome(info: Mapping[str, Any], program: str = "wcpay-bridge") -> str:
    """For the person who started the demo; `info` is what `demo --info` writes, `program` how to run commands."""
    sandbox = info["stores"]["sandbox"]
    order = sandbox["orders"]["payable"]
    at_a_page = "\n\n".join(
        f"  {title}:\n{_charge(info, name, 'virtual', 'curl -sS', '    ')} | {PRETTY}"
        for name, title in AT_A_PAGE.items()
    )
    return f"""\
The demo is ready. No money moves, and nothing is kept.

  bridge  {info["base_url"]}  (https: {info["https_base_url"]})
  shop    {info["store_url"]}
  docs    {info["base_url"]}/bridge/v1/docs

Charge order {order}:

{_charge(info, "sandbox", "payable")}

Read its story, or run any other command:

  export BRIDGE_DATABASE_URL={info["database_url"]}
  export BRIDGE_SECRET_KEY={info["secret_key"]} BRIDGE_ALLOW_PRIVATE_URLS=yes
  {program} why {order}

Let a buyer pay: open the pay_url of the answer in a browser.

{at_a_page}

Ctrl-C ends it."""


def _charge(info: Mapping[str, Any], store: str, order: str, curl: str = "curl", indent: str = "  ") -> str:
    """A curl that charges an order of a store."""
    pair = info["stores"][store]["keys"]["read_write"]
    body = (
        f'{{"payment_method":"pm_card_visa","customer":"{info["stores"][store]["customer"]}",'
        f'"order_id":"{info["stores"][store]["orders"][order]}"}}'
    )
    lines = [
        f"{curl} -u {pair['consumer_key']}:{pair['consumer_secret']} \\",
        "  -H 'Content-Type: application/json' \\",
        f"  -d '{body}' \\",
        f"  {info['base_url']}{INTENTS}",
    ]
    return "\n".join(indent + line for line in lines)

"""What `stores check` finds out about a Stripe account. Pure."""

from collections.abc import Iterator
from typing import Any

from bridge.adapters.stripe_connect.settings import BETWEEN, LONGEST_DESCRIPTOR, Account
from bridge.domain.ports import Finding


def findings(account: Account, answer: Any) -> Iterator[Finding]:
    """What Stripe's account object means for the settings."""
    if not isinstance(answer, dict) or answer.get("id") != account.id:
        yield Finding(False, f"Stripe answered for an account other than {account.id}.")
        return
    mode, kind = ("live" if account.live else "test"), ("destination" if account.destination else "direct")
    yield Finding(True, f"Stripe knows account {account.id}; {kind} charges in {mode} mode.")
    problem = unable(account, answer)
    yield Finding(not problem, problem or "The account can take charges.")
    needed = ["transfers"] if account.destination else ["card_payments"]
    if account.on_behalf_of:
        needed.append("card_payments")
    for capability in needed:
        state = (answer.get("capabilities") or {}).get(capability, "missing")
        yield Finding(state == "active", f"The account's capability {capability} is {state}.")
    country, currency = answer.get("country"), str(answer.get("default_currency") or "").upper()
    if account.country:
        same = country == account.country
        yield Finding(
            same, f"The account's country is {country}" + ("." if same else f", the setting {account.country}.")
        )
    elif country == "US":
        yield Finding(
            True, "The account is in the US: with the setting country=US line items are sent (level 3 rates)."
        )
    if currency:
        taken = not account.currencies or currency in account.currencies
        yield Finding(taken, f"The account's own currency is {currency}" + ("." if taken else ", and not accepted."))
    if not account.webhook_secrets:
        yield Finding(
            True,
            "webhook_secret is not set: Stripe does not notify the bridge of refunds and disputes that begin there.",
        )


def descriptor_problem(account: Account, payee: Any) -> str:
    """Why cards would refuse the suffix behind the prefix of `payee`, Stripe's account object; "" if they take it."""
    settings = payee.get("settings") if isinstance(payee, dict) else None
    cards = settings.get("card_payments") if isinstance(settings, dict) else None
    prefix = str((cards or {}).get("statement_descriptor_prefix") or "")
    whole = f"{prefix}{BETWEEN}{account.statement_descriptor_suffix}"
    if len(whole) <= LONGEST_DESCRIPTOR:
        return ""
    most = LONGEST_DESCRIPTOR - len(prefix + BETWEEN)
    return (
        f"statement_descriptor_suffix is too long after the account's prefix {prefix}: use at most {most} characters, "
        f"or Stripe refuses every payment."
    )


def unable(account: Account, answer: Any) -> str:
    """Why Stripe's account object says that it cannot be charged; "" if it can. What is missing is named for the owner
    (source: https://docs.stripe.com/api/accounts/object, `requirements`)."""
    if not isinstance(answer, dict) or answer.get("charges_enabled") is True:
        return ""
    requirements = answer.get("requirements")
    requirements = requirements if isinstance(requirements, dict) else {}
    wanted = [str(name) for name in requirements.get("past_due") or requirements.get("currently_due") or []]
    reasons = [str(requirements.get("disabled_reason") or ""), f"missing: {', '.join(wanted[:10])}" if wanted else ""]
    why = "; ".join(filter(None, reasons))
    return f"Account {account.id} cannot take charges{f' ({why})' if why else ''}."

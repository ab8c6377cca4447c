"""The table of endpoints: which parameters each takes, by the SDK's own types, what it answers and who does the work.

Source: https://docs.stripe.com/api.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from stripe import params
from stripe.params import terminal as terminal_params
from werkzeug.routing import Map, Rule

from . import (
    balance,
    captures,
    charges,
    connect,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
    terminal,
    webhook_endpoints,
)
from .errors import Json
from .state import Call


@dataclass(frozen=True)
class Route:
    """One endpoint. `answers` is the kind of object, `listed` whether it answers a page of them."""

    method: str
    path: str
    parameters: type
    answers: str
    run: Callable[[Call], Json]
    listed: bool = False


def _retriever(kind: str, param: str) -> Callable[[Call], Json]:
    return lambda call: call.find(kind, param)


_INTENTS, _METHODS, _CUSTOMERS = "/v1/payment_intents", "/v1/payment_methods", "/v1/customers"
_ENDPOINTS, _LOCATIONS = "/v1/webhook_endpoints", "/v1/terminal/locations"

ROUTES = (
    Route("POST", _INTENTS, params.PaymentIntentCreateParams, "payment_intent", payment_intents.create),
    Route("GET", _INTENTS, params.PaymentIntentListParams, "payment_intent", payment_intents.list_all, True),
    Route(
        "GET",
        f"{_INTENTS}/<id>",
        params.PaymentIntentRetrieveParams,
        "payment_intent",
        _retriever("payment_intent", "intent"),
    ),
    Route("POST", f"{_INTENTS}/<id>", params.PaymentIntentUpdateParams, "payment_intent", payment_intents.update),
    Route(
        "POST",
        f"{_INTENTS}/<id>/confirm",
        params.PaymentIntentConfirmParams,
        "payment_intent",
        payment_intents.confirm_existing,
    ),
    Route(
        "POST",
        f"{_INTENTS}/<id>/capture",
        params.PaymentIntentCaptureParams,
        "payment_intent",
        captures.capture,
    ),
    Route("POST", f"{_INTENTS}/<id>/cancel", params.PaymentIntentCancelParams, "payment_intent", captures.cancel),
    Route("GET", "/v1/charges", params.ChargeListParams, "charge", charges.list_all, True),
    Route("GET", "/v1/charges/<id>", params.ChargeRetrieveParams, "charge", _retriever("charge", "id")),
    Route("POST", "/v1/charges/<id>", params.ChargeUpdateParams, "charge", charges.update),
    Route("GET", "/v1/charges/<id>/refunds", params.ChargeListRefundsParams, "refund", refunds.list_of_charge, True),
    Route("GET", "/v1/disputes", params.DisputeListParams, "dispute", disputes.list_all, True),
    Route("GET", "/v1/disputes/<id>", params.DisputeRetrieveParams, "dispute", _retriever("dispute", "dispute")),
    Route("POST", "/v1/disputes/<id>", params.DisputeUpdateParams, "dispute", disputes.update),
    Route("POST", "/v1/disputes/<id>/close", params.DisputeCloseParams, "dispute", disputes.accept),
    Route("POST", "/v1/refunds", params.RefundCreateParams, "refund", refunds.create),
    Route("GET", "/v1/refunds", params.RefundListParams, "refund", refunds.list_all, True),
    Route("GET", "/v1/refunds/<id>", params.RefundRetrieveParams, "refund", _retriever("refund", "id")),
    Route("POST", "/v1/refunds/<id>", params.RefundUpdateParams, "refund", refunds.update),
    Route("POST", _METHODS, params.PaymentMethodCreateParams, "payment_method", payment_methods.create),
    Route("GET", _METHODS, params.PaymentMethodListParams, "payment_method", payment_methods.list_all, True),
    Route("GET", f"{_METHODS}/<id>", params.PaymentMethodRetrieveParams, "payment_method", payment_methods.retrieve),
    Route("POST", f"{_METHODS}/<id>", params.PaymentMethodUpdateParams, "payment_method", payment_methods.update),
    Route(
        "POST", f"{_METHODS}/<id>/attach", params.PaymentMethodAttachParams, "payment_method", payment_methods.attach
    ),
    Route(
        "POST", f"{_METHODS}/<id>/detach", params.PaymentMethodDetachParams, "payment_method", payment_methods.detach
    ),
    Route("POST", _CUSTOMERS, params.CustomerCreateParams, "customer", customers.create),
    Route("GET", _CUSTOMERS, params.CustomerListParams, "customer", customers.list_all, True),
    Route("GET", f"{_CUSTOMERS}/<id>", params.CustomerRetrieveParams, "customer", customers.retrieve),
    Route("POST", f"{_CUSTOMERS}/<id>", params.CustomerUpdateParams, "customer", customers.update),
    Route(
        "GET",
        f"{_CUSTOMERS}/<id>/payment_methods",
        params.CustomerPaymentMethodListParams,
        "payment_method",
        payment_methods.list_of_customer,
        True,
    ),
    Route("GET", "/v1/account", params.AccountRetrieveCurrentParams, "account", customers.retrieve_account),
    Route("GET", "/v1/accounts/<id>", params.AccountRetrieveParams, "account", customers.retrieve_account),
    Route("GET", "/v1/application_fees", params.ApplicationFeeListParams, "application_fee", connect.list_fees, True),
    Route(
        "GET",
        "/v1/application_fees/<id>",
        params.ApplicationFeeRetrieveParams,
        "application_fee",
        _retriever("application_fee", "id"),
    ),
    Route("GET", "/v1/transfers", params.TransferListParams, "transfer", connect.list_transfers, True),
    Route("GET", "/v1/transfers/<id>", params.TransferRetrieveParams, "transfer", _retriever("transfer", "transfer")),
    Route(
        "GET",
        "/v1/balance_transactions",
        params.BalanceTransactionListParams,
        "balance_transaction",
        balance.list_all,
        True,
    ),
    Route(
        "GET",
        "/v1/balance_transactions/<id>",
        params.BalanceTransactionRetrieveParams,
        "balance_transaction",
        _retriever("balance_transaction", "id"),
    ),
    Route("GET", "/v1/events", params.EventListParams, "event", events.list_all, True),
    Route("GET", "/v1/events/<id>", params.EventRetrieveParams, "event", _retriever("event", "id")),
    Route("POST", _ENDPOINTS, params.WebhookEndpointCreateParams, "webhook_endpoint", webhook_endpoints.create),
    Route("GET", _ENDPOINTS, params.WebhookEndpointListParams, "webhook_endpoint", webhook_endpoints.list_all, True),
    Route(
        "GET",
        f"{_ENDPOINTS}/<id>",
        params.WebhookEndpointRetrieveParams,
        "webhook_endpoint",
        webhook_endpoints.retrieve,
    ),
    Route(
        "POST", f"{_ENDPOINTS}/<id>", params.WebhookEndpointUpdateParams, "webhook_endpoint", webhook_endpoints.update
    ),
    Route(
        "DELETE", f"{_ENDPOINTS}/<id>", params.WebhookEndpointDeleteParams, "webhook_endpoint", webhook_endpoints.delete
    ),
    Route(
        "POST",
        "/v1/terminal/connection_tokens",
        terminal_params.ConnectionTokenCreateParams,
        "terminal.connection_token",
        terminal.create_connection_token,
    ),
    Route("POST", _LOCATIONS, terminal_params.LocationCreateParams, "terminal.location", terminal.create_location),
    Route("GET", _LOCATIONS, terminal_params.LocationListParams, "terminal.location", terminal.list_locations, True),
    Route(
        "GET",
        f"{_LOCATIONS}/<id>",
        terminal_params.LocationRetrieveParams,
        "terminal.location",
        _retriever("terminal.location", "location"),
    ),
)


@cache
def build_map() -> Map:
    """The URL map whose endpoints are the Routes. Nobody changes it."""
    rules = [Rule(route.path, methods=[route.method], endpoint=route) for route in ROUTES]
    return Map(rules, strict_slashes=False, merge_slashes=False)

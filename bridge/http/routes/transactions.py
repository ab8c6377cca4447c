"""`/wp-json/wc/v3/payments/transactions`: charges, refunds and disputes, from the bridge's own tables."""

from typing import Any

from bridge.domain.stores import Store
from bridge.http.serializers import CHANNELS, common, date, order_members, wanted_page
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import LISTS, LOOK_UP
from bridge.http.wordpress.request_pipeline import authorised
from bridge.reports import lists
from bridge.schemas.woopayments_reports import (
    Filters,
    SearchTerm,
    Suggestion,
    Transaction,
    Transactions,
    TransactionsSummary,
    TransactionsWanted,
)
from bridge.schemas.wordpress import seconds
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/transactions"
TAGS = ["Transactions"]
_UPPER = (
    "customer_currency_is",
    "customer_currency_is_not",
    "store_currency_is",
    *("customer_country_is", "customer_country_is_not"),
)


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(PATH, methods=["GET"], tags=TAGS, failures=LISTS)
    @blueprint.arguments(TransactionsWanted, in_query=True)
    @blueprint.doc(summary="List transactions", operationId="listTransactions")
    @blueprint.response(200, Transactions, description="One page of them.")
    def list_transactions(parameters: dict[str, Any]) -> dict[str, Any]:
        store = authorised(services)
        page = wanted_page(parameters, lists.TRANSACTION_SORTS, "date")
        lines = lists.transactions(store, page, _filters(parameters))
        return {"data": [_shown(line, store.config) for line in lines]}

    @blueprint.route(f"{PATH}/summary", methods=["GET"], tags=TAGS, failures=LISTS)
    @blueprint.arguments(Filters, in_query=True)
    @blueprint.doc(summary="Summarize transactions", operationId="summarizeTransactions")
    @blueprint.response(200, TransactionsSummary, description="The count is of all currencies, the total of one.")
    def summarize_transactions(parameters: dict[str, Any]) -> dict[str, Any]:
        sums = lists.transaction_sums(authorised(services), _filters(parameters))
        amount, fees = (sums[0].amount, sums[0].fees) if sums else (0, 0)
        currencies = [each.currency.lower() for each in sums]
        return {
            "count": sum(each.count for each in sums),
            "currency": currencies[0] if currencies else None,
            "total": amount,
            "fees": fees,
            "net": amount - fees,
            "store_currencies": currencies,
            "customer_currencies": currencies,
        }

    @blueprint.route(f"{PATH}/search", methods=["GET"], tags=TAGS, failures=LOOK_UP)
    @blueprint.arguments(SearchTerm, in_query=True)
    @blueprint.doc(summary="What transactions can be searched for", operationId="searchTransactions")
    @blueprint.response(200, Suggestion(many=True), description="Orders and customers.")
    def search_transactions(parameters: dict[str, Any]) -> list[dict[str, str]]:
        store, term = authorised(services), parameters.get("search_term", "")
        return [{"label": label} for label in lists.suggestions(store, term)]

    @blueprint.route(f"{PATH}/<transaction_id>", methods=["GET"], tags=TAGS, failures=LOOK_UP)
    @blueprint.doc(summary="Look up a transaction", operationId="getTransaction")
    @blueprint.response(200, Transaction, description="By its own id, or that of its charge, refund or dispute.")
    def get_transaction(transaction_id: str) -> dict[str, Any]:
        store = authorised(services)
        return _shown(lists.transaction(store, transaction_id), store.config)


def _filters(parameters: dict[str, Any]) -> dict[str, Any]:
    """As the lists are kept: Unix seconds, upper-case codes, our names of channels."""
    filters = {name: wanted for name, wanted in parameters.items() if wanted != []}
    zone = filters.pop("user_timezone", None)
    for name in ("date_before", "date_after"):
        if name in filters:
            filters[name] = seconds(filters[name], zone)
    if "date_between" in filters:
        filters["date_between"] = tuple(seconds(end, zone) for end in filters["date_between"])
    for name in _UPPER:
        if name in filters:
            filters[name] = [code.upper() for code in filters[name]]
    for name in ("risk_level_is", "risk_level_is_not"):
        if name in filters:
            filters[name] = [int(level) for level in filters[name] if level in ("0", "1", "2")]
    ours = {shown: name for name, shown in CHANNELS.items()}
    for name in ("channel_is", "channel_is_not"):
        if name in filters:
            filters[name] = [ours.get(channel, channel) for channel in filters[name]]
    return filters


def _shown(line: lists.Line, store: Store) -> dict[str, Any]:
    order = order_members(store, line.order_id, line.order_number, line.customer_name, line.customer_email)
    return {
        **common(line),
        "transaction_id": line.id,
        "date": date(line.at or line.created),
        "type": line.kind,
        "customer_amount": line.amount,
        "customer_currency": line.currency.lower(),
        **dict.fromkeys(("deposit_id", "deposit_status", "exchange_rate", "loan_id", "source_device")),
        "available_on": "",
        "amount_in_usd": line.amount if line.currency == "USD" else None,
        "order": order,
    }

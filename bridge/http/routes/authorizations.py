"""`/wp-json/wc/v3/payments/authorizations`: what waits to be captured."""

from typing import Any

from bridge.http.serializers import common, date, wanted_page
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import LISTS, LOOK_UP
from bridge.http.wordpress.request_pipeline import authorised
from bridge.reports import lists
from bridge.schemas.woopayments_reports import Authorization, Authorizations, AuthorizationsSummary
from bridge.schemas.wordpress import Paging
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/authorizations"


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(PATH, methods=["GET"], tags=["Authorizations"], failures=LISTS)
    @blueprint.arguments(Paging, in_query=True)
    @blueprint.doc(summary="List payments that wait to be captured", operationId="listAuthorizations")
    @blueprint.response(200, Authorizations, description="One page of them.")
    def list_authorizations(parameters: dict[str, Any]) -> dict[str, Any]:
        store = authorised(services)
        page = wanted_page(parameters, lists.AUTHORIZATION_SORTS, "created")
        return {"data": [_shown(line) for line in lists.authorizations(store, page)]}

    @blueprint.route(f"{PATH}/summary", methods=["GET"], tags=["Authorizations"], failures=LOOK_UP)
    @blueprint.doc(summary="Summarize payments that wait to be captured", operationId="summarizeAuthorizations")
    @blueprint.response(200, AuthorizationsSummary, description="The count is of all currencies, the total of one.")
    def summarize_authorizations() -> dict[str, Any]:
        sums = lists.authorization_sums(authorised(services))
        return {
            "count": sum(each.count for each in sums),
            "currency": sums[0].currency.lower() if sums else None,
            "total": sums[0].amount if sums else 0,
            "all_currencies": [each.currency.lower() for each in sums],
        }

    @blueprint.route(f"{PATH}/<payment_intent_id>", methods=["GET"], tags=["Authorizations"], failures=LOOK_UP)
    @blueprint.doc(summary="Look up the authorization of an intent", operationId="getAuthorization")
    @blueprint.response(200, Authorization, description="Whatever became of it.")
    def get_authorization(payment_intent_id: str) -> dict[str, Any]:
        return _shown(lists.authorization(authorised(services), payment_intent_id))


def _shown(line: lists.Line) -> dict[str, Any]:
    return {
        **common(line),
        "transaction_id": line.id if line.captured and line.id != line.charge else None,
        "amount_captured": line.amount_captured,
        "amount_refunded": line.amount_refunded,
        "is_captured": line.captured,
        "created": date(line.at or line.created),
        "modified": date(line.changed),
        "refunded": 0 < line.amount_captured == line.amount_refunded,
        "outcome_type": "authorized",
        "status": line.charge_status,
    }

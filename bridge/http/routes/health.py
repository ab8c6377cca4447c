"""Whether the process lives, and whether it can serve."""

from typing import Any

from flask import Response

from bridge.domain import logs
from bridge.domain.errors import NotReady
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.answers import render
from bridge.services import Services

log = logs.logger(__name__)
NEEDS_MIGRATION = "needs migration"
NEEDS_KEY = "needs key"
"""The secret key is missing, cannot be used, or is another database's."""


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route("/bridge/v1/health/live", methods=["GET"], public=True, offline=True, tags=["Health"])
    @blueprint.doc(summary="The process lives", security=[])
    @blueprint.response(200, description='`{"status":"ok"}`')
    def live() -> dict[str, Any]:
        return {"status": "ok"}

    @blueprint.route("/bridge/v1/health/ready", methods=["GET"], public=True, offline=True, tags=["Health"])
    @blueprint.doc(
        summary="The database is reachable and has the required schema, and the secret key fits", security=[]
    )
    @blueprint.alt_response(503, description='`{"status":"unavailable","database":...}`')
    @blueprint.response(200, description='`{"status":"ok","database":"ok"}`')
    def ready() -> Response:
        database = _database(services)
        ok = database == "ok"
        return render({"status": "ok" if ok else "unavailable", "database": database}, 200 if ok else 503)


def _database(services: Services) -> str:
    """What a request would find: as for one, the database is opened if nobody has done so yet."""
    database = services.database
    try:
        try:
            database.use()
        except NotReady as problem:
            log.error("the bridge cannot be used: %s", problem)
            return NEEDS_KEY if database.is_current() or database.migrates_itself() else NEEDS_MIGRATION
        return "ok" if database.is_current() else NEEDS_MIGRATION
    except Exception:
        log.exception("the database cannot be reached")
        return "unreachable"

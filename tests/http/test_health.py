"""Health: `live` is about the process, `ready` about its database."""

from sqlalchemy import text

from tests.http.conftest import Door


def test_live_and_ready_need_no_key(door: Door) -> None:
    live, ready = door.get("/bridge/v1/health/live", key=None), door.get("/bridge/v1/health/ready", key=None)
    assert (live.status_code, live.data) == (200, b'{"status":"ok"}')
    assert (ready.status_code, ready.data) == (200, b'{"status":"ok","database":"ok"}')
    assert live.headers["Cache-Control"] == "no-store"


def test_a_database_of_another_version_is_not_ready(door: Door) -> None:
    with door.bridge.services.database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    response = door.get("/bridge/v1/health/ready", key=None)
    assert (response.status_code, response.json) == (503, {"status": "unavailable", "database": "needs migration"})

"""Requests that all come while somebody else has a payment's row, on PostgreSQL: each has read what it wants to know
without a lock before any of them writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import make_url

from tests.cli.processes import wait_for

Answer = TypeVar("Answer")
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


def behind_the_row(postgres_url: str, intent_id: str, number: int, do: Callable[[int], Answer]) -> list[Answer]:
    """What each of so many threads gets, which are numbered from 0. They go on together, once all of them wait."""
    import psycopg

    address = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(address, autocommit=True) as watching,
        psycopg.connect(address) as holding,
        ThreadPoolExecutor(number) as threads,
    ):
        try:
            found = holding.execute("select id from intents where id = %s for update", [intent_id]).fetchall()
            assert len(found) == 1
            answers = [threads.submit(do, each) for each in range(number)]
            wait_for(lambda: watching.execute(WAITING).fetchall() == [(number,)])
        finally:
            holding.rollback()
        return [answer.result(60) for answer in answers]

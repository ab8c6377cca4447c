"""Orders of one shop that is entered several times: with one account twice, and with another adapter beside. Clients
ask through one entry, lose its answer, and ask through another one, in any order. An order is charged once all the
same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from random import Random

import requests

from bridge.selftest.beside.kinds import KINDS
from bridge.selftest.beside.lives import AFTER, Life, Plan
from bridge.selftest.beside.stage import Stage, judge_rivals
from bridge.selftest.beside.town import Town
from bridge.selftest.beside.verdicts import Finding
from bridge.selftest.network import Trouble
from bridge.selftest.world import STRIPE_HOST

ENTRIES = ("automatic", "second", "branch")
"""All of one shop."""
ENTRY = "a second entry"
LOSSES = (Trouble.DROPPED, Trouble.STALLED, Trouble.DONE_500, Trouble.LATE, Trouble.MISSED)
"""How an answer is lost; of the last two the request comes minutes later, or never."""
SETTLED = 1500.0
"""Seconds after which nothing that was lost can arrive any more, and was asked about."""


def begin(stage: Stage, count: int) -> None:
    """Let clients ask for so many orders through two entries each."""
    now = stage.town.clock()
    for _ in range(count):
        stage.at(now + 60 + stage.random.uniform(0, 240), partial(_live, stage, Random(stage.random.random())))


@contextmanager
def lost_answers(town: Town, trouble: Trouble | None) -> Iterator[None]:
    """What Stripe is asked to make gets into trouble."""

    def weather(host: str, request: requests.PreparedRequest) -> Trouble | None:
        return trouble if host == STRIPE_HOST and request.method == "POST" else None

    before, town.wire.weather = town.wire.weather, weather
    try:
        yield
    finally:
        town.wire.weather = before


def _live(stage: Stage, random: Random) -> None:
    first, other = random.sample(ENTRIES, 2)
    how = random.choice(("lost", "lost", "waits", "paid"))
    plan = Plan(first, how == "waits", AFTER, ENTRY, None)
    order = stage.town.new_order(first, plan.total)
    one = Life(stage.town, stage.books, plan, order)
    two = Life(stage.town, stage.books, replace(plan, outlet=other, waits=random.random() < 0.2), order)
    two.found = one.found
    stage.lives.append(one)
    is_lost = how == "lost" and KINDS[first].adapter == "stripe_connect"
    asked = "its answer is lost" if is_lost else "it waits for the buyer" if how == "waits" else "it is answered"
    stage.shares[f"second entries: the first is asked, and {asked}"] += 1
    with lost_answers(stage.town, random.choice(LOSSES) if is_lost else None):
        _ask(stage, one)
    now = stage.town.clock()
    lives = (one, two)
    stage.at(now + random.uniform(0, 5), partial(_ask, stage, two))
    for life in (one, two, random.choice(lives), random.choice(lives)):
        stage.at(now + random.uniform(5, SETTLED), partial(_ask, stage, life))
    for life in lives:
        if life.plan.waits:
            stage.at(now + random.uniform(5, 300), partial(_pay, stage, life, random))
    for waits in (SETTLED, SETTLED + 3600):
        stage.at(now + waits, partial(_ask_at_last, stage, two, must_pay=waits > SETTLED))


def _ask(stage: Stage, life: Life) -> None:
    life.create()
    judge_rivals(stage, life)


def _pay(stage: Stage, life: Life, random: Random) -> None:
    """The buyer goes through with it, if there is still something to go through with."""
    life.buyer.look()
    if life.press():
        stage.at(stage.town.clock() + random.uniform(5, 120), partial(_bank, stage, life))


def _bank(stage: Stage, life: Life) -> None:
    life.bank()
    judge_rivals(stage, life)


def _ask_at_last(stage: Stage, life: Life, *, must_pay: bool) -> None:
    """Nothing is under way any more: who asks for a payment that charges at once gets it."""
    if stage.books.live(life.outlet, life.order):
        return
    life.plan = replace(life.plan, waits=False)
    answer = life.create()
    judge_rivals(stage, life)
    if must_pay and not stage.books.live(life.outlet, life.order):
        life.found.append(Finding("refused", f"through {life.outlet} the unpaid order is answered {answer}"))

"""A store whose owner adds it when the town has begun, changes it, removes it and adds it again, while its payments are
at every point of their lives. What is under way stands in the way of its removal and of another account; who forces it
is told of each payment that is left behind.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from bridge.domain.stores import Store
from bridge.selftest.beside.entries import LOSSES, lost_answers
from bridge.selftest.beside.kinds import OTHER_ACCOUNT
from bridge.selftest.beside.lives import AFTER, Life, Plan
from bridge.selftest.beside.office import OWNER
from bridge.selftest.beside.stage import Stage, judge_rivals, shows
from bridge.selftest.beside.verdicts import Finding
from bridge.selftest.network import ON_ITS_WAY, Trouble
from bridge.selftest.world import ACCOUNT

ANNEX = "annex"
SETTLED = 1500.0
"""Seconds after which nothing that was lost is under way, and its shop has heard."""
CHANGES: tuple[Callable[[Store], Store], ...] = (
    lambda store: replace(store, options={**store.options, "rounding": "half_up"}),
    lambda store: replace(store, capture="manual" if store.capture == "automatic" else "automatic"),
    lambda store: replace(store, settings={**store.settings, "max_retries": "1"}),
)
"""What leaves a store its account."""


@dataclass
class Owner:
    """Of one store, and what is seen of its orders, oldest first. `hour` is how many seconds most things take. What was
    `abandoned` by force stands in the way of nothing any more, but is told of."""

    stage: Stage
    random: Random
    hour: float
    lives: list[Life] = field(default_factory=list)
    is_there: bool = False
    abandoned: list[Life] = field(default_factory=list)

    def add(self) -> None:
        """For the first time, or again."""
        if not self.is_there:
            self.stage.town.office.add(ANNEX)
            self.is_there = True

    def sell(self) -> None:
        """A buyer comes, and pays at once, waits for his bank, or his answer is lost."""
        if not self.is_there:
            return
        stage, random = self.stage, self.random
        how = random.choice(("paid", "waits", "waits", "lost"))
        trouble = random.choice(LOSSES) if how == "lost" else None
        plan = Plan(ANNEX, how == "waits", AFTER, OWNER, None)
        life = Life(stage.town, stage.books, plan, stage.town.new_order(ANNEX, plan.total))
        self.lives.append(life)
        stage.lives.append(life)
        with lost_answers(stage.town, trouble):
            self._ask(life)
        now = stage.town.clock()
        if trouble in (Trouble.LATE, Trouble.MISSED):
            life.unknown_until = now + ON_ITS_WAY / 2
        if how == "waits" and random.random() < 0.8:
            stage.at(now + random.uniform(5, self.hour / 2), partial(self._press, life))
        for latest in (self.hour / 4, 2 * self.hour, 4 * self.hour):
            stage.at(now + random.uniform(60, latest), partial(self._ask, life))

    def change(self) -> None:
        """What leaves the account is changed at any time."""
        if self.is_there and not self.stage.town.office.change(ANNEX, self.random.choice(CHANGES)):
            self._note("barred", "a change that leaves the account was refused")

    def move(self) -> None:
        """Another account; what that goes well for is put back."""
        if self.is_there and self._is_done_rightly("another account", self._move):
            self.stage.town.office.change(ANNEX, partial(_with_account, ACCOUNT), force=True)

    def remove(self) -> None:
        office = self.stage.town.office
        if self.is_there and self._is_done_rightly("removal", lambda: office.remove(ANNEX)):
            self.is_there = False
            self.stage.at(self.stage.town.clock() + self.random.uniform(30, 600), self.add)

    def force(self) -> None:
        """Removal or another account, whatever is under way: everything that is left is told of at once."""
        if not self.is_there:
            return
        left, is_removed = self._under_way(), self.random.random() < 0.6
        if is_removed:
            self.stage.town.office.remove(ANNEX, force=True)
            self.stage.at(self.stage.town.clock() + self.random.uniform(60, self.hour), self.add)
        else:
            self._move(force=True)
        self.is_there = not is_removed
        self.stage.shares[f"owners: {'removed' if is_removed else 'another account'} by force"] += 1
        self.abandoned += left
        for life in left:
            life.acted_at = self.stage.town.clock()  # what it takes from now on, its shop does not hear of
            if not self.stage.is_told(life):
                life.found.append(Finding("forgotten", "it was left behind by force, and nobody was told"))

    def look(self) -> None:
        """In the end the shop shows every payment, or somebody was told."""
        for life in self.lives:
            money, order = self.stage.books.live(ANNEX, life.order), self.stage.order(life)
            is_shown = bool(order and order["date_paid"]) or shows(order, life.buyer.intent)
            if money and not is_shown and not self.stage.is_told(life):
                life.found.append(Finding("forgotten", f"{money[0].name} has money, and nobody was told"))

    def _ask(self, life: Life) -> None:
        life.create()
        judge_rivals(self.stage, life)

    def _press(self, life: Life) -> None:
        life.buyer.look()
        if life.press():
            self.stage.at(self.stage.town.clock() + self.random.uniform(5, self.hour / 4), life.bank)

    def _move(self, *, force: bool = False) -> bool:
        return self.stage.town.office.change(ANNEX, partial(_with_account, OTHER_ACCOUNT), force=force)

    def _is_done_rightly(self, what: str, act: Callable[[], bool]) -> bool:
        """Try it: what is under way bars it, and nothing else."""
        left, is_done = self._under_way(), act()
        self.stage.shares[f"owners: {what} {'done' if is_done else 'refused'}"] += 1
        if is_done and left:
            self._note("left", f"{what}, and order {left[0].order} was under way")
        last = max((max(life.began, life.money_at or 0.0) for life in self.lives), default=0.0)
        is_calm = self.stage.town.clock() > last + SETTLED and not any(map(self.stage.is_told, self.lives))
        if not is_done and not left and is_calm:
            self._note("barred", f"{what} was refused, and nothing is under way")
        return is_done

    def _under_way(self) -> list[Life]:
        """Whose buyer may still pay, whose money is held, or whose answer was lost and cannot be known yet."""
        return [life for life in self.lives if life not in self.abandoned and self._is_under_way(life)]

    def _is_under_way(self, life: Life) -> bool:
        live = self.stage.books.live(ANNEX, life.order)
        if live:
            return any(each.is_held for each in live)
        return bool(life.buyer.intent and life.plan.waits) or self.stage.town.clock() < life.unknown_until

    def _note(self, verdict: str, text: str) -> None:
        """Of the store as a whole."""
        if self.lives:
            self.lives[0].found.append(Finding(verdict, text))


def begin(stage: Stage, orders: int, hour: float) -> None:
    """Let an owner do all that with a store that sells so many orders, in some four hours of so many seconds each."""
    random, now = Random(stage.random.random()), stage.town.clock()
    owner = Owner(stage, random, hour)
    stage.at(now + 60, owner.add)
    for _ in range(orders):
        stage.at(now + random.uniform(90, hour), owner.sell)
    for act in (owner.change, owner.change, owner.change, owner.move, owner.move, owner.remove, owner.remove):
        stage.at(now + random.uniform(120, 3 * hour), act)
    if random.random() < 0.7:
        stage.at(now + random.uniform(hour / 2, 4 * hour), owner.force)
    stage.at(now + 8 * hour, owner.remove)
    stage.at(now + 9 * hour, owner.look)


def _with_account(account: str, store: Store) -> Store:
    return replace(store, settings={**store.settings, "account": account})

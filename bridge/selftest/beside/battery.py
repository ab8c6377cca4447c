"""Battery B17: who does what to which order when, by the seed, and what the judges say of it."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import count
from random import Random

from bridge.selftest.beside import entries, owners, tills
from bridge.selftest.beside.books import Books
from bridge.selftest.beside.kinds import KINDS, MAIN
from bridge.selftest.beside.lives import AFTER, BEFORE, BETWEEN, MOMENTS, PRESSED, Life, Plan
from bridge.selftest.beside.plans import ACTORS, CACHE, WEBHOOK, plans
from bridge.selftest.beside.town import Town
from bridge.selftest.beside.towns import Towns
from bridge.selftest.beside.verdicts import VERDICTS, Finding, fulfilment, holds, in_the_end, is_noted
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size

SIZES: dict[Size, int] = {"slice": 1, "small": 4, "full": 40}
"""How many towns on each kind of database."""
READERS: dict[Size, int] = {"slice": 6, "small": 12, "full": 12}
ENTRIES: dict[Size, int] = {"slice": 4, "small": 10, "full": 10}
OWNED: dict[Size, int] = {"slice": 4, "small": 10, "full": 10}
"""Orders of each town that are paid at a card reader, that are asked for through two entries of a shop, and of a store
whose owner changes and removes it."""
HOURS: dict[Size, float] = {"slice": 180.0, "small": 900.0, "full": 3600.0}
"""How many seconds an hour of these readers and owners is."""
STEP, LATE_STEP = 10.0, 30.0
"""Seconds between two ticks of the worker, and of the post, while something is new: in the first hours, and later."""
NEWS, LATE_NEWS = 150.0, 1000.0
"""Seconds for which something is new: later, payments are looked at more seldom."""
DAY = 24 * 3600.0
YOUNG, RECENT = 2 * 3600.0, 24 * 3600.0
"""Seconds of age up to which an open payment's order is looked at every minute, and every five; then every fifteen."""
REPLAYED = 4
"""Every so manieth town is played twice, and must come out the same."""
TROUBLE = 900.0
"""Seconds for which a cache or a broken webhook stays."""

_Event = tuple[float, int, Callable[[], object]]
"""When (Unix seconds), its number, and what happens."""


class Story:
    """One town with its lives. `lives` happen at once, each in its own time; `shares` counts how it went for those at
    card readers, of second entries and of the owner."""

    def __init__(self, town: Town, size: Size) -> None:
        self.town = town
        self.books = Books(town)
        self.lives: list[Life] = []
        self.was_told: list[bool] = []
        self.shares: Counter[str] = Counter()
        self._doubts: list[tuple[Life, list[Finding]]] = []
        self._agenda: list[_Event] = []
        self._number = count()
        self._size = size
        self._busy_until = 0.0
        self._begun = town.clock()
        self._broken: set[str] = set()
        town.mail = lambda outlet: 503 if outlet in self._broken else None

    @property
    def random(self) -> Random:
        return self.town.random

    def run(self) -> None:
        random, begun = self.town.random, self.town.clock()
        for outlet in MAIN:
            self._begin(Plan(outlet, KINDS[outlet].adapter.startswith("forte"), "", "", None), begun)
        drawn = plans(random, self._size)
        for plan in drawn:
            self._begin(plan, begun + 60 + random.uniform(0, 6 * len(drawn)))
        tills.begin(self, READERS[self._size], HOURS[self._size])
        entries.begin(self, ENTRIES[self._size])
        owners.begin(self, OWNED[self._size], HOURS[self._size])
        self._go_on()
        for _ in range(2):
            self.town.clock.advance(DAY + 3700)
            for _ in range(2):
                self.town.post_messages()
                self.town.work()
        flagged = self._flagged()
        told = [self._is_told(life, flagged) for life in self.lives]
        named = self._named_by_comparisons()
        for life, findings in self._doubts:
            life.found += [] if life.names & named else findings
        for life, is_told in zip(self.lives, told, strict=True):
            quiet = life.acted_at is None
            money, order = self.books.of(life.outlet, life.order), self.order(life)
            self.was_told.append(is_told or bool(life.names & named))
            life.found += in_the_end(money, order, life.owed, is_told=self.was_told[-1], is_quiet=quiet)

    def digest(self) -> str:
        """How the providers' ledgers and the shops came out."""
        told = [f"{self.books.of(life.outlet, life.order)} {self.order(life)}" for life in self.lives]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def _begin(self, plan: Plan, moment: float) -> None:
        def born() -> None:
            life = Life(self.town, self.books, plan, self.town.new_order(plan.outlet, plan.total))
            life.after_money = self._after_money
            self.lives.append(life)
            self._live(life)

        self.at(moment, born)

    def _live(self, life: Life) -> None:
        """The create, at once, and the hours of the rest."""
        random, plan, now = self.town.random, life.plan, self.town.clock()
        if not plan.at_press and plan.moment in (BEFORE, BETWEEN):
            self._prepare(life)
        life.create()
        self._checks(life)
        if random.random() < 0.4:
            self.at(now + random.uniform(0, 300), life.create)
        if not plan.waits:
            if plan.outlet == "manual" and random.random() < 0.4:
                self.at(now + random.uniform(300, 1200), life.capture)
            return
        self.at(now + random.uniform(5, 60), partial(self._visit, life, random.uniform(11, 90)))

    def _visit(self, life: Life, seconds: float) -> None:
        """The buyer opens the page and presses `seconds` later: after the page's own interval between two reads of its
        order, even if the visit was late because somebody's request took its time."""
        life.buyer.look()
        self.at(self.town.clock() + seconds, partial(self._press, life))

    def _press(self, life: Life) -> None:
        random, plan, now = self.town.random, life.plan, self.town.clock()
        if plan.at_press:
            self._prepare(life)
        arrived = life.press()
        if life.acted_at is None and life.money_at is None and not arrived:
            life.found.append(Finding("refused", "the buyer could not press"))
        if not plan.act and random.random() < 0.2:  # the buyer goes away, and comes back
            self.at(now + random.uniform(60, 600), partial(self._come_back, life))
            return
        answered = now + random.uniform(10, 90)
        if plan.moment == PRESSED:
            self.at(now + random.uniform(1, 9), partial(self._act, life, PRESSED))
        if arrived:
            self.at(answered, life.bank)
        for _ in range(2):
            self.at(answered + random.uniform(1, 120), life.buyer.ask)
            self.at(answered + random.uniform(1, 300), life.buyer.look)
        self._checks(life)

    def _come_back(self, life: Life) -> None:
        life.buyer.look()
        if life.press():
            self.at(self.town.clock() + self.town.random.uniform(10, 90), life.bank)

    def _act(self, life: Life, moment: str) -> None:
        if life.acted_at is None:
            self._prepare(life)
            life.act(moment)
            self._checks(life)

    def _after_money(self, life: Life) -> None:
        """Right after the provider has the money; the act UNWRITTEN has come already."""
        if life.plan.moment == AFTER and life.acted_at is None:
            self.at(self.town.clock() + life.plan.delay, partial(self._act, life, AFTER))
        self._checks(life)

    def _prepare(self, life: Life) -> None:
        """A cache or a broken webhook comes before the act that it hides, and stays for a while."""
        town, shop, random = self.town, self.town.shops[life.outlet], self.town.random
        if life.plan.who == CACHE:
            shop.put_cache_in_front(honors_no_cache=random.random() < 0.5)
            self.at(town.clock() + TROUBLE, shop.take_cache_away)
        elif life.plan.who == WEBHOOK:
            how = random.choice(("late", "never", "refused"))
            if how == "late":
                shop.deliver_late()
            elif how == "never":
                shop.deliver_never()
            else:
                self._broken.add(life.outlet)
            self.at(town.clock() + TROUBLE, partial(self._mend, life.outlet))

    def _mend(self, outlet: str) -> None:
        self.town.shops[outlet].deliver_late(0, 0)
        self._broken.discard(outlet)

    def _checks(self, life: Life) -> None:
        """What has to be right a minute, and an interval, after the last thing that happened."""
        last = max(filter(None, (life.acted_at, life.money_at)), default=None)
        if last is None:
            return
        step = STEP if self._is_early(last) else LATE_STEP
        self.at(last + 60 + 2 * step, partial(self._check_fulfilment, life))
        age = last - life.began
        interval = 60.0 if age < YOUNG else 300.0 if age < RECENT else 900.0
        second_look = 60.0 if life.owed.ended == "deleted" else 0.0
        self.at(last + interval + second_look + 2 * step, partial(self._check_holds, life, last))

    def _check_fulfilment(self, life: Life) -> None:
        order = self.order(life)
        life.found += fulfilment(self.books.of(life.outlet, life.order), order, life.owed)

    def _check_holds(self, life: Life, last: float) -> None:
        if last == max(filter(None, (life.acted_at, life.money_at))):
            money = self.books.of(life.outlet, life.order)
            life.found += holds(money, life.owed, self._is_told(life, self._flagged()))

    def _flagged(self) -> set[tuple[str, int]]:
        return self.town.subject.flagged()

    def is_told(self, life: Life) -> bool:
        return self._is_told(life, self._flagged())

    def _is_told(self, life: Life, flagged: set[tuple[str, int]]) -> bool:
        """By a note, or a flag."""
        noted = False
        with suppress(KeyError):
            noted = is_noted(note["note"] for note in self.town.shops[life.outlet].notes(life.order))
        return noted or any((store, life.order) in flagged for store in self.town.stores_of(life.outlet))

    def doubt(self, life: Life, findings: list[Finding]) -> None:
        self._doubts.append((life, findings))

    def _named_by_comparisons(self) -> set[str]:
        """Payments of others that owners are told of when they compare: as that heals, it comes last."""
        outlets = sorted({life.outlet for life in self.lives if life.names})
        lines = [line for name in outlets for line in self.town.subject.compared(self.town.outlets[name].store_id)]
        return {name for life in self.lives for name in life.names if any(name in line for line in lines)}

    def order(self, life: Life) -> Mapping[str, object] | None:
        with suppress(KeyError):
            return self.town.shops[life.outlet].order(life.order)
        return None

    def at(self, moment: float, do: Callable[[], object]) -> None:
        event: _Event = (max(moment, self.town.clock()), next(self._number), do)
        heapq.heappush(self._agenda, event)

    def _go_on(self) -> None:
        """One thing after the other. In between the worker works and the post comes, often while something is new; they
        do not wait for who waits for an answer.
        """
        town, ticked = self.town, self._begun
        while self._agenda:
            tick = ticked + self._step(ticked)
            moment, _, do = self._agenda[0]
            if moment > tick:
                ticked = max(tick, town.clock())
                town.clock.set(ticked)
                town.post_messages()
                town.work()
                continue
            heapq.heappop(self._agenda)
            town.clock.set(max(moment, town.clock()))
            do()
            self._busy_until = town.clock() + (NEWS if self._is_early(moment) else LATE_NEWS)
            if town.random.random() < 0.6:  # a worker is woken
                town.subject.work()

    def _step(self, now: float) -> float:
        """Seconds until the next tick."""
        if now < self._busy_until:
            return STEP if self._is_early(now) else LATE_STEP
        return 60.0 if self._is_early(now) else 300.0 if now - self._begun < 6 * 3600 else 1800.0

    def _is_early(self, moment: float) -> bool:
        return moment - self._begun < YOUNG


def run(context: RunContext, report: Report) -> None:
    shares: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    for kind in context.present(report):
        towns = Towns(context, kind)
        for number in range(SIZES[context.size]):
            seed = f"{context.seed}/{kind}/{number}"
            story = _play(towns, seed, context.size)
            if number % REPLAYED == REPLAYED - 1 and _play(towns, seed, context.size).digest() != story.digest():
                report.violate(f"seed {seed}", Fault("wrong", "the seed does not replay"))
            for index, life in enumerate(story.lives):
                report.judge(f"seed {seed}, life {index}, {_about(life)}", partial(_faults, life))
                verdicts.update({finding.verdict for finding in life.found})
                if life.acted_at is not None and life.plan.who in ACTORS:
                    shares[life.plan.moment] += 1
                report.flagged += story.was_told[index]
            beside += story.shares
            report.faults = shares.total()
            report.progress(f"{kind}, town {number + 1}")
    for moment in MOMENTS:
        report.figures[f"acts {moment}"] = f"{shares[moment]} of {shares.total()}"
    report.figures |= {name: str(beside[name]) for name in sorted(beside)}
    for name, (_, words) in VERDICTS.items():
        report.figures[words] = str(verdicts[name])


def _play(towns: Towns, seed: str, size: Size) -> Story:
    with towns.open(seed) as town:
        story = Story(town, size)
        story.run()
    return story


def _about(life: Life) -> str:
    plan = life.plan
    act = ": ".join(filter(None, (plan.who, f"{plan.act.name} {plan.moment}" if plan.act else ""))) or "quiet"
    return f"order {life.order} at {plan.outlet}{' with a page' if plan.waits else ''}, {act}"


def _faults(life: Life) -> list[Fault]:
    return [Fault(VERDICTS[each.verdict][0], f"{each.verdict}: {each.text}") for each in life.found]

"""Who does what to which order at which moment: drawn by the seed, a fifth of the acts at each moment."""

from random import Random

from bridge.selftest.beside.acts import EXPIRY, GATEWAY, STAFF, Act
from bridge.selftest.beside.kinds import KINDS, MAIN
from bridge.selftest.beside.lives import BEFORE, BETWEEN, MOMENTS, PRESSED, Plan
from bridge.selftest.run_context import Size

ORDERS: dict[Size, int] = {"slice": 25, "small": 50, "full": 50}
"""Of each town, beside a quiet one at each outlet with which it opens."""
STAFF_, EXPIRY_, GATEWAY_, CACHE, WEBHOOK = ACTORS = (
    "staff",
    "the store's expiry",
    "another gateway",
    "a cache",
    "a broken webhook",
)
DELAYS: dict[Size, tuple[float, ...]] = {
    "slice": (10.0, 60.0, 300.0),
    "small": (10.0, 60.0, 600.0, 3 * 3600.0),
    "full": (10.0, 60.0, 600.0, 3 * 3600.0, 30 * 3600.0),
}
"""Seconds after its payment at which somebody acts AFTER it."""


def plans(random: Random, size: Size) -> list[Plan]:
    """A fifth of the acts at each moment, by everybody in turn."""
    drawn = []
    for number in range(ORDERS[size]):
        moment, who = MOMENTS[number % len(MOMENTS)], ACTORS[number // len(MOMENTS) % len(ACTORS)]
        outlet = random.choice([name for name in MAIN if moment != PRESSED or name != "sandbox"])
        always = KINDS[outlet].adapter.startswith("forte") or moment == PRESSED
        waits = always or random.random() < 0.5
        drawn.append(
            Plan(
                outlet,
                waits,
                moment,
                who,
                _act_of(random, who),
                at_press=waits and moment in (BEFORE, BETWEEN) and random.random() < 0.7,
                delay=random.choice(DELAYS[size]),
                total=random.choice(("10.23", "12.00", "99.90")),
            )
        )
    return drawn


def _act_of(random: Random, who: str) -> Act:
    if who == EXPIRY_:
        return EXPIRY
    if who == GATEWAY_:
        return GATEWAY
    return random.choice(STAFF if who == STAFF_ else (*STAFF, EXPIRY, GATEWAY))

"""B13: the bridge's clock is wrong, and is set right again, by up to ten minutes in either direction."""

from collections.abc import Callable
from functools import partial

from bridge.selftest.environment import Lab
from bridge.selftest.judge import Fault
from bridge.selftest.network import PROVIDER_TROUBLES, Trouble
from bridge.selftest.report import Tally
from bridge.selftest.run_context import Bench, Size
from bridge.selftest.simulation import Story

SIZES: dict[Size, int] = {"slice": 2, "small": 12, "full": 50}
"""How many scenarios."""
SKEWS = (-600.0, -301.0, -299.0, -60.0, 0.0, 60.0, 299.0, 301.0, 600.0)
WINDOW = 300.0
"""Seconds that a message's signature may be off."""
TROUBLES = tuple(trouble for trouble in PROVIDER_TROUBLES if trouble is not Trouble.LATE)
"""A request that arrives late is one that only a clock can tell from one that never arrives: with a clock that jumps
ahead meanwhile, nobody could."""


class SkewedStory(Story):
    """Thirty days in which somebody keeps setting the clock."""

    @property
    def more(self) -> list[Callable[[], None]]:
        return [self.shift] * 4

    def shift(self) -> None:
        self.lab.skew = self.lab.random.choice(SKEWS)

    def end(self) -> None:
        self.lab.skew = 0.0
        super().end()


def run(bench: Bench, tally: Tally) -> None:
    for number in range(SIZES[bench.size]):
        tally.judge(f"seed {bench.seed}/{number}", partial(_scenario, bench, f"{bench.seed}/{number}", tally))


def _scenario(bench: Bench, seed: str, tally: Tally) -> list[Fault]:
    with bench.lab(seed) as lab:
        faults = _window(lab)
        tally.faults += len(SKEWS)
        story = SkewedStory(lab, TROUBLES)
        story.run()
        story.end()
        return faults + story.faults()


def _window(lab: Lab) -> list[Fault]:
    """A message is taken while its signature is five minutes old or young, and not when it is older or younger."""
    lab.create("automatic", lab.world.new_order("automatic"))
    event = lab.world.events()[-1][0]
    faults = []
    for skew in SKEWS:
        lab.skew = skew
        answer = lab.request(lab.world.event(event, "automatic"))
        if answer.status != (200 if abs(skew) <= WINDOW else 400):
            faults.append(Fault("wrong", f"a message that is {skew} seconds off: {answer}"))
    lab.skew = 0.0
    return faults

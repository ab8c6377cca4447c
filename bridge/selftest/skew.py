"""B13: the bridge's clock is wrong, and is set right again, by up to ten minutes in either direction."""

from collections.abc import Callable
from functools import partial

from bridge.selftest.environment import Environment
from bridge.selftest.judge import Fault
from bridge.selftest.network import PROVIDER_TROUBLES, Trouble
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
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


def run(context: RunContext, report: Report) -> None:
    for number in range(SIZES[context.size]):
        report.judge(f"seed {context.seed}/{number}", partial(_scenario, context, f"{context.seed}/{number}", report))


def _scenario(context: RunContext, seed: str, report: Report) -> list[Fault]:
    with context.lab(seed) as environment:
        faults = _window(environment)
        report.faults += len(SKEWS)
        story = SkewedStory(environment, TROUBLES)
        story.run()
        story.end()
        return faults + story.faults()


def _window(environment: Environment) -> list[Fault]:
    """A message is taken while its signature is five minutes old or young, and not when it is older or younger."""
    environment.create("automatic", environment.world.new_order("automatic"))
    event = environment.world.events()[-1][0]
    faults = []
    for skew in SKEWS:
        environment.skew = skew
        answer = environment.request(environment.world.event(event, "automatic"))
        if answer.status != (200 if abs(skew) <= WINDOW else 400):
            faults.append(Fault("wrong", f"a message that is {skew} seconds off: {answer}"))
    environment.skew = 0.0
    return faults

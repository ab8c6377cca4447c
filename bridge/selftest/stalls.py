"""S1: nothing stalls. Shops and providers drip at every place of an answer, processes are killed meanwhile, connections
begin and do not go on, and thousands of stores are idle."""

import resource
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.selftest import idle
from bridge.selftest.child_process import ChildProcess, Died
from bridge.selftest.crash import OPERATIONS, Case, Prepare, Stage, survive
from bridge.selftest.half_open import SHAPES, Shape, answers
from bridge.selftest.judge import Fault, Judge
from bridge.selftest.report import BROKEN, Report
from bridge.selftest.run_context import Kind, RunContext, Size
from bridge.selftest.serving import open_server, wait_for
from bridge.selftest.system_under_test import BRIDGE
from bridge.selftest.world import World
from bridge.simulators.faults import DRIPS, Faults
from bridge.simulators.faults import Fault as Trouble

PLACES = (*DRIPS, Trouble.STALLED, Trouble.STALLED_AFTER)
"""Of an answer: where it drips, and that nothing comes at all."""
TIMEOUT = 1.0
"""The provider's, in seconds: every exchange that drips lasts as long."""
ENDLESS = 60.0
"""Seconds after which something that drips is held to go on for ever, on a machine that has much else to do."""
LATER = 700.0
"""Seconds until whatever failed is tried again."""


@dataclass(frozen=True)
class Extent:
    """`share`: of the places each operation sees every so manieth. `shapes`: the same of half-open connections, of
    which `crowd` are open at a time, while the health route is asked `probes` times with so many `seconds`."""

    share: int
    shapes: int
    crowd: int
    probes: int
    seconds: float
    stores: int
    payments: int


SIZES: dict[Size, Extent] = {
    "slice": Extent(54, 7, 30, 1, 20.0, 300, 3_000),
    "small": Extent(6, 1, 200, 3, 5.0, 10_000, 20_000),
    "full": Extent(1, 1, 2_000, 10, 1.0, 10_000, 1_000_000),
}


def run(context: RunContext, report: Report) -> None:
    for kind in context.present(report):
        folder = context.new_folder()
        with (
            context.database(kind, folder) as url,
            World(folder, url, str(context.seed), timeout=TIMEOUT) as world,
        ):
            stage = Stage(world, context.children, str(context.seed), context.subject)
            _drips(stage, kind, SIZES[context.size].share, report)
            _neighbours(stage, kind, context.size, report)
        report.progress(f"{kind}, drips")
    if context.subject == BRIDGE:  # the naive one has neither a server of its own nor jobs
        _half_open(context, report)
        report.progress("half-open connections")
        extent = SIZES[context.size]
        idle.compare(context, report, extent.stores, extent.payments)


def _drips(stage: Stage, kind: Kind, share: int, report: Report) -> None:
    """Every operation, while one answer of the shop or the provider drips; its process is killed meanwhile, or not."""
    hosts = {"the provider": stage.world.provider_faults, "the shop": stage.world.shop_faults}
    runs = [(host, place, kills) for host in hosts for place in PLACES for kills in (True, False)]
    child = stage.start_child()
    for name, prepare in OPERATIONS.items():
        for host, place, kills in runs[stage.random.randrange(min(share, len(runs))) :: share]:
            where = f"seed {stage.seed}, {kind}, {name}, {host}: {place.value}{', killed' if kills else ''}"
            try:
                child = _drip(stage, child, prepare, hosts[host], place, kills=kills, where=where, report=report)
            except BROKEN as error:
                report.violate(where, Fault("wrong", f"the run broke: {error!r}"))
                child.close()
                child = stage.start_child()
    child.close()


def _drip(
    stage: Stage,
    child: ChildProcess,
    prepare: Prepare,
    faults: Faults,
    place: Trouble,
    *,
    kills: bool,
    where: str,
    report: Report,
) -> ChildProcess:
    case = prepare(stage, child)
    victim = Victim(stage.twin(child), case)
    over, before = threading.Event(), len(faults.injected)
    faults.next(place, until=over)
    try:
        victim.start()
        wait_for(lambda: len(faults.injected) > before or not victim.is_alive(), ENDLESS)
        report.faults += len(faults.injected) - before
        if kills and victim.is_alive():
            victim.child.kill()
        victim.join(ENDLESS)
        if victim.is_alive():
            report.violate(where, Fault("stuck", f"it was still waiting after {ENDLESS:.0f} seconds"))
            victim.child.kill()
    finally:
        over.set()
        faults.clear()
    victim.join()
    victim.child.close()
    return survive(stage, child, case, where, report, victim.acknowledged)


class Victim(threading.Thread):
    """Does the steps of a case in its own process, until it is killed."""

    def __init__(self, child: ChildProcess, case: Case) -> None:
        super().__init__()
        self.child, self.acknowledged = child, False
        self._case = case
        child.pid  # noqa: B018 it has to be known before the process is busy

    def run(self) -> None:
        try:
            for step in self._case.steps:
                answer = self.child.play([step])
                self.acknowledged = self.acknowledged or bool(answer and answer.status == 200)
        except (Died, *BROKEN):
            return


def _neighbours(stage: Stage, kind: Kind, size: Size, report: Report) -> None:
    """One shop drips when it is told, and the other one hears of its order all the same."""
    for place in PLACES[:: len(PLACES) if size == "slice" else 1]:
        where = f"seed {stage.seed}, {kind}, one shop: {place.value}"
        child = stage.start_child()
        child.employ()
        report.judge(where, lambda place=place, child=child: _told_meanwhile(stage, child, place))  # type: ignore[misc]
        report.faults += 1
        if not child.dismiss():
            report.violate(where, Fault("wrong", "a thread of the worker has died"))
        child.close()


def _told_meanwhile(stage: Stage, child: ChildProcess, place: Trouble) -> Iterable[Fault]:
    world, judge, over = stage.world, Judge(stage.world), threading.Event()
    slow, other = world.new_order("automatic"), world.new_order("manual")
    before = len(world.shop_faults.injected)
    world.shop_faults.next(place, times=99, match="PUT /automatic", until=over)
    try:
        _ask(child, stage, "automatic", slow)
        wait_for(lambda: len(world.shop_faults.injected) > before, ENDLESS)
        _ask(child, stage, "manual", other)
        if not wait_for(lambda: not judge.faults("manual", other), ENDLESS):
            yield Fault("stuck", "a shop does not hear of its order while another one drips")
    finally:
        over.set()
        world.shop_faults.clear()
    world.clock.advance(LATER)
    if not wait_for(lambda: not judge.faults("automatic", slow), ENDLESS):
        yield from judge.faults("automatic", slow)


def _ask(child: ChildProcess, stage: Stage, outlet: str, order: int) -> None:
    answer = child.request(stage.create(outlet, order))
    if answer.status != 200:
        raise RuntimeError(f"a payment was refused: {answer}")


def _half_open(context: RunContext, report: Report) -> None:
    """The health route answers while connections of every shape are open: from another address, and all from one."""
    extent = SIZES[context.size]
    _raise_limit(2 * extent.crowd + 1000)
    shapes = SHAPES[context.seed % extent.shapes :: extent.shapes]
    sources = ("127.0.0.2", "127.0.0.1") if _is_ours("127.0.0.2") else ("127.0.0.1",)
    for tls in (False, True):
        of_kind = [shape for shape in shapes if shape.tls is tls]
        if not of_kind:
            continue
        with open_server(context, tls=tls) as address:
            for shape in of_kind:
                for source in sources:
                    report.runs += 1
                    _hold(address, shape, source, extent, report)


def _hold(address: tuple[str, int], shape: Shape, source: str, extent: Extent, report: Report) -> None:
    where = f"{extent.crowd} connections from {source}: {shape.name}"
    report.faults += extent.crowd
    taken = answers(address, shape, size=extent.crowd, source=source, probes=extent.probes, seconds=extent.seconds)
    good = [each for each in taken if each is not None]
    told = f"{len(good)} of {len(taken)}" + (f", within {max(good):.2f} s" if good else "")
    report.figures[where] = told
    if len(good) < len(taken):
        report.violate(where, Fault("stuck", f"the health route answered {told}"))


def _is_ours(address: str) -> bool:
    """Whether connections may come from there: not all systems give a machine all of 127.0.0.0/8."""
    with socket.socket() as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            return False
    return True


def _raise_limit(files: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

"""Work that falls into shares which do not depend on each other: every CPU does some of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Share = TypeVar("Share")
Result = TypeVar("Result")


def spread(work: Callable[[Share], Result], shares: Sequence[Share]) -> Iterator[tuple[Share, Result]]:
    """Each share with what came of it, in their order. A single one is done in this process, the others in new ones."""
    processes = min(len(shares), os.cpu_count() or 1)
    if processes == 1:
        yield from zip(shares, map(work, shares), strict=True)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from zip(shares, pool.map(work, shares), strict=True)

"""Work that falls into shares which do not depend on each other: every CPU does some of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from typing import TypeVar

Share = TypeVar("Share")
Result = TypeVar("Result")


def spread(work: Callable[[Share], Result], shares: Sequence[Share]) -> Iterator[tuple[Share, Result]]:
    """Each share with what came of it, in their order. A single one is done in this process, the others in new ones.

    Whoever does not wait for the end ends them with what they are at: what they leave behind is the caller's to remove.
    """
    processes = min(len(shares), os.cpu_count() or 1)
    if processes == 1:
        yield from zip(shares, map(work, shares), strict=True)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        try:
            yield from zip(shares, pool.map(work, shares), strict=True)
        except BaseException:
            for child in active_children():
                child.terminate()
            raise

"""What a simulator does by itself: one thread that waits on the simulator's own condition, and ends when it is told."""

import threading
from collections.abc import Callable

JOIN_SECONDS = 15.0


class Background:
    """Does `work` whenever something is due, from `start` to `close`.

    `wait` is asked with `changed` held: seconds until something is due, 0 for now, None if only a change brings it.
    It is asked again after every change. `work` is called without the lock.
    """

    def __init__(
        self,
        name: str,
        changed: threading.Condition,
        wait: Callable[[], float | None],
        work: Callable[[], object],
    ) -> None:
        self._name = name
        self._changed = changed
        self._wait = wait
        self._work = work
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starting twice is one thread."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread, if there is one, and wait a while for what it has in hand."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(JOIN_SECONDS)

    def goes_on(self) -> bool:
        """Whether the calling thread is this one, and nobody has told it to end."""
        with self._changed:
            return self._thread is threading.current_thread()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self.goes_on():
                    return
                seconds = self._wait()
                if seconds is None or seconds > 0:
                    self._changed.wait(seconds)
                    continue
            self._work()

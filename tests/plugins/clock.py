"""`Time`: a clock that stands still until a test moves it."""

START = 1_790_000_000.0


class Time:
    """Unix seconds that pass only when a test says so."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

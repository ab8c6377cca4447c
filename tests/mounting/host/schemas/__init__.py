"""The host's own package of that name."""

GREETING = "the host's own schemas"

"""Groups whose commands are imported when they are run: `--help`, a mistyped word and `flask run` need none of them."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import click

CHOSEN = "bridge.cli.chosen"
"""Where a command finds the name that was given with `--bridge`."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that the module `bridge.cli.<module>` has; `help` is the first sentence of its own."""

    module: str
    help: str


class _Commands(Mapping[str, click.Command]):
    def __init__(self, lazy: Mapping[str, Lazy]) -> None:
        self._lazy = lazy

    def __getitem__(self, name: str) -> click.Command:
        return cast(click.Command, getattr(import_module(f"bridge.cli.{self._lazy[name].module}"), name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._lazy)

    def __len__(self) -> int:
        return len(self._lazy)


class LazyGroup(click.Group):
    """`lazy` has its commands by name."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = cast(MutableMapping[str, click.Command], _Commands(lazy))
        self._shown = click.Group(commands=[click.Command(name, help=each.help) for name, each in lazy.items()])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._shown.format_commands(ctx, formatter)


def choose_bridge(context: click.Context, _: click.Parameter, name: str | None) -> None:
    """`--bridge NAME`, for the command that follows."""
    context.find_root().meta[CHOSEN] = name

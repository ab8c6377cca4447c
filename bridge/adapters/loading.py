"""Adapters by name: found as entry points, imported when somebody asks for one, constructed from checked settings."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from bridge.adapters.context import AdapterContext
from bridge.domain.errors import ConfigurationError
from bridge.domain.ports import Adapter, Setting

GROUP = "bridge.adapters"
ENDPOINT, LONGEST_ENDPOINT = "webhook_endpoint", 64
"""A setting that any adapter may declare: the name at the end of the address that its provider sends messages to."""
WEBHOOK_ENDPOINT = Setting(
    ENDPOINT, "The name at the end of the webhook address, for stores that share one; empty for the store's id", ""
)
MAX_RETRIES = Setting(
    "max_retries",
    "How many times to resend a request at once, under the same key, after its connection broke",
    "1",
    choices=("0", "1", "2", "3"),
)
"""Settings that several adapters declare."""


def names() -> list[str]:
    """The adapters that are installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load(name: str) -> type[Adapter]:
    """The adapter's class. Raises ConfigurationError if there is none of that name, or it cannot be imported."""
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not found:
        raise ConfigurationError(f"There is no adapter {name}{_did_you_mean(name, names())}")
    if len(found) > 1:
        packages = ", ".join(sorted(_package(entry) for entry in found.values()))
        raise ConfigurationError(f"The adapter {name} is in several packages: {packages}. Uninstall all but one.")
    [entry] = found.values()
    try:
        return cast("type[Adapter]", entry.load())
    except ImportError as error:
        extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
        install = f"pip install '{_package(entry)}{extras}'"
        raise ConfigurationError(f"The adapter {name} cannot be loaded: {error}. Try: {install}") from error


def make(name: str, settings: Mapping[str, str], *, live: bool, context: AdapterContext | None = None) -> Adapter:
    """The adapter of that name for one store. Raises ConfigurationError with a sentence for each wrong setting."""
    return construct(load(name), settings, live=live, context=context)


def construct(
    adapter: type[Adapter], settings: Mapping[str, str], *, live: bool, context: AdapterContext | None = None
) -> Adapter:
    """`adapter(settings, live=..., context=...)`, once the settings are those that it declares; defaults filled in."""
    problems = list(_problems(adapter.name, adapter.settings, settings))
    if problems:
        raise ConfigurationError(*problems)
    complete = {setting.name: settings.get(setting.name) or setting.default or "" for setting in adapter.settings}
    build = cast("Callable[..., Adapter]", adapter)
    return build(complete, live=live, context=context or AdapterContext())


def _problems(adapter: str, declared: tuple[Setting, ...], given: Mapping[str, str]) -> Iterable[str]:
    known = {setting.name: setting for setting in declared}
    for name in given:
        if name not in known:
            yield f"{adapter} has no setting {name}{_did_you_mean(name, known)}"
    for setting in declared:
        value = given.get(setting.name)
        if not value:
            if setting.default is None:
                yield f"{adapter} needs the setting {setting.name}: {setting.help}"
        elif setting.choices and value not in setting.choices:
            shown = "that" if setting.secret else repr(value)
            yield f"{adapter}: {setting.name} must be one of {', '.join(setting.choices)}, not {shown}."
        elif setting.name == ENDPOINT and not re.fullmatch(r"[\w-]+", value, re.ASCII):
            yield f"{adapter}: {ENDPOINT} has something other than letters, digits, - and _."
        elif setting.name == ENDPOINT and len(value) > LONGEST_ENDPOINT:
            yield f"{adapter}: {ENDPOINT} has more than {LONGEST_ENDPOINT} characters."


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f" (there are: {', '.join(sorted(known)) or 'none'})."


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module.partition(".")[0]

"""The composition root: settings, database and edges become a Bridge; a Bridge becomes a blueprint or a Flask app."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import click
from flask import Blueprint, Flask, current_app
from flask.cli import ScriptInfo
from flask.helpers import get_debug_flag

from bridge.domain.errors import ConfigurationError
from bridge.domain.ports import Clock, Finding, Ids
from bridge.domain.stores import Store
from bridge.http.blueprint import make_blueprint
from bridge.http.wordpress.errors import handle_outside
from bridge.opened_stores import OrderBookFactory
from bridge.registry.obstacles import Obstacles
from bridge.runtime import Runtime
from bridge.services import Services
from bridge.settings import Settings, is_ours
from bridge.web.front import add_front_page

EXTENSION = "wcpay_bridge"


class Bridge:
    """Bridges of Flask apps: `bridge = Bridge()` where your extensions are, `bridge.init_app(app)` in your factory.

    Told nothing, it reads `BRIDGE_*` from the config of each app that it is mounted into, then from the environment,
    and each app has a bridge of its own: `services` and the methods are about the current app, or the only one. Told
    `settings`, `config` or keywords (`secret_key=...`, which beat what an app says) it is one bridge wherever it is
    mounted, except in an app that has `BRIDGE_*` settings of its own beside the keywords.

    Nothing is opened before it is used. What is missing then, a key or a database, raises NotReady.

    `order_book` makes the OrderBook of a store, for hosts whose orders live elsewhere than behind WooCommerce's REST
    API. Raises ConfigurationError with everything that is wrong with the settings.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        clock: Clock = time.time,
        ids: Ids | None = None,
        order_book: OrderBookFactory | None = None,
        **keywords: Any,
    ) -> None:
        self._make: Callable[[Settings], Runtime] = partial(Runtime, clock=clock, ids=ids, order_book=order_book)
        self._keywords = keywords
        self.has_own_orders = order_book is not None
        """Whether the host has brought an order book of its own: its stores need no key of WooCommerce's."""
        self._is_told_all = settings is not None or config is not None
        self._told = (
            self._make(settings or Settings.load(config, **keywords)) if self._is_told_all or keywords else None
        )
        self._environment: Runtime | None = None
        self._of: WeakKeyDictionary[Flask, Runtime] = WeakKeyDictionary()
        self._only: Runtime | None = None
        self._has_several = False

    @property
    def settings(self) -> Settings:
        return self._runtime.settings

    @property
    def services(self) -> Services:
        return self._runtime.services

    @services.setter
    def services(self, services: Services) -> None:
        self._runtime.services = services

    def blueprint(self, name: str = EXTENSION) -> Blueprint:
        """A fresh blueprint. Two bridges in one app need two names."""
        return make_blueprint(self.services, self.settings, name=name)

    def init_app(self, app: Flask, *, url_prefix: str = "", name: str = EXTENSION, worker: bool = False) -> None:
        """Mount into `app` below `url_prefix`; with `worker` also deliver and settle in threads of the process that
        serves it, which no other `flask` command does.

        `app.extensions[name]` is the Bridge. Raises ConfigurationError with everything that is wrong with the settings,
        or if the name is taken.
        """
        self._mount(app, url_prefix, name, is_host=True)
        if worker and _serves_requests():
            self._of[app].start_worker()

    def _mount(self, app: Flask, url_prefix: str = "", name: str = EXTENSION, *, is_host: bool) -> None:
        if app.extensions.get(name, self) is not self:
            raise ConfigurationError(f"The app has a {name} already: give this one another name in init_app.")
        runtime = self._runtime_for(app)
        runtime.is_mounted = is_host
        blueprint = make_blueprint(runtime.services, runtime.settings, name=name)
        app.register_blueprint(blueprint, url_prefix=url_prefix or None)
        app.extensions[name] = self

    def open(self) -> None:
        """Open the database now. Raises NotReady with what is missing."""
        self._runtime.open()

    def start_worker(self, app: Flask | None = None) -> None:
        """Deliver the outbox and settle what is unknown in threads of this process; of `app`, or of the current app."""
        (self._runtime if app is None else self._of[app]).start_worker()

    def add_store(
        self, store: Store, *, shop: str | None = None, who: str = "", unchecked: bool = False, try_query: bool = True
    ) -> Store:
        """Ask the shop who it is and record it, and prove that its key works. Its secrets may be in clear or
        references; settings are checked. With `try_query` the option `auth` may come back as `query`, where the key
        arrives only so. `unchecked` is for a shop that cannot be asked: until it was, none of its money moves.

        A shop that has an entry for this mode gets one more only if `shop` names an entry of it; `new` is one that no
        entry is of. `who` does so, for the shop's history.

        Raises ConfigurationError, Refused, StoreError.
        """
        return self._runtime.store_setup.add(store, shop=shop, who=who, unchecked=unchecked, try_query=try_query)

    def update_store(
        self,
        store: Store,
        *,
        shop: str | None = None,
        who: str = "",
        unchecked: bool = False,
        try_query: bool = True,
        force: bool = False,
        on_left: Callable[[Obstacles], object] | None = None,
    ) -> Store:
        """Like `add_store`, for one that is there. Its shop stays the same, wherever it is now, unless `shop` names an
        entry of the shop that it is an entry of as well. With `unchecked` it keeps its identity; if its address is
        another one, no money moves until the shop was asked. With `force` payments that are not over are left behind at
        another adapter, mode or account, instead of standing in the way: `on_left` is told of them."""
        said = {"shop": shop, "who": who, "unchecked": unchecked, "try_query": try_query}
        return self._runtime.store_setup.update(store, **said, force=force, on_left=on_left)  # type: ignore[arg-type]

    def check_store(self, store: Store) -> list[Finding]:
        """Ask shop and provider whether everything is set up right."""
        return self._runtime.store_setup.check(store)

    def close(self) -> None:
        """Stop the workers, if there are any, and close the databases. Who uses them again opens them again."""
        for runtime in {self._told, self._environment, self._only, *self._of.values()} - {None}:
            runtime.close()  # type: ignore[union-attr]

    @property
    def _runtime(self) -> Runtime:
        """The one that is meant: the current app's, the only one, or, mounted nowhere, what was told."""
        if current_app and (runtime := self._of.get(current_app._get_current_object())):  # type: ignore[attr-defined]
            return runtime
        if self._only:
            return self._only
        if self._has_several:
            raise RuntimeError("This Bridge is of several apps: use it in the context of one (with app.app_context()).")
        if self._told:
            return self._told
        self._environment = self._environment or self._make(Settings.load())
        return self._environment

    def _runtime_for(self, app: Flask) -> Runtime:
        """The one of an app that it is mounted into. Raises ConfigurationError."""
        if app not in self._of:
            is_told_by_app = any(map(is_ours, app.config))
            if self._told and (self._is_told_all or not is_told_by_app):
                runtime = self._told
            else:
                runtime = self._make(Settings.load(app.config, **self._keywords))
            self._has_several = self._has_several or self._only not in (None, runtime)
            self._only = None if self._has_several else runtime
            self._of[app] = runtime
        return self._of[app]


def _serves_requests() -> bool:
    """Whether this process is there to serve: no `flask` command but `run`, and of the two processes of `run` with its
    reloader the one that is started again."""
    context = click.get_current_context(silent=True)
    if context is None or context.find_object(ScriptInfo) is None:
        return True
    if context.info_name != "run":
        return False
    reloads = context.params.get("reload")
    reloads = get_debug_flag() if reloads is None else reloads
    return not reloads or os.environ.get("WERKZEUG_RUN_MAIN") == "true"


def create_app(
    bridge: Bridge | None = None,
    *,
    worker: bool = False,
    shown_stores: Sequence[Mapping[str, str]] = (),
    **keywords: Any,
) -> Flask:
    """A plain Flask app with a bridge at its root; `keywords` are settings for a new one.

    `shown_stores` (`name`, `adapter`, `url`) stand on the page at `/`, for everybody to see. Raises ConfigurationError
    also for a key or a database that is missing: it is there to serve.
    """
    app = Flask("bridge", static_folder=None)
    app.url_map.merge_slashes = app.url_map.strict_slashes = False  # a redirect repeats the query, with credentials
    bridge = bridge or Bridge(**keywords)
    bridge._mount(app, is_host=False)
    with app.app_context():
        bridge.open()
        if worker:
            bridge.start_worker()
    add_front_page(app, shown_stores, api_docs=bridge.settings.api_docs)
    handle_outside(app)
    return app

"""WooCommerce's own clients, as the programs of other people use them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.shared import Once
from tests.plugins.tools import require

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


NpmClient = Callable[..., Answer]


@pytest.fixture(scope="session")
def npm_client(once: Once) -> NpmClient:
    """One call with `@woocommerce/woocommerce-rest-api`: Basic or a query pair over https, OAuth 1.0a over http.

    `url` is the store's, `endpoint` stands below /wp-json/wc/v3; `body` goes with post and put, `params` in the query.
    """
    node = require("node")

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json", "driver.js"):
            shutil.copy(HERE / name, folder)
        npm = [shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        told = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr

    folder = once("npm-client", install)

    def client(
        url: str,
        consumer_key: str,
        consumer_secret: str,
        method: str,
        endpoint: str,
        *,
        body: Any = None,
        params: dict[str, Any] | None = None,
        query_string_auth: bool = False,
        ca_file: Path | None = None,
    ) -> Answer:
        call = {
            "url": url,
            "consumerKey": consumer_key,
            "consumerSecret": consumer_secret,
            "method": method,
            "endpoint": endpoint,
            "body": body,
            "params": params or {},
            "queryStringAuth": query_string_auth,
            "caFile": str(ca_file) if ca_file else None,
        }
        told = subprocess.run(
            [node, "driver.js"], cwd=folder, input=json.dumps(call), capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        return Answer(**json.loads(told.stdout))

    return client

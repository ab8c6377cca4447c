"""`stores` and `keys` as their owner uses them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.plugins.commandline import CommandLine


@dataclass
class Shop:
    url: str
    pair: tuple[str, str]
    ca_file: str
    simulator: WooCommerceSimulator

    def arguments(self, **changes: str) -> list[str]:
        values = {
            "url": self.url,
            "consumer-key": self.pair[0],
            "consumer-secret": self.pair[1],
            "ca-file": self.ca_file,
            "adapter": "sandbox",
        } | changes
        return ["stores", "add", "--test", *(part for k, v in values.items() for part in (f"--{k}", v))]


@pytest.fixture
def shop(certificates: Certificates) -> Iterator[Shop]:
    with ExitStack() as stack:
        simulator = WooCommerceSimulator("shop", plugins=("woocommerce/woocommerce.php",))
        url = stack.enter_context(serve(simulator, tls=(certificates.cert_file, certificates.key_file))).url
        yield Shop(url, simulator.add_key(), str(certificates.ca_file), simulator)


@pytest.fixture(autouse=True)
def initialised(cli: CommandLine) -> None:
    cli.run("init")


def test_init_makes_private_files_and_says_what_is_next(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "data" / "wcpay-bridge"
    assert (folder.stat().st_mode & 0o777, (folder / "secret.key").stat().st_mode & 0o777) == (0o700, 0o600)
    assert (folder / "bridge.sqlite").stat().st_mode & 0o777 == 0o600
    key = (folder / "secret.key").read_text()
    again = cli.run("init")
    assert (folder / "secret.key").read_text() == key
    assert again.stdout.startswith("wcpay-bridge stores add")


def test_a_store_is_added_shown_changed_and_removed(cli: CommandLine, shop: Shop) -> None:
    added = cli.json(*shop.arguments())
    assert (added["identity"], added["mode"], added["capture"]) == (shop.url, "test", "automatic")
    assert cli.json("stores", "list") == [added]
    assert cli.json("stores", "update", added["id"], "--capture", "manual", "--set", "rounding=half_up")["options"][
        "rounding"
    ] == ("half_up")
    shown = cli.json("stores", "show", added["id"])
    assert (shown["capture"], shown["options"]["rounding"]) == ("manual", "half_up")
    assert cli.json("stores", "update", added["id"], "--set", "rounding=")["options"]["rounding"] == "exact"
    cli.run("stores", "remove", added["id"], "--yes")
    assert cli.json("stores", "list") == []


def test_credentials_are_neither_shown_nor_readable_in_the_database(
    cli: CommandLine, shop: Shop, tmp_path: Path
) -> None:
    added = cli.run(*shop.arguments()).output
    pair = cli.json("keys", "create", "--store", shop.url)
    listed = cli.run("keys", "list").output + cli.run("stores", "list").output
    dumped = b"".join(
        file.read_bytes() for file in (tmp_path / "home" / "data" / "wcpay-bridge").glob("bridge.sqlite*")
    )
    assert shop.url in listed
    assert shop.url.encode() in dumped
    for secret in (*shop.pair, pair["consumer_key"], pair["consumer_secret"]):
        assert secret not in added + listed
        assert secret.encode() not in dumped


def test_a_reference_is_kept_as_it_is_and_read_when_needed(cli: CommandLine, shop: Shop) -> None:
    cli.environ["SHOP_SECRET"] = shop.pair[1]
    added = cli.json(*shop.arguments(**{"consumer-secret": "env:SHOP_SECRET"}))
    assert added["consumer_secret"] == "env:SHOP_SECRET"
    assert {finding["ok"] for finding in cli.json("stores", "check", added["id"])} == {True}
    del cli.environ["SHOP_SECRET"]
    told = cli.run("stores", "check", added["id"], code=1)
    assert "the environment variable SHOP_SECRET is not set" in told.stderr


def test_the_secret_can_come_from_stdin_or_a_prompt(cli: CommandLine, shop: Shop) -> None:
    first = cli.json(*shop.arguments(**{"consumer-secret": "-"}), stdin=shop.pair[1] + "\n")["id"]
    without = [part for part in shop.arguments() if part not in ("--consumer-secret", shop.pair[1])]
    told = cli.run(*without, "--shop", first, stdin=shop.pair[1] + "\n")
    assert shop.pair[1] not in told.output
    stores = [store["id"] for store in cli.json("stores", "list")]
    assert {finding["ok"] for store in stores for finding in cli.json("stores", "check", store)} == {True}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"adapter": "sandbx"}, "did you mean sandbox"),
        ({"set": "colour=red"}, "has no setting colour"),
        ({"set": "rounding=up"}, "rounding must be one of exact, half_up"),
        ({"url": "http://127.0.0.1:1"}, "https"),
        ({"url": "https://127.0.0.1:1"}, "reach"),
    ],
)
def test_a_wrong_store_is_refused_with_a_sentence(
    cli: CommandLine, shop: Shop, changes: dict[str, str], said: str
) -> None:
    told = cli.run(*shop.arguments(**changes), code=1)
    assert said in told.stderr
    assert shop.pair[1] not in told.output
    assert cli.json("stores", "list") == []


def test_live_and_test_have_to_be_said_and_the_sandbox_refuses_live(cli: CommandLine, shop: Shop) -> None:
    unsaid = [part for part in shop.arguments() if part != "--test"]
    assert "Choose --live or --test" in cli.run(*unsaid, code=2).stderr
    live = ["--live" if part == "--test" else part for part in shop.arguments()]
    assert "refuses a live store" in cli.run(*live, code=1).stderr


def test_woopayments_own_method_id_is_refused_where_that_plugin_is_active(
    cli: CommandLine, certificates: Certificates
) -> None:
    plugins = ("woocommerce/woocommerce.php", "woocommerce-payments/woocommerce-payments.php")
    simulator = WooCommerceSimulator("shop", plugins=plugins)
    with serve(simulator, tls=(certificates.cert_file, certificates.key_file)) as server:
        shop = Shop(server.url, simulator.add_key(), str(certificates.ca_file), simulator)
        told = cli.run(*shop.arguments(set="payment_method=woocommerce_payments"), code=1)
        assert "WooPayments" in told.stderr or "woocommerce_payments" in told.stderr


def test_keys_are_made_imported_listed_rotated_and_revoked(cli: CommandLine, shop: Shop) -> None:
    store = cli.json(*shop.arguments())["id"]
    made = cli.json("keys", "create", "--store", store, "--permissions", "read", "--description", "till 1")
    assert made["consumer_key"].startswith("ck_")
    assert len(made["consumer_key"]) == len(made["consumer_secret"]) == 43
    theirs = shop.simulator.add_key(pair=("ck_" + "a" * 40, "cs_" + "b" * 40))
    cli.run("keys", "import", "--store", store, "--consumer-key", theirs[0], stdin=theirs[1] + "\n")
    twice = cli.run(
        *("keys", "import", "--store", store, "--consumer-key", theirs[0], "--consumer-secret", theirs[1]), code=1
    )
    assert "already exists here" in twice.stderr
    listed = cli.json("keys", "list", "--store", store)
    assert [(key["permissions"], key["description"]) for key in listed] == [("read", "till 1"), ("read_write", "")]
    fresh = cli.json("keys", "rotate", made["id"], "--overlap", "1")
    assert fresh["permissions"] == "read"
    cli.run("keys", "revoke", theirs[0])
    states = {key["id"]: (bool(key["revoked"]), bool(key["expires"])) for key in cli.json("keys", "list")}
    assert states[made["id"]] == (False, True)
    assert sorted(states.values()) == [(False, False), (False, True), (True, False)]
    told = {line.split("\t")[0]: line.split("\t")[4] for line in cli.run("keys", "list").stdout.splitlines()}
    assert told[made["id"]].startswith("active until 20")
    assert told[fresh["id"]] == "active"


def test_a_key_for_no_store_and_a_key_that_is_not_there_are_refused(cli: CommandLine) -> None:
    assert "There is no store nowhere." in cli.run("keys", "create", "--store", "nowhere", code=1).stderr
    assert "There is no key abc." in cli.run("keys", "revoke", "abc", code=1).stderr


def test_an_address_that_two_stores_have_names_neither(cli: CommandLine, shop: Shop) -> None:
    first = cli.json(*shop.arguments())["id"]
    second = cli.json(*shop.arguments(shop=first))["id"]
    for command in (("stores", "remove", shop.url, "--yes"), ("keys", "create", "--store", shop.url)):
        assert f"several stores: {first}, {second}." in cli.run(*command, code=1).stderr
    cli.run("stores", "remove", second, "--yes")
    assert cli.json("stores", "show", shop.url)["id"] == first


def test_a_second_entry_is_refused_with_the_way_on_and_its_history_is_kept(cli: CommandLine, shop: Shop) -> None:
    cli.environ["SUDO_USER"] = "ann"
    first = cli.json(*shop.arguments())["id"]
    refused = cli.run(*shop.arguments(), code=1).stderr
    assert f"wcpay-bridge stores update {first}" in refused
    assert f"`--shop {first}`" in refused
    assert "There is no store nowhere" in cli.run(*shop.arguments(shop="nowhere"), code=1).stderr
    assert "is the address of the shop that" in cli.run(*shop.arguments(shop="new"), code=1).stderr
    second = cli.json(*shop.arguments(shop=first))
    assert second["other_entries"] == [first]
    assert [each["other_entries"] for each in cli.json("stores", "list")] == [[second["id"]], [first]]
    shop.simulator.url = "https://moved.example"
    cli.run("stores", "update", first)
    cli.run("stores", "remove", second["id"], "--yes")
    told = cli.json("stores", "history", first)
    assert [(each["who"], each["store_id"], each["what"]) for each in told] == [
        ("ann", first, "added"),
        ("ann", second["id"], "added"),
        ("ann", first, "site"),
        ("ann", second["id"], "removed"),
    ]
    assert (told[2]["before"], told[2]["after"]) == (shop.url, "https://moved.example")
    assert cli.run("stores", "history", first).stdout.splitlines()[2].split("\t")[1:] == [
        *(first, "site", shop.url, "https://moved.example", "ann")
    ]


def test_why_of_nothing_says_so(cli: CommandLine) -> None:
    assert "There is no payment for 12." in cli.run("why", "12", code=1).stderr

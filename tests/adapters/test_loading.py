"""Adapters by name, from this package and from others."""

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.adapters import AdapterContext, ConfigurationError, Setting, construct, load, make, names
from bridge.adapters.stripe_connect import StripeConnectAdapter


class Acme:
    """An adapter as somebody else writes it, as far as loading is concerned."""

    name = "acme"
    settings = (
        Setting("token", "From Acme's dashboard", secret=True),
        Setting("mode", "How", "plain", choices=("plain", "fancy")),
        Setting("note", "What the payer reads", ""),
    )

    def __init__(self, settings, *, live, context):
        self.given = (settings, live, context)


def install(folder: Path, package: str, adapter: str, source: str, *, extra: str = "") -> None:
    """A package with one adapter, as an installer leaves it behind."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    meta = folder / f"{module}-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text(f"[bridge.adapters]\n{adapter} = {module}:Adapter{extra}\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that packages can be installed into."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_our_own_adapters_are_there():
    assert {"sandbox", "stripe_connect"} <= set(names())
    assert load("stripe_connect") is StripeConnectAdapter


def test_a_name_that_does_not_exist_gets_the_nearest_one():
    with pytest.raises(ConfigurationError) as caught:
        load("stripe_conect")
    assert caught.value.problems == ("There is no adapter stripe_conect; did you mean stripe_connect?",)


def test_a_name_like_no_other_gets_the_list():
    with pytest.raises(ConfigurationError, match=r"There is no adapter zzz \(there are: .*sandbox, stripe_connect"):
        load("zzz")


def test_another_package_brings_an_adapter(site):
    install(site, "acme-pay", "acme_pay", "class Adapter:\n    name = 'acme_pay'\n    settings = ()\n")
    assert "acme_pay" in names()
    assert load("acme_pay").name == "acme_pay"


def test_what_an_adapter_lacks_is_named_with_the_line_that_installs_it(site):
    install(site, "acme-lacks", "lacking", "import acme_sdk_that_nobody_has\n", extra=" [sdk]")
    with pytest.raises(ConfigurationError) as caught:
        load("lacking")
    assert caught.value.problems == (
        "The adapter lacking cannot be loaded: No module named 'acme_sdk_that_nobody_has'. "
        "Try: pip install 'acme-lacks[sdk]'",
    )


def test_two_packages_with_one_name_are_refused(site):
    install(site, "acme-one", "twice", "class Adapter: pass\n")
    install(site, "acme-two", "twice", "class Adapter: pass\n")
    with pytest.raises(ConfigurationError, match="The adapter twice is in several packages: acme-one, acme-two"):
        load("twice")


def test_nobody_can_take_the_name_of_an_adapter_of_ours(site):
    install(site, "acme-thief", "stripe_connect", "class Adapter: pass\n")
    with pytest.raises(ConfigurationError, match="in several packages: acme-thief, wcpay-bridge"):
        load("stripe_connect")


def test_settings_arrive_complete():
    context = AdapterContext(timeout=7)
    adapter = construct(Acme, {"token": "t", "note": "hi"}, live=True, context=context)
    assert adapter.given == ({"token": "t", "mode": "plain", "note": "hi"}, True, context)


def test_everything_that_is_wrong_is_said_at_once_and_no_secret_is_shown():
    with pytest.raises(ConfigurationError) as caught:
        construct(Acme, {"tokn": "S3CRET", "mode": "odd", "zzz": "1"}, live=False)
    assert caught.value.problems == (
        "acme has no setting tokn; did you mean token?",
        "acme has no setting zzz (there are: mode, note, token).",
        "acme needs the setting token: From Acme's dashboard",
        "acme: mode must be one of plain, fancy, not 'odd'.",
    )


def test_an_empty_required_setting_is_missing():
    with pytest.raises(ConfigurationError, match="acme needs the setting token"):
        construct(Acme, {"token": ""}, live=False)


@pytest.mark.parametrize(
    ("endpoint", "wrong"),
    [
        ("a" * 64, None),
        ("a" * 65, "has more than 64 characters."),
        ("a/b", "has something other than letters, digits, - and _."),
        ("caf\u00e9", "has something other than letters, digits, - and _."),
        ("shop\n", "has something other than letters, digits, - and _."),
    ],
    ids=["longest", "too long", "slash", "accent", "newline"],
)
def test_a_webhook_endpoint_of_any_adapter_is_one_that_the_address_takes(endpoint, wrong):
    class Told(Acme):
        settings = (Setting("webhook_endpoint", "The name at the end", ""),)

    if wrong is None:
        assert construct(Told, {"webhook_endpoint": endpoint}, live=False)
        return
    with pytest.raises(ConfigurationError) as caught:
        construct(Told, {"webhook_endpoint": endpoint}, live=False)
    assert caught.value.problems == (f"acme: webhook_endpoint {wrong}",)


def test_make_loads_and_constructs():
    settings = {"secret_key": "sk_test_1", "account": "acct_1"}
    adapter = make("stripe_connect", settings, live=False, context=AdapterContext())
    assert repr(adapter) == "<StripeConnectAdapter acct_1 test>"
    adapter.close()


def test_the_names_are_there_without_any_sdk():
    code = (
        "import sys, bridge.adapters as adapters; missing = [n for n in adapters.__all__ if not hasattr(adapters, n)];"
        "print(missing, sorted({'stripe', 'pytest', 'bridge.adapters.sandbox'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"

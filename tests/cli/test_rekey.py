"""Rotating the secret key: the new one encrypts, both decrypt; everything is encrypted anew, and the old one goes."""

import secrets

from bridge import Bridge
from tests.plugins.commandline import CommandLine
from tests.plugins.local import MakeLocal


def test_after_rekey_the_old_key_is_not_needed_any_more(
    make_local: MakeLocal, database_url: str, cli: CommandLine
) -> None:
    local = make_local(database_url, "stripe_connect", settings={"webhook_secret": "whsec_x", "off_session": "no"})
    assert local.create(payment_method="pm_card_threeDSecure2Required").status_code == 200
    old, new = local.bridge.settings.secret_key[0], secrets.token_hex(20)
    cli.environ |= {"BRIDGE_DATABASE_URL": database_url, "BRIDGE_SECRET_KEY": new}
    assert "does not belong to this database" in cli.run("rekey", code=1).stderr
    cli.environ["BRIDGE_SECRET_KEY"] = f"{new},{old}"
    said = cli.run("rekey").output
    assert int(said.split()[0]) >= 6, said
    assert cli.run("rekey").output.startswith("0 ")
    cli.environ["BRIDGE_SECRET_KEY"] = new
    bridge = Bridge(secret_key=new, database_url=database_url, allow_private_urls=True, clock=local.clock)
    store = bridge.services.store(local.store.id)
    assert store.config.settings["secret_key"] == local.bridge.services.stores.store(store.id).settings["secret_key"]
    assert store.order_book.identify() == store.config.identity
    bridge.close()
    assert cli.json("stores", "check", store.id)[0]["ok"]

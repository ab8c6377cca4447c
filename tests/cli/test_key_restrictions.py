"""What narrows a consumer key, as its owner says it, sees it, changes it and is reminded of it."""

from typing import Any

import pytest

from tests.cli.operator import operate, operate_json
from tests.plugins.local import Local, MakeLocal

DAY = 24 * 3600
ALL = ("--expires", "90d", "--networks", "198.51.100.0/24, ::ffff:192.0.2.0/120,2001:db8::1", "--no-refunds")
NETWORKS = ["198.51.100.0/24", "192.0.2.0/24", "2001:db8::1/128"]


@pytest.fixture
def local(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url)


def time_of(seconds: float) -> str:
    from bridge.cli.console import iso_time

    return iso_time(seconds)


def listed(local: Local, key: dict[str, Any]) -> dict[str, Any]:
    [found] = [each for each in operate_json(local, "keys", "list") if each["id"] == key["id"]]
    return dict(found)


def line(local: Local, key: dict[str, Any]) -> list[str]:
    [found] = [each for each in operate(local, "keys", "list").stdout.splitlines() if each.startswith(key["id"])]
    return found.split("\t")


def create(local: Local, *arguments: str) -> dict[str, Any]:
    return dict(operate_json(local, "keys", "create", "--store", local.store.id, *arguments))


def trail(local: Local, act: str) -> list[dict[str, Any]]:
    return [each["detail"] for each in operate_json(local, "audit", "list", "--act", act)]


def examined(local: Local) -> list[str]:
    """What `doctor` finds wrong about keys."""
    told = operate_json(local, "doctor", code=1)
    return [each["text"] for each in told if not each["ok"] and "The key ..." in each["text"]]


def test_a_new_key_ends_never_is_for_anywhere_and_may_refund(local: Local) -> None:
    made = create(local)
    assert (made["expires"], made["networks"], made["may_refund"]) == (None, [], True)
    assert line(local, made)[6:8] == ["from anywhere", "refunds"]


@pytest.mark.parametrize("command", ["create", "import"])
def test_what_is_said_is_kept_shown_and_audited(local: Local, command: str) -> None:
    if command == "create":
        made = create(local, *ALL)
    else:
        pair = local.shop.add_key()
        words = ("--consumer-key", pair[0], "--consumer-secret", pair[1])
        made = operate_json(local, "keys", "import", "--store", local.store.id, *words, *ALL)
    assert (made["networks"], made["may_refund"]) == (NETWORKS, False)
    assert made["expires"] == time_of(local.clock() + 90 * DAY)
    found = listed(local, made)
    assert {name: found[name] for name in ("expires", "networks", "may_refund")} == {
        name: made[name] for name in ("expires", "networks", "may_refund")
    }
    assert line(local, made)[4:8] == [
        *(f"active until {made['expires']}", "last used never", f"from {','.join(NETWORKS)}", "no refunds")
    ]
    [detail] = trail(local, f"keys.{command}")[:1]
    assert detail["expires"] == local.clock() + 90 * DAY
    assert (detail["networks"], detail["may_refund"]) == (NETWORKS, False)


def test_it_can_be_changed_one_by_one_and_taken_back(local: Local) -> None:
    made = create(local, *ALL)
    steps: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (("--networks", "203.0.113.0/24"), {"networks": ["203.0.113.0/24"]}),
        (("--refunds",), {"may_refund": True}),
        (("--expires", "2030-01-31"), {"expires": "2030-01-31T00:00:00+00:00"}),
        (("--expires", "2030-01-31T12:00+02:00"), {"expires": "2030-01-31T10:00:00+00:00"}),
        (("--networks", "any"), {"networks": []}),
        (("--expires", "never", "--no-refunds"), {"expires": None, "may_refund": False}),
    ]
    expected = listed(local, made)
    for arguments, changed in steps:
        told = operate_json(local, "keys", "update", made["id"][:40], *arguments)
        expected |= changed
        assert told == listed(local, made) == expected
    details = trail(local, "keys.update")
    assert len(details) == len(steps)
    assert (details[-1]["networks"], details[-1]["before"]["networks"]) == (["203.0.113.0/24"], NETWORKS)
    assert (details[0]["may_refund"], details[0]["before"]["may_refund"]) == (False, True)


def test_a_change_counts_from_the_next_request_on(local: Local) -> None:
    key = local.pair.key.id
    for arguments, status in (
        (("--networks", "203.0.113.0/24"), 401),
        (("--networks", "127.0.0.0/8"), 500),
        (("--expires", "1m"), 500),
    ):
        operate(local, "keys", "update", key, *arguments)
        assert local.show("pi_1").status_code == status
    local.clock.advance(60)
    assert local.show("pi_1").status_code == 401
    operate(local, "keys", "update", local.pair.key.truncated, "--expires", "never")
    assert local.show("pi_1").status_code == 500


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--expires", "2001-01-31"), 1, "cannot expire in the past"),
        (("--expires", "0d"), 1, "cannot expire in the past"),
        (("--expires", "soon"), 1, "soon is not a time such as"),
        (("--expires", "0001-01-01T00:00+23:59"), 1, "is not a time such as"),
        (("--networks", "10.0.0.5/8"), 1, "has host bits set; give addresses or networks"),
        (("--networks", "10.0.0.0/99"), 1, "give addresses or networks such as 10.0.0.0/8"),
        (("--networks", "shop.example"), 1, "give addresses or networks such as 10.0.0.0/8"),
        (("--networks", ""), 2, "or `any`"),
        (("--networks", " , "), 2, "or `any`"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    local: Local, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = operate_json(local, "keys", "list")
    assert said in operate(local, "keys", "update", local.pair.key.id, *arguments, code=code).stderr
    assert said in operate(local, "keys", "create", "--store", local.store.id, *arguments, code=code).stderr
    assert operate_json(local, "keys", "list") == before


def test_an_update_needs_something_to_change_and_a_key_that_is_not_revoked(local: Local) -> None:
    key = local.pair.key.id
    assert "Specify what to change" in operate(local, "keys", "update", key, code=2).stderr
    operate(local, "keys", "revoke", key)
    assert "is revoked for good" in operate(local, "keys", "update", key, "--expires", "never", code=1).stderr


def test_doctor_names_keys_that_end_soon_or_have_ended(local: Local) -> None:
    made = create(local, "--expires", "20d")
    assert examined(local) == []
    local.clock.advance(6 * DAY + 1)
    [told] = examined(local)
    assert f"The key ...{made['truncated']} ends in 14.0 days." in told
    assert f"keys update {made['id']} --expires WHEN" in told
    local.clock.advance(16 * DAY)
    [told] = examined(local)
    assert f"The key ...{made['truncated']} expired 2.0 days ago." in told
    assert line(local, made)[4] == "expired"
    operate(local, "keys", "revoke", made["id"])
    assert examined(local) == []


def test_doctor_does_not_name_a_key_that_another_one_has_replaced(local: Local) -> None:
    made = create(local, "--expires", "90d")
    fresh = operate_json(local, "keys", "rotate", made["id"])
    local.clock.advance(2 * DAY)
    assert line(local, made)[4] == "expired"
    assert examined(local) == []
    local.clock.advance(80 * DAY)
    [told] = examined(local)
    assert f"...{fresh['truncated']} ends in 8.0 days" in told


def test_doctor_names_a_replaced_key_again_that_somebody_has_given_an_end(local: Local) -> None:
    made = create(local, "--expires", "90d")
    operate(local, "keys", "rotate", made["id"])
    operate(local, "keys", "update", made["id"], "--no-refunds")
    assert listed(local, made)["replaced"] is True
    operate(local, "keys", "update", made["id"], "--expires", "10d")
    [told] = examined(local)
    assert f"The key ...{made['truncated']} ends in 10.0 days." in told


def test_keys_of_a_removed_store_are_nobodys_matter(local: Local) -> None:
    create(local, "--expires", "1d")
    assert len(examined(local)) == 1
    operate(local, "stores", "remove", local.store.id, "--yes", "--force")
    assert examined(local) == []


def test_of_many_keys_that_end_some_are_named(local: Local) -> None:
    for _ in range(21):
        create(local, "--expires", "1d")
    told = operate(local, "doctor", code=1).output
    assert told.count("ends in 1.0 days") == 20
    assert "More keys have expired, or soon will: wcpay-bridge keys list" in told

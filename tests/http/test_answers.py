"""The means by which answers that are sent as they are get held against their schemas."""

import pytest

from bridge.http import smorest
from bridge.schemas.woopayments_orders import Concluded
from tests.plugins import answers
from tests.plugins.local import Local

RIGHT = {"status": "succeeded", "id": "pi_1"}


@pytest.mark.parametrize(
    "wrong",
    [{"id": "pi_1", "status": "succeeded"}, RIGHT | {"id": 1}, RIGHT | {"more": "pi_1"}],
    ids=["another order", "another kind", "more"],
)
def test_an_answer_that_its_schema_would_change_is_found(wrong: dict[str, object]) -> None:
    assert answers.difference(Concluded(), RIGHT) == ""
    assert "Concluded" in answers.difference(Concluded(), wrong)


def test_every_answer_goes_there(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    monkeypatch.setattr(smorest, "in_shape", lambda schema, value: held.append(type(schema).__name__) or value)
    made = local.create().get_json()["id"]
    local.show(made)
    assert held == ["CreatedIntent", "ShownIntent"]

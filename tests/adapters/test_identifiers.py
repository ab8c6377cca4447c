"""What a caller hears about a bad customer or payment method."""

import pytest

from bridge.adapters import InvalidParameter, stripe_identifier

CUSTOMER = "(customer must start with cus_)"
METHOD = "(payment_method must start with pm_ or src_ or card_)"


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("customer", "cus_NffrFeUfNV2Hib"),
        ("customer", "cus_" + "a" * 250),
        ("payment_method", "pm_card_visa"),
        ("payment_method", "src_1"),
        ("payment_method", "card_1AbC_2"),
    ],
)
def test_an_identifier_is_taken_as_it_is(param, value):
    assert stripe_identifier(param, value) == value


@pytest.mark.parametrize(
    ("param", "value", "sentence"),
    [
        ("customer", None, "Missing parameter: customer."),
        ("payment_method", None, "Missing parameter: payment_method."),
        ("customer", "", "Empty parameter is not allowed (customer)."),
        ("payment_method", "", "Empty parameter is not allowed (payment_method)."),
        ("customer", "abc", f"abc is not a valid Stripe identifier {CUSTOMER}."),
        ("customer", "pm_1", f"pm_1 is not a valid Stripe identifier {CUSTOMER}."),
        ("customer", "cus_", f"cus_ is not a valid Stripe identifier {CUSTOMER}."),
        ("customer", "cus_1\n", f"cus_1? is not a valid Stripe identifier {CUSTOMER}."),
        ("customer", " cus_1", f" cus_1 is not a valid Stripe identifier {CUSTOMER}."),
        ("customer", "cus_é", f"cus_é is not a valid Stripe identifier {CUSTOMER}."),
        ("customer", "cus_" + "a" * 251, f"cus_{'a' * 56}... is not a valid Stripe identifier {CUSTOMER}."),
        ("payment_method", "tok_visa", f"tok_visa is not a valid Stripe identifier {METHOD}."),
        ("payment_method", "pm_a-b", f"pm_a-b is not a valid Stripe identifier {METHOD}."),
        ("payment_method", "\x1b[2J\u202e\0", f"?[2J?? is not a valid Stripe identifier {METHOD}."),
        ("customer", 7, "Invalid parameter: customer is a number, not a text that starts with cus_."),
        ("customer", 1.5, "Invalid parameter: customer is a number, not a text that starts with cus_."),
        ("customer", True, "Invalid parameter: customer is true or false, not a text that starts with cus_."),
        ("customer", ["cus_1"], "Invalid parameter: customer is a list, not a text that starts with cus_."),
        ("customer", {"id": "cus_1"}, "Invalid parameter: customer is an object, not a text that starts with cus_."),
    ],
)
def test_what_is_none_is_named_with_woopayments_own_sentence_and_help(param, value, sentence):
    with pytest.raises(InvalidParameter) as caught:
        stripe_identifier(param, value)
    assert str(caught.value) == sentence
    assert caught.value.details == {"param": param}

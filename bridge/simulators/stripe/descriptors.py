"""What a payer reads on the bank statement: the account's prefix, an asterisk, a space, and a payment's own suffix.

Source: https://docs.stripe.com/get-started/account/statement-descriptors (requirements, and "Dynamic suffix").
"""

import re
from collections.abc import Mapping

from .errors import Json, invalid
from .state import State

MOST = 22
"""Characters of the whole."""
BETWEEN = "* "
_FORBIDDEN = re.compile(r"""[<>\\'"*]""")


def check_suffix(state: State, account: str, params: Mapping[str, object]) -> None:
    """ApiError 400 unless cards take the suffix that the parameters of a payment on `account` name, if they do."""
    if params.get("statement_descriptor"):
        message = "`statement_descriptor` is not supported for cards: use `statement_descriptor_suffix`."
        raise invalid(message, "statement_descriptor")
    suffix = params.get("statement_descriptor_suffix")
    if not isinstance(suffix, str) or not suffix:
        return
    for right, problem in (
        (suffix.isascii() and suffix.isprintable(), "The statement descriptor can only contain Latin characters."),
        (not _FORBIDDEN.search(suffix), "The statement descriptor cannot contain any of < > \\ ' \" *."),
        (re.search("[A-Za-z]", suffix), "The statement descriptor must contain at least one letter."),
        (
            len(calculated(state, account, suffix)) <= MOST,
            f"The statement descriptor, with its prefix, is limited to {MOST} characters.",
        ),
    ):
        if not right:
            raise invalid(problem, "statement_descriptor_suffix")


def calculated(state: State, account: str, suffix: str | None) -> str:
    """The whole descriptor of a card charge of `account`."""
    settings: Json = state.find(account, "account", account)["settings"]
    if not suffix:
        return str(settings["payments"]["statement_descriptor"])
    return f"{settings['card_payments']['statement_descriptor_prefix']}{BETWEEN}{suffix}"


def payee(account: str, params: Mapping[str, object]) -> str:
    """Whose name the payer reads: the account's on whose behalf it is, else the one that is charged on."""
    return str(params.get("on_behalf_of") or account)

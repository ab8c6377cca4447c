"""Changes of one line of the money code, each of which takes a rule away, and the tests that must fail then.

`make mutants` applies them one at a time; `tests/repository/test_mutations.py` checks that each of them still applies.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`old` occurs exactly once in `file` and becomes `new`. Each of `tests`, pytest ids, must fail then.

    The tests are in the file that is named after the use case, so that this file alone guards the rule.
    """

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied_to(self, source: str) -> str:
        """ValueError unless the old text is there once."""
        if (count := source.count(self.old)) != 1:
            raise ValueError(f"does not apply: its old text is there {count} times")
        return source.replace(self.old, self.new)


def _mutation(rule: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    """The first of `tests` names its file, the others are in the same one."""
    where = tests[0].partition("::")[0]
    return Mutation(rule, f"bridge/{file}", old, new, tuple(t if "::" in t else f"{where}::{t}" for t in tests))


CREATE, ATTEMPTS = "tests/payments/test_create.py", "tests/payments/test_attempts.py"
RECORD, REFUNDS = "tests/payments/test_record.py", "tests/payments/test_refunds.py"
WAITING, HELD = "tests/orders_change/test_waiting.py", "tests/orders_change/test_held_and_paid.py"
TAKEOVER, BESIDE = "tests/payments/test_takeover.py", "tests/payments/test_payments_of_others.py"
SHOPS = "tests/payments/test_shops.py"
CAPTURES, OUTBOX = "tests/payments/test_captures.py", "tests/payments/test_delivery.py"
SWEEP, SWEPT = "tests/payments/test_sweep.py", "tests/orders_change/test_sweep.py"
OBSTACLES, ACCESS = "tests/orders_change/test_obstacles.py", "tests/payments/test_daily_checks.py"
KEYS, STORE_KEYS = "tests/payments/test_keys.py", "tests/cli/test_store_keys.py"
RESTRICTIONS = "tests/http/test_key_restrictions.py"

MUTATIONS: tuple[Mutation, ...] = (
    _mutation(
        "an unknown create is sent again only inside the provider's window",
        "payments/outcomes.py",
        "elif now < attempt.sent_at + adapter.replay_window and (",
        "elif (",
        f"{ATTEMPTS}::test_an_unknown_create_is_not_sent_again_once_the_provider_may_have_forgotten_its_key",
    ),
    _mutation(
        "a create is sent again under its first key",
        "payments/attempts.py",
        "partial(adapter.create, attempt.request, attempt.key)",
        "partial(adapter.create, attempt.request, f'{attempt.key}:{store.clock()}')",
        f"{ATTEMPTS}::test_an_unknown_create_is_sent_again_inside_the_providers_window",
    ),
    _mutation(
        "a refusal of what was sent before proves nothing about the first time",
        "payments/attempts.py",
        "if known is None and again:",
        "if known is None and again is None:",
        f"{ATTEMPTS}::test_a_refusal_of_what_was_sent_before_proves_nothing_about_the_first_time",
    ),
    _mutation(
        "an answer that was lost is not proof that nothing happened",
        "payments/attempts.py",
        "(isinstance(error, ProviderUnreachable) and not error.sent)",
        "isinstance(error, ProviderUnreachable)",
        f"{ATTEMPTS}::test_a_create_without_a_usable_answer_is_unknown_and_can_be_looked_up",
    ),
    _mutation(
        "not found counts only when the request can no longer arrive",
        "payments/outcomes.py",
        "if services.clock() > known.last_sent_at + services.provider_timeout + ON_ITS_WAY:",
        "if services.clock() > known.last_sent_at + services.provider_timeout:",
        f"{ATTEMPTS}::test_not_found_frees_the_order_only_when_the_request_can_no_longer_arrive",
    ),
    _mutation(
        "a request that was sent again can arrive as late after that",
        "payments/outcomes.py",
        "if services.clock() > known.last_sent_at + services.provider_timeout + ON_ITS_WAY:",
        "if services.clock() > known.sent_at + services.provider_timeout + ON_ITS_WAY:",
        f"{ATTEMPTS}::test_a_request_that_was_sent_again_may_still_arrive_and_holds_the_order",
    ),
    _mutation(
        "a declined payment is voided before its order is free",
        "payments/attempts.py",
        "if outcome.decline and intent.status is Status.REQUIRES_PAYMENT_METHOD and voids:",
        "if outcome.decline and intent.status is Status.SUCCEEDED and voids:",
        f"{ATTEMPTS}::test_a_declined_payment_is_voided_at_the_provider_before_its_order_is_free",
    ),
    _mutation(
        "a repeat must match the customer",
        "payments/create.py",
        "self.payment.customer,",
        "intent.customer,",
        f"{CREATE}::test_a_paid_order_is_charged_nothing_for_who_asks_for_something_else",
        "test_who_asks_for_something_else_never_gets_the_open_payment_of_the_first",
        "test_who_asks_for_something_else_does_not_send_an_unknown_create_again",
    ),
    _mutation(
        "a repeat must match the payment method",
        "payments/create.py",
        "self.payment.payment_method,",
        "intent.requested_payment_method,",
        f"{CREATE}::test_a_paid_order_is_charged_nothing_for_who_asks_for_something_else",
    ),
    _mutation(
        "a repeat must match the amount",
        "payments/create.py",
        "self.payment.amount,",
        "intent.amount,",
        f"{CREATE}::test_a_paid_order_is_charged_nothing_for_who_asks_for_something_else",
    ),
    _mutation(
        "a repeat must match the currency",
        "payments/create.py",
        "self.payment.currency,",
        "intent.currency,",
        f"{CREATE}::test_a_paid_order_is_charged_nothing_for_who_asks_for_something_else",
    ),
    _mutation(
        "an order that comes back with another key is another order: create",
        "payments/create.py",
        "if one.holding and one.order_key == order.key]",
        "if one.holding]",
        f"{CREATE}::test_an_order_that_comes_back_with_another_key_never_gets_the_payment_of_the_other",
    ),
    _mutation(
        "an order that comes back with another key is another order: capture and void",
        "payments/captures.py",
        "if (intent.order_id, intent.order_key) != (order.id, order.key):",
        "if intent.order_id != order.id:",
        f"{CAPTURES}::test_the_payment_of_an_order_that_came_back_with_another_key_is_left_alone",
    ),
    _mutation(
        "an order that comes back with another key is another order: delivery",
        "stores/woocommerce/delivery_steps.py",
        "return order.key == self.update.order_key",
        "return order.key != ''",
        f"{OUTBOX}::test_what_an_order_is_owed_never_reaches_another_one_that_has_its_number",
    ),
    _mutation(
        "a partial refund does not free the order",
        "payments/create.py",
        "refunds.left(connection, paid.store_id, paid.charge.id) == 0",
        "refunds.left(connection, paid.store_id, paid.charge.id) < paid.charge.amount_captured",
        f"{CREATE}::test_a_paid_order_is_free_only_when_all_of_it_was_sent_back_and_the_shop_asks_again",
    ),
    _mutation(
        "a total that cannot be charged exactly is refused",
        "payments/orders.py",
        "rounding=rounds_amounts(store)",
        "rounding=True",
        f"{CREATE}::test_a_total_that_cannot_be_charged_exactly_is_refused_unless_the_store_rounds",
    ),
    _mutation(
        "the currency of an answer must be the intent's",
        "payments/record.py",
        "if (outcome.amount, outcome.currency.upper()) != (intent.amount, intent.currency):",
        "if outcome.amount != intent.amount:",
        f"{RECORD}::test_an_answer_about_another_sum_or_currency_fulfils_nothing",
    ),
    _mutation(
        "the amount of an answer must be the intent's",
        "payments/record.py",
        "if (outcome.amount, outcome.currency.upper()) != (intent.amount, intent.currency):",
        "if outcome.currency.upper() != intent.currency:",
        f"{RECORD}::test_an_answer_about_another_sum_or_currency_fulfils_nothing",
    ),
    _mutation(
        "succeeded never becomes canceled",
        "domain/intents.py",
        "Status.SUCCEEDED: frozenset(),",
        "Status.SUCCEEDED: frozenset({Status.CANCELED}),",
        f"{RECORD}::test_a_payment_that_succeeded_never_becomes_one_that_came_to_nothing",
    ),
    _mutation(
        "canceled never becomes succeeded",
        "domain/intents.py",
        "Status.CANCELED: frozenset(),",
        "Status.CANCELED: frozenset({Status.SUCCEEDED}),",
        f"{RECORD}::test_a_payment_that_came_to_nothing_never_becomes_one_that_succeeded",
    ),
    _mutation(
        "the row lock of an answer",
        "payments/record.py",
        "before = intents.get(connection, intent_id, lock=True)",
        "before = intents.get(connection, intent_id)",
        f"{RECORD}::test_news_that_wait_for_each_other_are_told_to_the_shop_once",
    ),
    _mutation(
        "the row lock of refunds",
        "payments/refunds.py",
        "intent = intents.get(connection, intent.id, lock=True)\n        charge = intent.charge",
        "intent = intents.get(connection, intent.id)\n        charge = intent.charge",
        f"{REFUNDS}::test_refunds_that_wait_for_each_other_reserve_no_more_than_was_captured",
    ),
    _mutation(
        "refunds never exceed what was captured",
        "payments/refunds.py",
        "if amount > refunds.left(connection, store.id, charge.id):",
        "if amount > charge.amount_captured:",
        f"{REFUNDS}::test_many_who_ask_at_once_get_no_more_than_was_captured",
    ),
    _mutation(
        "the sum of a refund whose outcome is unknown stays reserved",
        "storage/refunds.py",
        '_counting = refunds.c.status.in_(["pending", "succeeded"])',
        '_counting = refunds.c.status.in_(["succeeded"])',
        f"{REFUNDS}::test_a_refund_whose_answer_is_lost_is_unknown_and_its_sum_stays_reserved",
    ),
    _mutation(
        "an unknown refund is sent again only inside the provider's window",
        "payments/refunds.py",
        "if resend and now < attempt.sent_at + store.adapter.replay_window:",
        "if resend:",
        f"{REFUNDS}::test_an_unknown_refund_is_sent_again_under_its_key_only_while_the_provider_knows_that",
    ),
    _mutation(
        "what was sent back counts at once",
        "payments/refunds.py",
        "replace(intent.charge, amount_refunded=sent_back)",
        "replace(intent.charge, amount_refunded=intent.charge.amount_refunded)",
        f"{REFUNDS}::test_what_was_sent_back_shows_at_once",
    ),
    _mutation(
        "the row lock of captures",
        "payments/captures.py",
        "intent = intents.get(connection, intent.id, lock=True)\n        if intent.status is Status.SUCCEEDED:",
        "intent = intents.get(connection, intent.id)\n        if intent.status is Status.SUCCEEDED:",
        f"{CAPTURES}::test_of_many_that_wait_for_each_other_one_reaches_the_provider[capture_authorization]",
    ),
    _mutation(
        "the row lock of voids",
        "payments/captures.py",
        "intent = intents.get(connection, intent.id, lock=True)\n        if intent.status is Status.CANCELED and",
        "intent = intents.get(connection, intent.id)\n        if intent.status is Status.CANCELED and",
        f"{CAPTURES}::test_of_many_that_wait_for_each_other_one_reaches_the_provider[cancel_authorization]",
    ),
    _mutation(
        "captures never exceed what was authorised",
        "payments/captures.py",
        "left = intent.amount - _taken(intent)",
        "left = intent.amount",
        f"{CAPTURES}::test_what_is_captured_in_parts_never_exceeds_what_was_authorised",
    ),
    _mutation(
        "nothing is captured for an order in another currency",
        "payments/captures.py",
        "if order.currency != intent.currency:",
        "if not order.currency:",
        f"{CAPTURES}::test_an_order_that_changed_its_currency_is_not_captured",
    ),
    _mutation(
        "nothing is captured or voided of which something was sent back",
        "payments/captures.py",
        "if any(known.holding for known, _ in sent_back) or of_shop > earlier or",
        "if",
        f"{CAPTURES}::test_nothing_of_a_refunded_order_is_captured_or_voided",
    ),
    _mutation(
        "a failed order does not void its authorisation",
        "payments/follow_order.py",
        'found.reason == "order_cancelled":',
        'found.reason in ("order_cancelled", "order_failed"):',
        "tests/payments/test_store_events.py"
        "::test_only_a_cancelled_order_voids_its_authorisation_and_only_a_completed_one_captures_it",
    ),
    _mutation(
        "staff's refunds move money only where the store says so",
        "inbound/order_changes.py",
        'if store.config.options["store_refunds"] != "execute":',
        'if store.config.options["store_refunds"] == "never":',
        "tests/payments/test_store_events.py::test_a_refund_that_staff_make_is_reported_and_moves_no_money",
    ),
    _mutation(
        "a message must be of the store's account and mode",
        "inbound/provider_inbox.py",
        "if not adapter.owns(message.event):",
        "if not adapter:",
        "tests/payments/test_events.py::test_a_message_of_the_other_mode_or_of_another_account_asks_for_nothing",
    ),
    _mutation(
        "a message must be of the store's mode",
        "adapters/stripe_connect/adapter.py",
        "return event.account == whose and event.live is self._account.live",
        "return event.account == whose",
        "tests/payments/test_events.py::test_a_message_of_the_other_mode_or_of_another_account_asks_for_nothing",
    ),
    _mutation(
        "a second delivery is not a first",
        "worker/delivery.py",
        "first=message.tries == 1",
        "first=message.tries >= 1",
        f"{OUTBOX}::test_a_note_whose_answer_was_lost_is_not_written_a_second_time",
    ),
    _mutation(
        "a refund that the shop has is found again by the provider's id",
        "stores/woocommerce/refunds.py",
        "if provider_id(row, meta) == _name(delivery)]",
        "if provider_id(row, meta) == delivery.update.operation_id]",
        f"{OUTBOX}::test_a_refund_whose_answer_was_lost_is_not_written_down_a_second_time",
    ),
    _mutation(
        "updates of one order arrive in order",
        "storage/outbox.py",
        "_older.c.position < outbox.c.position",
        "_older.c.position > outbox.c.position",
        f"{OUTBOX}::test_updates_of_one_order_arrive_in_order",
    ),
    _mutation(
        "an order of another total is not fulfilled",
        "domain/judgement.py",
        "if order.currency == terms.currency and is_worth(owed, terms):",
        "if order.currency == terms.currency:",
        f"{OUTBOX}::test_an_order_whose_total_changed_is_flagged_and_not_fulfilled_by_a_later_delivery",
    ),
    _mutation(
        "one at a time asks for an unknown outcome",
        "storage/intents.py",
        'attempts.c.id == bindparam("the_id"), _unsettled, attempts.c.busy_until <= bindparam("now")',
        'attempts.c.id == bindparam("the_id"), _unsettled',
        "tests/payments/test_worker.py::test_an_unknown_outcome_is_asked_for_by_one_worker_at_a_time",
    ),
    _mutation(
        "a person's word does not go before the provider's: not paid",
        "operations/manual_settlement.py",
        "happened = outcome.status is not Status.CANCELED",
        "happened = outcome.status is None",
        "tests/cli/test_settle.py::test_not_paid_is_refused_while_the_provider_shows_the_payment",
    ),
    _mutation(
        "a person's word does not go before the provider's: another payment",
        "operations/manual_settlement.py",
        "if outcome.attempt_id not in (None, attempt.id, intent.id):",
        "if not outcome.reference:",
        "tests/cli/test_settle.py::test_another_orders_payment_another_attempts_and_an_unknown_reference_are_refused",
    ),
    _mutation(
        "a restored store moves no money",
        "payments/attempts.py",
        "if store.config.awaits_reconcile:",
        "if not store.id:",
        "tests/payments/test_terminal.py::test_no_reader_is_given_an_intent_before_its_store_was_reconciled",
    ),
    _mutation(
        "a payment that a card has paid is not replaced at the reader",
        "payments/terminal.py",
        "if held.status in (Status.SUCCEEDED, Status.REQUIRES_CAPTURE, Status.PROCESSING):",
        "if held.status in (Status.SUCCEEDED, Status.PROCESSING):",
        "tests/payments/test_terminal.py::test_a_terminal_intent_that_a_card_was_held_to_is_not_replaced",
    ),
    _mutation(
        "refunds of an order that was never paid lower what it owes",
        "domain/judgement.py",
        "return total - order.refunded if order.date_paid is None else total",
        "return total",
        f"{WAITING}::test_b3_what_is_left_of_an_unpaid_order_is_charged_and_fulfils_it",
    ),
    _mutation(
        "an order that was paid otherwise is not charged",
        "domain/judgement.py",
        "    if is_paid_otherwise(order, ours):",
        "    if is_paid_otherwise(order, (order.transaction_id, *ours)):",
        f"{WAITING}::test_b2_an_order_that_was_paid_otherwise_and_fell_back_is_not_charged",
    ),
    _mutation(
        "money under another key stands in the way",
        "payments/orders.py",
        "if intent.order_key != key)",
        "if intent.order_key == key)",
        f"{WAITING}::test_a14_money_under_another_key_stands_in_the_way_until_the_order_itself_shows_it",
    ),
    _mutation(
        "a repeat for an order that cannot be paid closes what is open",
        "payments/create.py",
        "if found := misfit(order, agreed):",
        "if (found := misfit(order, agreed)) is agreed:",
        f"{WAITING}::test_a3_a_repeat_for_an_order_that_cannot_be_paid_is_refused",
    ),
    _mutation(
        "a press of the buyer reads the order",
        "payments/checkout_page.py",
        "    if approve:",
        "    if not approve:",
        "tests/orders_change/test_page.py::test_a1_a_press_reads_the_order_and_confirms_nothing_for_one_that_has_changed",
    ),
    _mutation(
        "only what a create itself answered is written without a look",
        "payments/record.py",
        "if first and words is order_updates.CHARGED else",
        "if words is order_updates.CHARGED else",
        f"{HELD}::test_a4_what_the_buyer_confirms_later_looks_before_it_writes",
    ),
    _mutation(
        "authorised money for an order that was paid otherwise is not captured",
        "domain/judgement.py",
        """    if _is_paid_by_others(order, terms, methods):
        return Bar(PAID, f"is paid otherwise ({_payment_shown(order, terms)})")
    return _bar_of_others(terms.others)""",
        "    return _bar_of_others(terms.others)",
        f"{HELD}::test_a12_an_authorised_order_that_was_paid_otherwise_is_neither_captured_nor_voided",
    ),
    _mutation(
        "nothing is refunded while a dispute is open",
        "payments/refunds.py",
        "if not dispute.is_closed and not dispute.is_inquiry:",
        "if dispute.is_closed and not dispute.is_inquiry:",
        f"{HELD}::test_a13_a_refund_while_a_dispute_is_open_is_refused_before_the_call",
    ),
    _mutation(
        "a payment of others is an order's only with its key",
        "domain/judgement.py",
        "if not order_key or order.key != order_key:",
        "if not order_key:",
        f"{TAKEOVER}::test_what_does_not_fit_is_not_captured_and_blocks_nothing[manual-another key]",
    ),
    _mutation(
        "a payment of others is an order's only with its sum",
        "domain/judgement.py",
        "if amount == owed or (",
        "if amount or (",
        f"{TAKEOVER}::test_what_does_not_fit_is_not_captured_and_blocks_nothing[automatic-another sum]",
    ),
    _mutation(
        "a payment of others is a store's only with its site",
        "payments/takeover.py",
        "if not site.is_named(claim.site):",
        "if site is None:",
        f"{TAKEOVER}::test_what_does_not_fit_is_not_captured_and_blocks_nothing[manual-another site]",
    ),
    _mutation(
        "what goes to another account is not the store's",
        "payments/takeover.py",
        "if not outcome.is_for_account:",
        "if outcome is None:",
        f"{TAKEOVER}::test_what_goes_to_another_account_is_not_the_stores",
    ),
    _mutation(
        "nothing is written to the store for a payment that is only known",
        "payments/record.py",
        "if self._intent.only_known:",
        "if self._intent is None:",
        f"{BESIDE}::test_another_gateways_payment_is_known_and_in_the_way",
    ),
    _mutation(
        "a payment that is only known is in the way",
        "domain/judgement.py",
        "    if not others:\n        return None",
        "    if others or not others:\n        return None",
        f"{BESIDE}::test_what_waits_for_its_buyer_here_is_refused_by_the_judge",
    ),
    _mutation(
        "all processes together sweep no more stores than the owner allows",
        "storage/jobs.py",
        "_may_sweep = and_(_has_room, ~_is_told)",
        "_may_sweep = ~_is_told",
        f"{SWEEP}::test_all_processes_together_sweep_no_more_stores_than_the_owner_allows",
        "test_two_processes_that_count_at_the_same_moment_do_not_both_begin",
    ),
    _mutation(
        "the lock of who counts the sweeps",
        "storage/jobs.py",
        "connection.execute(_ONE_AT_A_TIME)",
        "connection.execute(_LOCK, wanted)",
        f"{SWEEP}::test_two_processes_that_count_at_the_same_moment_do_not_both_begin",
    ),
    _mutation(
        "no sweep begins at a store that is being told something",
        "storage/jobs.py",
        "_may_sweep = and_(_has_room, ~_is_told)",
        "_may_sweep = and_(_has_room)",
        f"{SWEEP}::test_no_sweep_begins_at_a_store_that_is_being_told_something",
    ),
    _mutation(
        "the row lock of a delivery that begins beside a sweep",
        "storage/outbox.py",
        ".with_for_update(read=True)",
        "",
        f"{SWEEP}::test_a_sweep_and_a_delivery_that_are_claimed_at_the_same_moment_do_not_both_begin",
    ),
    _mutation(
        "nobody has deleted all orders of a store",
        "worker/sweep.py",
        "if is_empty or len(doubtful) > MAX_DELETED:",
        "if len(doubtful) > MAX_DELETED:",
        f"{SWEPT}::test_a8_all_orders_that_are_missing_at_once_are_the_stores_fault_however_few",
    ),
    _mutation(
        "nobody has deleted many orders at once",
        "worker/sweep.py",
        "if is_empty or len(doubtful) > MAX_DELETED:",
        "if is_empty:",
        f"{SWEPT}::test_a8_many_orders_that_are_missing_at_once_are_the_stores_fault",
    ),
    _mutation(
        "one look is not proof that an order was deleted",
        "worker/sweep.py",
        "elif now - payment.order_missed >= DELETED_AFTER_SECONDS:",
        "elif now >= payment.order_missed:",
        f"{SWEPT}::test_a8_a_message_between_two_looks_makes_the_second_one_no_earlier",
    ),
    _mutation(
        "a message about an order that is not there proves nothing",
        "inbound/order_changes.py",
        "if order is None and intent.status in WAITING:",
        "if order is None and intent.status in ():",
        f"{SWEPT}::test_a8_a_message_about_an_order_that_is_not_there_closes_nothing_by_itself",
    ),
    _mutation(
        "another entry's payment is never the answer to a create",
        "payments/create.py",
        "if entry is store and wanted.same_as(existing) and not declined",
        "if wanted.same_as(existing) and not declined",
        f"{SHOPS}::test_c4_a_lost_answer_through_one_entry_is_in_the_way_of_the_other",
    ),
    _mutation(
        "a lost create of another entry is looked up, and not sent again",
        "payments/create.py",
        "is_wanted = entry is store and found is None",
        "is_wanted = found is None",
        f"{SHOPS}::test_c4_a_lost_answer_through_one_entry_is_in_the_way_of_the_other",
    ),
    _mutation(
        "a payment is looked up whichever entry of the shop has begun it",
        "payments/create.py",
        """known = intents.of_shops_order(connection, store.id, store.config.live, order.id)
            existing""",
        """known = intents.of_order(connection, store.id, order.id)
            existing""",
        f"{SHOPS}::test_c4_a_lost_answer_through_one_entry_is_in_the_way_of_the_other",
    ),
    _mutation(
        "no payment begins at a store that another process holds",
        "storage/intents.py",
        "if store.awaits and moves_money:",
        "if store.removed and moves_money:",
        "tests/http/test_key_memory.py::test_no_money_moves_through_a_store_that_was_held_just_now_elsewhere",
    ),
    _mutation(
        "no money moves before every entry of the shop was reconciled",
        "payments/attempts.py",
        "if store.config.awaits_beside:",
        "if store.config.awaits_beside is None:",
        f"{SHOPS}::test_c4_no_reader_is_given_an_intent_before_the_other_entries_were_reconciled",
    ),
    _mutation(
        "a second entry of a shop and mode has to be meant",
        "payments/shops.py",
        "if others and wish is None:",
        "if others and wish == NEW_SHOP:",
        f"{SHOPS}::test_a_second_entry_of_one_shop_and_mode_has_to_be_meant",
    ),
    _mutation(
        "payments that two entries had begun of one order both hold it once they are joined",
        "storage/shops.py",
        "values(rival=rival)",
        "values(rival=rival, holding=False)",
        f"{SHOPS}::test_two_languages_of_one_shop_are_joined_and_the_payments_of_both_hold_their_orders",
    ),
    _mutation(
        "a store with payments that are not over is not removed",
        "registry/stores.py",
        'require_none(left, store_id, "cannot be removed")',
        'require_none(Obstacles({}), store_id, "cannot be removed")',
        *(
            f"{OBSTACLES}::test_c5_a_store_with_payments_that_are_not_over_is_not_removed[sqlite-{kind}]"
            for kind in ("open", "unknown", "flagged", "untold")
        ),
        "test_c5_a_payment_that_has_begun_stands_in_the_way",
    ),
    _mutation(
        "a store with payments that are not over keeps its adapter, mode and account",
        "registry/stores.py",
        "if change := _another_account(services.vault, before, store, account_settings):",
        "if (change := _another_account(services.vault, before, store, account_settings)) == NOTHING_SAID:",
        *(
            f"{OBSTACLES}::test_c5_nor_does_its_adapter_mode_or_account_change[sqlite-{kind}-{change}]"
            for kind, change in (("open", "adapter"), ("unknown", "mode"), ("flagged", "account"))
        ),
    ),
    _mutation(
        "what is left behind by force is flagged",
        "registry/obstacles.py",
        "for intent_id in found:",
        "for intent_id in []:",
        f"{OBSTACLES}::test_c5_by_force_a_removal_says_what_is_lost_and_every_payment_is_flagged[sqlite-open]",
    ),
    _mutation(
        "no payment begins at a store that was removed",
        "storage/intents.py",
        "if store.removed is not None:",
        "if store.removed is store:",
        f"{OBSTACLES}::test_c5_a_payment_that_has_not_begun_yet_does_not_begin_any_more[sqlite-removed]",
    ),
    _mutation(
        "no payment begins at an account that is not the store's any more",
        "storage/intents.py",
        "if generation is not None and store.generation != generation:",
        "if generation is not None and store.generation is None:",
        f"{OBSTACLES}::test_c5_a_payment_that_has_not_begun_yet_does_not_begin_any_more[sqlite-another account]",
    ),
    _mutation(
        "an imported key may do no more than in the shop",
        "registry/store_keys.py",
        "granted = found.permissions",
        "granted = Permissions.READ_WRITE",
        *(
            f"{STORE_KEYS}::test_c6_an_imported_key_may_do_what_it_may_in_the_shop[{granted}-stripe_connect]"
            for granted in ("read-500-401", "write-401-200")
        ),
    ),
    _mutation(
        "no more than the shop gives is granted to an imported key",
        "registry/store_keys.py",
        "if permissions and granted.both(permissions) is not permissions:",
        "if permissions and granted.both(permissions) is None:",
        f"{STORE_KEYS}::test_c6_more_than_the_shop_gives_is_refused_and_less_is_taken[read]",
    ),
    _mutation(
        "a key that the shop has revoked is refused",
        "domain/stores.py",
        "if self.store_permissions == NOTHING:\n            return None",
        "if self.store_permissions == NOTHING:\n            return self.permissions",
        f"{ACCESS}::test_c6_a_key_that_the_shop_has_revoked_is_refused_within_a_day_and_named_until_it_is_ended",
    ),
    _mutation(
        "a key that the shop has narrowed may do less",
        "domain/stores.py",
        "return self.permissions.both(Permissions(self.store_permissions))",
        "return self.permissions",
        *(
            f"{ACCESS}::test_c6_a_key_that_the_shop_has_narrowed_is_narrowed_and_told_and_given_back[{how}]"
            for how in ("read-500-401", "write-401-200")
        ),
    ),
    _mutation(
        "a revoked key is refused",
        "registry/keys.py",
        "if key.revoked is not None or key.allowed is None:",
        "if key.allowed is None:",
        f"{KEYS}::test_a_revoked_key_stops_at_once",
    ),
    _mutation(
        "a key that has ended is refused",
        "registry/keys.py",
        "now >= key.expires else",
        "False else",
        f"{RESTRICTIONS}::test_guesses_with_an_expired_key_are_limited_as_with_an_unknown_one",
    ),
    _mutation(
        "a key of other networks is refused",
        "registry/keys.py",
        '("" if found.key.admits(address) else "wrong_network")',
        '""',
        f"{RESTRICTIONS}::test_it_is_the_one_that_trusted_proxies_give_and_nobody_else",
    ),
    _mutation(
        "a key without refunds sends no money back",
        "http/wordpress/request_pipeline.py",
        "elif route.sends_back:",
        "elif False:",
        f"{RESTRICTIONS}::test_a_key_that_must_not_refund_cannot_by_any_way",
    ),
    _mutation(
        "keys of a removed store are refused",
        "storage/keys.py",
        ", stores.c.removed.is_(None))",
        ")",
        f"{KEYS}::test_the_keys_of_a_removed_store_stop_at_once",
    ),
    _mutation(
        "a store's key goes into the query over https only",
        "outbound/connections.py",
        "if not isinstance(self, TlsConnection):",
        "if not isinstance(self, Connection):",
        f"{STORE_KEYS}::test_d14_nothing_goes_into_the_query_over_plain_http",
    ),
)

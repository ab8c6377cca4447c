"""docs/demo.md is followed from its first block to its last, beside a demo in a process of its own."""

from pathlib import Path

from tests.docs.demo_reader import READY, DemoReader
from tests.docs.reader import Paste, Start, follow

TABLE = (
    ("make demo", Start(READY)),
    ("export PATH=", Paste()),
    ("curl -u $KEY $PAYMENTS/payment_intents", Paste(['"status":"succeeded"', "the provider answered succeeded"])),
    (
        'eval "$(wcpay-bridge demo env --store forte_payments_widget)"\ncurl -sS',
        Paste(["pay_url", "Done at forte_payments"]),
    ),
    (
        'eval "$(wcpay-bridge demo env --store stripe_connect)"\nwcpay-bridge stores',
        Paste(['"status":"requires_action"']),
    ),
    ('eval "$(wcpay-bridge demo env --store sandbox_manual)"', Paste(['"status":"requires_capture"', '"completed"'])),
    ("wcpay-bridge stores update $STORE --set store_refunds=execute", Paste(['"amount":"3.00"'])),
    (
        'eval "$(wcpay-bridge demo env --store stripe_connect)"\ncurl -u $KEY $PAYMENTS/connection',
        Paste(['{"status":"succeeded"']),
    ),
    ('eval "$(wcpay-bridge demo env --store sandbox)"\ncurl', Paste(['"status":"succeeded"', '"status":"pending"'])),
    ("INTENT=", Paste(["success"])),
    ('eval "$(wcpay-bridge demo env --store stripe_connect)"\ncurl', Paste(["Done at stripe_connect: dispute"])),
    (
        'eval "$(wcpay-bridge demo env --store forte_payments_widget)"\ncurl $FORTE',
        Paste(['"outcome":"unknown"', "The outcome is unknown"]),
    ),
    ("curl $FORTE/__sim/faults -H", Paste(['"ahead"'])),
)


def test_the_page_is_followed(tmp_path: Path) -> None:
    with DemoReader(tmp_path) as reader:
        follow(
            "docs/demo.md",
            reader,
            TABLE,
            {
                TABLE[3][0]: reader.becomes("VIRTUAL", "processing"),
                TABLE[5][0]: reader.is_noted("ORDER_3", "successfully captured"),
                TABLE[6][0]: reader.is_noted("ORDER_3", "A refund of 3.00 USD was successfully processed"),
                TABLE[7][0]: reader.becomes("ORDER_4", "completed"),
                TABLE[10][0]: reader.is_noted("ORDER_6", "Payment has been disputed for 10.23 USD"),
            },
        )

"""The schemas of the request bodies, as https://docs.fortepayments.io gives them.

Two decimals of an amount are asked for in words there; that it is more than zero is this simulator's own rule, and so
are the limits of an endpoint's address.
"""

from .schema_language import Listing, Text, Thing

BLOCKCHAINS = (
    "ethereum",
    "sepolia",
    "polygon",
    "amoy",
    "solana",
    "solana_devnet",
    "base",
    "base_sepolia",
    "avalanche_c",
    "avalanche_fuji",
    "binance_smart_chain",
    "binance_smart_chain_testnet",
    "arbitrum_one",
    "arbitrum_sepolia",
    "apechain",
    "curtis",
    "etherlink",
    "etherlink_testnet",
    "soneium",
    "soneium_minato",
    "aleo",
    "aleo_testnet",
)
EMAIL = Text(longest=255, pattern=r"[^@\s]+@[^@\s]+", wanted="an e-mail address")
UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

CREDENTIALS = Thing(
    {"client_id": Text(shortest=1, longest=100), "client_secret": Text(shortest=1)}, ("client_id", "client_secret")
)
WALLET = Thing({"blockchain": Text(choices=BLOCKCHAINS), "address": Text()}, ("blockchain", "address"))
BUYER = Thing({"id": Text(longest=1000), "email": EMAIL, "wallet": WALLET}, ("id",), either=("email", "wallet"))
ITEM = Thing(
    {
        "id": Text(longest=255),
        "title": Text(longest=255),
        "description": Text(longest=255),
        "amount": Text(
            longest=100,
            pattern=r"(?!0\.00$)(0|[1-9][0-9]*)\.[0-9]{2}",
            wanted='an amount above zero with two decimals, such as "10.70"',
        ),
        "image_url": Text(longest=255),
    },
    ("amount", "image_url", "title", "id"),
)
PAYMENT = Thing(
    {
        "transaction_type": Text(choices=("BUY_VDA",)),
        "buyer": BUYER,
        "currency": Text(choices=("USD", "EUR")),
        "idempotency_key": Text(longest=1000),
        "reference": Text(longest=100),
        "items": Listing(ITEM, 1, 1),
    },
    ("items", "transaction_type", "buyer", "currency", "idempotency_key"),
)
STATUSES = Thing(
    {"payment_intent_ids": Listing(Text(longest=36, pattern=UUID, wanted="a UUID"), 1, 100)}, ("payment_intent_ids",)
)
ENDPOINT = Text(longest=2000, pattern=r"https?://[^\s/?#@]+(/\S*)?", wanted="an http or https address")
NEW_SUBSCRIPTION = Thing({"endpoint": ENDPOINT, "description": Text(longest=1000)}, ("endpoint",))
CHANGED_SUBSCRIPTION = Thing(NEW_SUBSCRIPTION.fields, either=("endpoint", "description"))
CARD_PAYMENT = Thing(
    {"code": Text(), "card_number": Text(longest=30), "email": EMAIL, "password": Text()}, ("code", "card_number")
)

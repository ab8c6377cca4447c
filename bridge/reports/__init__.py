"""What a store can look up beside its intents: lists of its money, and a payment's timeline."""

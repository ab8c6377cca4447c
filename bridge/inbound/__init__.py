"""What comes in by itself: messages of providers, store events, WooPayments' own webhook."""

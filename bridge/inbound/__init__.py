"""What arrives unasked: messages from providers, store events, WooPayments' own webhook."""

"""What an operator asks for and does: doctor, why, metrics, the inbox, settling by hand, registering webhooks."""

"""What an adapter may ask about an exchange that failed. How exchanges are made: `bridge.outbound.transport`."""

from bridge.outbound.transport import never_sent

__all__ = ["never_sent"]

"""A WooCommerce store that runs anywhere: what it accepts and answers comes from recordings of a real one."""

from .deliveries import Delivery
from .simulator import RecordedRequest, WooCommerceSimulator

__all__ = ["Delivery", "RecordedRequest", "WooCommerceSimulator"]

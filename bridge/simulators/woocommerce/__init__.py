"""A WooCommerce store that runs anywhere: what it accepts and answers comes from recordings of a real one."""

from .app import RecordedRequest, WooCommerceSimulator
from .deliveries import Delivery

__all__ = ["Delivery", "RecordedRequest", "WooCommerceSimulator"]

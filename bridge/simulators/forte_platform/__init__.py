"""A stateful stand-in for the Payments API of Forte Platforms, its triggers, and the browser's side of a payment.

`FortePlatformSimulator` is a WSGI application. It knows Forte's public guide "Creating Payments", the types of Forte's
public SDK and nothing of the bridge; what neither says is a constructor argument.
"""

from .app import FortePlatformSimulator
from .deliveries import Attempt
from .errors import STATUSES, injected_error
from .journal import RequestRecord
from .scenarios import SCENARIOS
from .state import AuditEntry, Delivery, Project

__all__ = [
    "SCENARIOS",
    "STATUSES",
    "Attempt",
    "AuditEntry",
    "Delivery",
    "FortePlatformSimulator",
    "Project",
    "RequestRecord",
    "injected_error",
]

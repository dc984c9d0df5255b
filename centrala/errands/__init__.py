"""Errands: what flows have done by others — look somebody up, ask a table or a server, send an e-mail, run a function.

`service.Errands` performs `RunErrand`; each kind has a module, all of one shape (`order.Kind`).
"""

from centrala.errands.order import Failed, Kind, Order, Result
from centrala.errands.outbox import Standing
from centrala.errands.python import entry_points
from centrala.errands.service import Errands

__all__ = ["Errands", "Failed", "Kind", "Order", "Result", "Standing", "entry_points"]

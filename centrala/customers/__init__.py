"""Customers: persons and companies, what they are reached by, how they changed, what was agreed with them.

`service.Customers` is everything that is stored; `values` says what a customer is.
"""

from centrala.customers.numbers import country_of, normal, zone_of
from centrala.customers.service import Customers, open_customers
from centrala.customers.values import (
    Brief,
    Change,
    Customer,
    CustomerError,
    Declared,
    Draft,
    EditRace,
    Erased,
    Note,
    Promise,
    promises_of,
)

__all__ = [
    "Brief",
    "Change",
    "Customer",
    "CustomerError",
    "Customers",
    "Declared",
    "Draft",
    "EditRace",
    "Erased",
    "Note",
    "Promise",
    "country_of",
    "normal",
    "open_customers",
    "promises_of",
    "zone_of",
]

"""What could not be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """An impossible fact: normal in telephony (an answer after the hang-up), and harmless."""

    at: float
    fact: str
    reason: str
    subject: str = ""

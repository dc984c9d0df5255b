"""What a person said, typed or is told: a value that the ledger keeps where it can be erased."""

Value = str | int | float | bool | None
"What a flow reckons with."


class Private:
    """A value that stands in no log row: its row says `ref`, and the value lies in an erasable table under it.

    Shows itself to nobody who doesn't ask for `.value`. Equal when the values are.
    """

    __slots__ = ("ref", "value")

    def __init__(self, value: Value, ref: str = "") -> None:
        self.value = value
        self.ref = ref
        "Given by the ledger when it first writes the value down; no part of what it is."

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Private) and self.value == other.value

    def __hash__(self) -> int:
        return hash((Private, self.value))

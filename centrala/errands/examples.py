"""Functions for flows, as an example of how to write one.

A function of the group `centrala.flow_nodes` takes the texts that the flow gives it and answers with texts, numbers,
true, false or nothing by name: they become variables of the flow. It runs in a process of its own and may take its
time, up to the node's timeout; what it raises is the exit `failed`.
"""


def checksum(arguments: dict[str, str]) -> dict[str, str | int | float | bool | None]:
    """Whether `number` ends in the right check digit (ISO/IEC 7812-1, Luhn), and which digit that would be.

    Gives valid, digits (how many) and expected (None where there is nothing to check).
    """
    digits = [int(one) for one in arguments.get("number", "") if one in "0123456789"]
    if len(digits) < 2:
        return {"valid": False, "digits": len(digits), "expected": None}
    total = 0
    for place, digit in enumerate(reversed(digits[:-1])):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    expected = -total % 10
    return {"valid": digits[-1] == expected, "digits": len(digits), "expected": expected}

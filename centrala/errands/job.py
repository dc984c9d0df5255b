"""The job process: runs the functions of Python nodes. A line of JSON in is an order, a line out is what came of it.

    {"entry_point": "checksum", "arguments": {"number": "79927398713"}}
    {"values": {"valid": true}}    or    {"problem": "RAISED", "sentence": "ValueError in billing.py, line 7"}

Whoever started it ends it when time is up; it ends by itself with them.
"""

import contextlib
import importlib.metadata
import json
import math
import os
import resource
import signal
import traceback
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from centrala.child import end_with

GROUP = "centrala.flow_nodes"
MEMORY = 1 << 30
"Bytes of address space: a function that takes all there is fails alone."
MAX_LINE = 256 * 1024
"Bytes of an answer, and of an order."


@lru_cache(maxsize=256)
def _function(name: str) -> Callable[[dict[str, str]], Any] | None:
    for one in importlib.metadata.entry_points(group=GROUP, name=name):
        loaded: Callable[[dict[str, str]], Any] = one.load()
        return loaded
    return None


def run(order: Any) -> dict[str, Any]:
    """What came of an order. Never raises."""
    try:
        function = _function(order["entry_point"])
        if function is None:
            return {
                "problem": "NO_FUNCTION",
                "sentence": "no installed package has an entry point of this name",
            }
        values = function(dict(order["arguments"]))
    except MemoryError:
        return {"problem": "TOO_BIG", "sentence": f"it needs more than {MEMORY >> 20} MB of memory"}
    except BaseException as problem:  # also sys.exit()
        return {"problem": "RAISED", "sentence": _where(problem)}
    if values is None:
        values = {}
    if not isinstance(values, dict):
        return {"problem": "NONSENSE", "sentence": f"it gave {type(values).__name__}; expected a dict"}
    for name, value in values.items():
        good = value is None or isinstance(value, (str, bool, int)) or _finite(value)
        if not isinstance(name, str) or not good:
            return {
                "problem": "NONSENSE",
                "sentence": f"it gave a {type(value).__name__}; expected texts, numbers, true, false and None",
            }
    return {"values": values}


def _finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _where(problem: BaseException) -> str:
    """Type and place alone: the message may hold what a caller said."""
    frames = traceback.extract_tb(problem.__traceback__)
    ours = Path(__file__).name
    last = next((one for one in reversed(frames) if Path(one.filename).name != ours), None)
    place = f" in {Path(last.filename).name}, line {last.lineno}" if last is not None else ""
    return f"{type(problem).__name__}{place}"


def main() -> None:
    parent = os.getppid()
    # Our pipe stays ours: what a function prints goes nowhere.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    orders = os.fdopen(os.dup(0), "rb")
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)
    if not end_with(parent):
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers.write(b"{}\n")  # up
    while line := orders.readline(MAX_LINE + 1):
        answer = run(json.loads(line))
        try:
            told = json.dumps(answer).encode()
        except (ValueError, RecursionError, MemoryError):
            told = b'{"problem": "NONSENSE", "sentence": "what it gave can\'t be written as JSON"}'
        if len(told) > MAX_LINE:
            told = b'{"problem": "TOO_LONG", "sentence": "it gave too much"}'
        told += b"\n"
        while told:
            told = told[answers.write(told) :]


if __name__ == "__main__":
    main()

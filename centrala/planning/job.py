"""The planning job: a process for what takes long and needs the extra `workforce`. A line of JSON in is an order.

    {"what": "make", "plan": {…}, …}
    {"progress": {"stage": "roster", "share": 0.5}}    any number of these, then one of
    {"done": {…}}    or    {"trouble": {"code": "HISTORY-SHORT", "text": "…", "about": ["sales"]}}

`WORK` names who does what: `module:function`, which takes the line and a function to tell progress with. Whoever
started the process ends it; it ends by itself with them, or with its orders.
"""

import importlib
import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from centrala.child import end_with

WORK = {
    "make": "centrala.planning.making:do",
    "edit": "centrala.planning.editing:do",
    "advice": "centrala.planning.advising:do",
}
INSTALL = "install what is missing with pip install 'centrala[workforce]'"
NICE = 10


class _Head(msgspec.Struct):
    what: str


def _trouble(code: str, text: str, about: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"trouble": {"code": code, "text": text, "about": about}}


def answer(line: bytes, tell: Callable[[str, float], None]) -> dict[str, Any]:
    """What came of an order. Never raises."""
    try:
        what = msgspec.json.decode(line, type=_Head).what
        where, _, name = WORK[what].partition(":")
    except (msgspec.DecodeError, KeyError):
        return _trouble("JOB-ORDER", "This order can't be understood.")
    try:
        work = getattr(importlib.import_module(where), name)
    except Exception as problem:
        ours = str(getattr(problem, "name", None) or "").startswith("centrala")
        if isinstance(problem, ImportError) and not ours:
            said = str(problem) if "pip install" in str(problem) else f"{problem}: {INSTALL}"
            return _trouble("WORKFORCE-MISSING", f"Plans can't be reckoned here: {said}.")
        return _trouble("JOB-FAILED", f"This is a fault of Centrala: {_where(problem)}.")
    try:
        return {"done": work(line, tell)}
    except MemoryError:
        return _trouble("JOB-FAILED", "The machine has too little memory for this plan.")
    except msgspec.DecodeError as problem:
        return _trouble("EDIT-WRONG", f"This can't be understood: {problem}.")
    except Exception as problem:
        told = getattr(problem, "trouble", None)
        if told is not None:
            return {"trouble": told}
        if isinstance(problem, ValueError):
            return _trouble("EDIT-WRONG", str(problem))
        return _trouble("JOB-FAILED", f"This is a fault of Centrala: {_where(problem)}.")


def _where(problem: BaseException) -> str:
    """Type and place alone: the message may hold names."""
    frames = traceback.extract_tb(problem.__traceback__)
    last = frames[-1] if frames else None
    place = f" in {Path(last.filename).name}, line {last.lineno}" if last is not None else ""
    return f"{type(problem).__name__}{place}"


def main() -> None:
    parent = os.getppid()
    # Our pipe stays ours: what a library prints goes to the log.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    orders = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    if not end_with(parent):
        return
    with suppress(OSError):
        os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = Lock()

    def write(told: object) -> None:
        line = msgspec.json.encode(told) + b"\n"
        with lock:
            while line:
                line = line[answers.write(line) :]

    def tell(stage: str, share: float) -> None:
        write({"progress": {"stage": stage, "share": round(share, 3)}})

    for line in iter(orders.readline, b""):
        try:
            write(answer(line, tell))
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()

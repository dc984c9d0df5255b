"""The process that learns: a request on stdin, a line of what came of each queue on stdout. `Learning` starts it.

    {"data": "/var/lib/centrala", "tenant": "acme", "queues": ["sales"], "timezone": "Europe/Warsaw", "now": 1790000000}
    {"queue": "sales", "model": {…} or null, "why": "…", "waits": 5120, "days": 20, "error": 26.8, …}

A request that can't be done ends with a sentence on stderr and the code 1.
"""

import json
import os
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

from centrala.child import end_with
from centrala.learning.fitting import verdict
from centrala.learning.reading import events_of, truths
from centrala.ledger import DataFolderError

DAYS = 42
"That are looked at."
MOST = 30_000
"Estimates of a queue, the latest ones: more teach nothing more."


def main() -> int:
    parent = os.getppid()
    if not end_with(parent):
        return 1
    if hasattr(os, "nice"):
        os.nice(10)
    request = json.load(sys.stdin)
    zone, now = ZoneInfo(request["timezone"]), float(request["now"])
    queues = frozenset(request["queues"])
    try:
        events = events_of(Path(request["data"]), request["tenant"], queues, now - DAYS * 86400.0)
        found = truths(events, MOST)
    except (DataFolderError, sqlite3.Error) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    for queue in sorted(queues):
        said = verdict(found.get(queue, ()), zone, now)
        sys.stdout.write(json.dumps({"queue": queue, **asdict(said)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

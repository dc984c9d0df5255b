"""Run every benchmark module that has `run() -> dict`; print what was asked and measured; keep it as JSON.

A module's dict: {"figures": [{"what": str, "asked": str, "measured": str or number, "ok": bool or None}, …], …}.
`python -m benchmarks core media` runs those two alone. The exit status is 1 when a figure is not as asked.
"""

import json
import pkgutil
import platform
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import benchmarks

OUT = Path(__file__).parent / "out"


def main(names: list[str]) -> int:
    known = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__"]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"there is no benchmark {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    table = Table(title="benchmarks")
    for heading in ("what", "asked", "measured"):
        table.add_column(heading, overflow="fold")
    failed = False
    for name in names or known:
        module = import_module(f"benchmarks.{name}")
        if not hasattr(module, "run"):
            continue
        try:
            found: dict[str, Any] = module.run()
        except Exception as error:  # one broken benchmark must not hide the others
            found = {"figures": [{"what": name, "asked": "runs", "measured": repr(error), "ok": False}]}
        keep(name, found)
        for figure in found.get("figures", []):
            bad = figure.get("ok") is False
            failed = failed or bad
            measured = f"[red]{figure['measured']}[/red]" if bad else str(figure["measured"])
            table.add_row(f"{name}: {figure['what']}", str(figure.get("asked", "")), measured)
    Console(width=110).print(table)
    return 1 if failed else 0


def keep(name: str, found: dict[str, Any]) -> None:
    OUT.mkdir(exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    text = json.dumps({"benchmark": name, "when": when, **machine, **found}, indent=2, default=str)
    (OUT / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

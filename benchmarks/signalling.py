"""What a queued call costs, and how soon a freed agent gets the next one. Load: sipp, as carrier and as phones.

CPU is that of every Centrala process (application and media worker, user and system); sipp's is not in it. The next
INVITE is timed by sipp's own trace: from the agent's BYE to the INVITE that the same agent receives.
"""

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "peer"))

from bench import Centre, Sipp, ports

TICKS = os.sysconf("SC_CLK_TCK")
NUMBER = "+48221234567"


def config(agents: int, phone: int) -> dict[str, Any]:
    """A queue served by fixed phones, all of them one sipp; callers come from the office network."""
    names = [f"a{number}" for number in range(agents)]
    return {
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.5.0/24"}},
                "agents": {
                    name: {"name": name, "phone": f"sip:{name}@127.0.0.1:{phone}", "always_ready": True}
                    for name in names
                },
                "queues": {
                    "sales": {"agents": names, "ring_timeout": "20s", "wrap_up": "0s", "max_wait": "10m"}
                },
                "numbers": {NUMBER: {"queue": "sales"}},
            }
        }
    }


def cpu_of(pids: list[int]) -> float:
    """CPU seconds, user and system, that the processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_of(pids: list[int]) -> float:
    """Proportional set size in MB: pages that processes share count once."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+)", text, re.M)
        total += int(found[1]) if found else 0
    return total / 1024


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def queued_call(rate: float = 60.0, seconds: float = 15.0, talk_ms: int = 2000) -> dict[str, Any]:
    """CPU per call at a steady rate: each is queued, hears music, is offered, bridged, hung up by the agent."""
    calls = int(rate * seconds)
    agents = int(rate * (talk_ms / 1000 + 0.5)) + 20
    phone = ports.free_sip()
    with Centre(config(agents, phone)) as centre:
        pids = [centre.pid, *centre.workers()]
        settings = {"ring_ms": 100, "talk_ms": talk_ms}
        with Sipp("uas_answer_hangup", settings=settings, local_port=phone, calls=calls, timeout=180):
            before = cpu_of(pids)
            began = time.monotonic()
            caller = Sipp(
                "uac_wait_for_bye",
                centre.sip,
                NUMBER,
                local_ip=ports.loopback(),
                calls=calls,
                rate=rate,
                timeout=180,
            )
            with caller:
                caller.wait()
                wall = time.monotonic() - began
                statistics = caller.statistics()
            app = cpu_of(pids[:1])
            spent = cpu_of(pids) - before
        idle_for = time.monotonic()
        records = centre.contacts()
    answered = [one for one in records if one["outcome"] == "answered"]
    return {
        "calls_per_second": rate,
        "calls": calls,
        "answered": len(answered),
        "failed": statistics.get("FailedCall"),
        "cpu_ms_per_call": 1000 * spent / calls,
        "app_cpu_ms_per_call": 1000 * app / calls,
        "share_of_a_core": spent / wall,
        "wait_p99_s": quantile([one["wait_s"] for one in answered], 0.99),
        "contacts_command_s": time.monotonic() - idle_for,
    }


def free_to_invite(agents: int, waiting: int = 200, seconds: float = 20.0) -> dict[str, Any]:
    """From the agent's BYE to their next INVITE, with so many callers waiting all the time."""
    phone = ports.free_sip()
    talk_ms = 2000 if agents <= 20 else 4000
    calls = waiting + agents + int(agents * seconds * 1000 / (talk_ms + 100))
    with Centre(config(agents, phone)) as centre:
        settings = {"ring_ms": 10, "talk_ms": talk_ms}
        with (
            Sipp(
                "uas_answer_hangup", settings=settings, local_port=phone, calls=10**6, timeout=120
            ) as phones,
            Sipp(
                "uac_wait_for_bye",
                centre.sip,
                NUMBER,
                {"patience_ms": 120000},
                local_ip=ports.loopback(),
                calls=calls,
                rate=100,
                limit=waiting + agents,
                timeout=120,
            ),
        ):
            time.sleep(seconds + 3)
            messages = phones.messages()
    freed: dict[str, float] = {}
    gaps: list[float] = []
    for message in messages:
        if message.sent and message.first_line.startswith("BYE"):
            agent = re.search(r"sip:(a\d+)@", message.header("From") or "")
            if agent:
                freed[agent[1]] = message.at
        elif not message.sent and message.first_line.startswith("INVITE"):
            agent = re.search(r"sip:(a\d+)@", message.first_line)
            since = freed.pop(agent[1], None) if agent else None
            if since is not None:
                gaps.append(1000 * (message.at - since))
    return {
        "agents": agents,
        "waiting": waiting,
        "offers": len(gaps),
        "p50_ms": quantile(gaps, 0.5),
        "p90_ms": quantile(gaps, 0.9),
        "p99_ms": quantile(gaps, 0.99),
        "max_ms": max(gaps, default=float("nan")),
    }


def waiting_callers(count: int = 100, seconds: float = 15.0) -> dict[str, Any]:
    """CPU per second of one caller who hears music."""
    with Centre(config(0, 9)) as centre:
        pids = [centre.pid, *centre.workers()]
        time.sleep(1)
        begin = cpu_of(pids)
        time.sleep(5)
        idle = (cpu_of(pids) - begin) / 5
        with Sipp(
            "uac_wait_for_bye", centre.sip, NUMBER, {"patience_ms": 120000},
            local_ip=ports.loopback(), calls=count, rate=50, timeout=120,
        ):  # fmt: skip
            time.sleep(count / 50 + 2)
            begin = cpu_of(pids)
            time.sleep(seconds)
            busy = (cpu_of(pids) - begin) / seconds
    return {"callers": count, "cpu_ms_per_caller_second": 1000 * (busy - idle) / count, "idle_share": idle}


def start_and_idle() -> dict[str, Any]:
    """Seconds from the command to the ready line, and what an idle centre holds."""
    times: list[float] = []
    with Centre(config(20, 9)) as centre:
        times.append(centre.ready_after)
        time.sleep(2)
        memory = memory_of([centre.pid, *centre.workers()])
        for _ in range(2):
            centre.restart()
            times.append(centre.ready_after)
    return {"ready_s": max(times), "idle_mb": memory}


def overload(rate: float = 500.0, seconds: float = 6.0) -> dict[str, Any]:
    """Far above the limit: what is refused gets 503 with Retry-After, what is taken is served."""
    calls = int(rate * seconds)
    phone = ports.free_sip()
    with Centre(config(300, phone)) as centre:
        with (
            Sipp(
                "uas_answer_hangup", settings={"ring_ms": 100, "talk_ms": 1000}, local_port=phone,
                calls=10**6, timeout=120,
            ),
            Sipp(
                "uac_wait_for_bye", centre.sip, NUMBER, {"patience_ms": 60000},
                local_ip=ports.loopback(), calls=calls, rate=rate, timeout=100,
            ) as caller,
        ):  # fmt: skip
            while caller.exit_code is None:
                time.sleep(0.2)
            messages = caller.messages()
        records = centre.contacts()
    refused = [one for one in messages if not one.sent and one.first_line.startswith("SIP/2.0 503")]
    taken = {
        one.header("Call-ID") for one in messages if not one.sent and one.first_line.startswith("SIP/2.0 200")
    }
    return {
        "calls_per_second": rate,
        "calls": calls,
        "refused": len({one.header("Call-ID") for one in refused}),
        "with_retry_after": all(one.header("Retry-After") for one in refused),
        "taken": len(taken),
        "answered": sum(1 for one in records if one["outcome"] == "answered"),
        "records": len(records),
    }


def run() -> dict[str, Any]:
    start, call = start_and_idle(), queued_call()
    few, many = free_to_invite(20), free_to_invite(100)
    waits, flood = waiting_callers(), overload()
    figures = [
        figure("seconds to ready", "≤ 2", start["ready_s"], start["ready_s"] <= 2),
        figure("MB when idle", "≤ 150", start["idle_mb"], start["idle_mb"] <= 150),
        figure(
            "CPU ms per queued call, all processes, 60 calls/s",
            "≤ 8, none failed",
            call["cpu_ms_per_call"],
            call["cpu_ms_per_call"] <= 8 and call["answered"] == call["calls"],
        ),
        figure("agent free → next INVITE, 20 agents, p50 ms", "≤ 5", few["p50_ms"], few["p50_ms"] <= 5),
        figure("the same, p99 ms", "≤ 20", few["p99_ms"], few["p99_ms"] <= 20),
        figure("agent free → next INVITE, 100 agents, p50 ms", "≤ 5", many["p50_ms"], many["p50_ms"] <= 5),
        figure("the same, p99 ms", "≤ 20", many["p99_ms"], many["p99_ms"] <= 20),
        figure(
            "CPU ms per second of a waiting caller",
            "≤ 1",
            waits["cpu_ms_per_caller_second"],
            waits["cpu_ms_per_caller_second"] <= 1,
        ),
        figure(
            f"{flood['calls_per_second']:.0f} calls/s: taken and answered",
            "all that were not refused by 503",
            flood["answered"],
            flood["answered"] == flood["taken"]
            and flood["taken"] + flood["refused"] == flood["calls"]
            and flood["with_retry_after"],
        ),
    ]
    return {
        "figures": figures,
        "start_and_idle": start,
        "queued_call": call,
        "free_to_invite": [few, many],
        "waiting_callers": waits,
        "overload": flood,
    }


def figure(what: str, asked: str, value: float, ok: bool) -> dict[str, Any]:
    return {"what": what, "asked": asked, "measured": f"{value:.4g}", "ok": ok}

"""Flows that every house has, unless it has its own of that name: `callback` and `voicemail`.

A queue's `keys: {"1": {flow: callback}}` alone is enough. What they say is built in, in every language (`builtin:…`).
Whoever gets there by a key and doesn't want it goes on waiting where they stood.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from centrala.core.flow.graph import FORMAT

TIMES = 3
"Times that are offered at once."


def _sound(name: str) -> dict[str, str]:
    return {"sound": f"builtin:{name}"}


def _say(to: str, *parts: Any) -> dict[str, Any]:
    return {"type": "say", "prompt": list(parts), "exits": {"next": to}}


def _menu(exits: Mapping[str, str], *parts: Any) -> dict[str, Any]:
    """Who says nothing, or wants something else, goes back to where they came from."""
    return {
        "type": "menu",
        "prompt": list(parts),
        "invalid_prompt": [_sound("invalid_choice")],
        "retries": 1,
        "exits": {"*": "back", "timeout": "back", "invalid": "back", **exits},
    }


def _callback() -> dict[str, Any]:
    nodes: dict[str, Any] = {
        "own": {"type": "number", "exits": {"found": "offer", "unknown": "withheld", "failed": "withheld"}},
        "offer": _menu(
            {"1": "look", "2": "enter"},
            _sound("callback_offer"),
            {"digits": "{number.last}"},
            _sound("callback_keys"),
        ),
        "withheld": _say("enter", _sound("callback_withheld")),
        "enter": {
            "type": "collect",
            "prompt": [_sound("callback_enter")],
            "variable": "typed",
            "least": 3,
            "most": 20,
            "timeout": 10,
            "digit_timeout": 5,
            "retries": 1,
            "exits": {"next": "check", "timeout": "back", "invalid": "back"},
        },
        "check": {
            "type": "number",
            "number": "{typed}",
            "exits": {"found": "said", "unknown": "wrong", "failed": "wrong"},
        },
        "wrong": _say("enter", _sound("callback_wrong")),
        "said": _menu(
            {"1": "look", "2": "enter"},
            _sound("callback_said"),
            {"digits": "{number.spoken}"},
            _sound("callback_confirm"),
        ),
        "look": {"type": "slots", "count": TIMES, "exits": {"found": "spoken", "none": "book"}},
        "spoken": {
            "type": "branch",
            "cases": [{"if": "slot.1.local", "exit": "yes"}],
            "exits": {"yes": "when", "else": "book"},
        },
        "when": _menu({"1": "book", "2": "count", "timeout": "book"}, _sound("callback_when")),
        "count": {
            "type": "branch",
            "cases": [
                {"if": f"slot.count = {count}", "exit": str(count)}
                if count > 1
                else {"if": "slot.count < 2", "exit": "1"}
                for count in range(1, TIMES)
            ],
            "exits": {
                **{str(count): f"times-{count}" for count in range(1, TIMES)},
                "else": f"times-{TIMES}",
            },
        },
        "book": {
            "type": "callback",
            "number": "{number.number}",
            "exits": {"booked": "booked", "no_number": "wrong", "failed": "failed"},
        },
        "booked": _say("end", _sound("callback_booked"), _sound("goodbye")),
        "failed": _say("back", _sound("callback_failed")),
        "back": {"type": "return"},
        "end": {"type": "hang_up"},
    }
    for count in range(1, TIMES + 1):
        parts: list[Any] = []
        for place in range(1, count + 1):
            parts += [_sound(f"callback_press_{place}"), *_moment(place)]
        nodes[f"times-{count}"] = _menu(
            {str(place): f"book-{place}" for place in range(1, count + 1)}, *parts
        )
        nodes[f"book-{count}"] = {
            "type": "callback",
            "number": "{number.number}",
            "slot": f"slot.{count}",
            "exits": {"booked": f"at-{count}", "no_number": "wrong", "full": "look", "failed": "failed"},
        }
        nodes[f"at-{count}"] = _say("end", _sound("callback_booked_at"), *_moment(count), _sound("goodbye"))
    return {"start": "own", "nodes": nodes}


def _moment(place: int) -> list[dict[str, str]]:
    return [{"date": f"{{slot.{place}.local}}"}, {"time": f"{{slot.{place}.local}}"}]


def _voicemail() -> dict[str, Any]:
    return {
        "start": "message",
        "nodes": {
            "message": {
                "type": "voicemail",
                "prompt": [_sound("leave_message"), _sound("beep")],
                "exits": {"next": "saved", "empty": "nothing"},
            },
            "saved": _say("end", _sound("message_saved"), _sound("goodbye")),
            "nothing": _say("back", _sound("message_empty")),
            "back": {"type": "return"},
            "end": {"type": "hang_up"},
        },
    }


@cache
def house_flows() -> dict[str, str]:
    """Id → graph, written as `settings.flows.canonical` does."""
    made = {"callback": _callback(), "voicemail": _voicemail()}
    return {
        id: json.dumps({"format": FORMAT, **graph}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for id, graph in made.items()
    }

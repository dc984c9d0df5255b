"""The dictionary of figures: each defined once, by the same sums, for live boards and for reports.

    METRICS["service_level"].words        what it means
    value("service_level", counts)        what it is for these sums; None where there is nothing to go by

`Counts` are sums that may be added (queues to a client, intervals to a day); a figure is worked out from sums last,
never averaged from other figures. A changed formula gets a new version, so that nobody compares two meanings.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Literal

Unit = Literal["contacts", "share", "seconds", "agents"]
Of = Literal["queue", "agent"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure."""

    id: str
    unit: Unit
    words: str
    "One sentence, as a board's ⓘ shows it."
    formula: str
    "By the names of `Counts` and `AgentTime`."
    source: str
    "Who counts so."
    of: tuple[Of, ...] = ("queue",)
    version: int = 1


@dataclass(slots=True)
class Counts:
    """Sums of a queue over some time. A contact counts in the queue where it was served or lost."""

    offered: int = 0
    "Contacts that came in; one that moves on to another queue counts in each."
    served: int = 0
    in_time: int = 0
    "Served within the queue's threshold."
    abandoned: int = 0
    "Left by the customer while waiting, short ones too."
    early: int = 0
    "Abandoned within the threshold."
    short: int = 0
    "Abandoned within the queue's `short_abandon`."
    answer_s: float = 0.0
    "Waits of the served."
    longest_s: float = 0.0
    "The longest wait that was served or abandoned. Not added up, but the greater one taken."
    handled: int = 0
    "Stretches of conversation that ended."
    talk_s: float = 0.0
    "Of those, without hold."
    hold_s: float = 0.0
    wrap_up_s: float = 0.0
    "Of after-call work that ended."
    estimated: int = 0
    "Waits that were expected to last, and did last until a phone rang."
    estimate_s: float = 0.0
    "Of those: expected less real, in seconds …"
    estimate_sq: float = 0.0
    "… and its square."
    promised: int = 0
    "Callbacks that were promised: asked for, or owed to somebody who hung up."
    reached: int = 0
    "Callbacks whose customer was spoken to."
    unreached: int = 0
    "Given up after the last attempt."
    expired: int = 0
    "Given up since nobody had time."
    replaced: int = 0
    "Not needed any more: their customer rang again, or got through."
    callback_s: float = 0.0
    "Waits of the reached: since they began to wait, or since the time that they booked."
    messages: int = 0
    "Messages that were left."
    heard: int = 0
    "Messages that an agent has taken up …"
    heard_in_time: int = 0
    "… within the queue's threshold …"
    message_s: float = 0.0
    "… after so many seconds altogether."

    @property
    def service_level(self) -> float | None:
        """See METRICS["service_level"]."""
        return value("service_level", self)

    def add(self, other: "Counts") -> None:
        for one in _ADDED:
            setattr(self, one, getattr(self, one) + getattr(other, one))
        self.longest_s = max(self.longest_s, other.longest_s)


_ADDED = tuple(one.name for one in fields(Counts) if one.name != "longest_s")


@dataclass(slots=True)
class AgentTime:
    """Sums of an agent over some time, in seconds and contacts."""

    seconds: dict[str, float] = field(default_factory=dict)
    "State → seconds: on_contact, held, offered, wrap_up, ready, resting, unreachable, not_ready:REASON."
    contacts: int = 0
    "Conversations begun."
    missed: int = 0
    "Offers that rang in vain; refused ones are not in it."
    refused: int = 0
    results: dict[str, int] = field(default_factory=dict)
    "Disposition → contacts."

    @property
    def not_ready(self) -> dict[str, float]:
        """Seconds by reason."""
        return {
            state.partition(":")[2]: seconds
            for state, seconds in self.seconds.items()
            if state.startswith("not_ready:")
        }


_COPC = "COPC CX Standard; SL_C of the four in use (answered in time / (answered + abandoned - abandoned in time))"
_METRICS = (
    Metric("offered", "contacts", "Contacts that came into the queue, those from other queues too.", "offered",
           "ITU-T E.600: offered"),
    Metric("served", "contacts", "Contacts of the queue that met somebody.", "served", "ITU-T E.600: carried"),
    Metric("in_time", "contacts", "Served within the queue's threshold.", "in_time", "COPC CX Standard"),
    Metric("abandoned", "contacts", "Customers who left while they waited.", "abandoned", "ITU-T E.600: abandoned"),
    Metric("short_abandoned", "contacts",
           "Customers who left within the first seconds (`short_abandon`): wrong numbers, mostly.", "short",
           "Ivanti Voice, Bright Pattern: shown apart"),
    Metric("service_level", "share",
           "Share served within the threshold; who left before the threshold counts neither way.",
           "in_time / (served + abandoned - early)", _COPC),
    Metric("service_level_strict", "share", "Share served within the threshold, of all who were served or left.",
           "in_time / (served + abandoned)", "SL_A"),
    Metric("service_level_lenient", "share",
           "Share served within the threshold, where whoever left before it counts as served in time.",
           "(in_time + early) / (served + abandoned)", "SL_B; Asterisk's ServiceLevelPerf2"),
    Metric("service_level_answered", "share", "Share of the served who were served within the threshold.",
           "in_time / served", "SL_D; Asterisk's ServiceLevelPerf"),
    Metric("abandon_rate", "share", "Share of customers who left, short ones left out.",
           "(abandoned - short) / (served + abandoned - short)", "Amazon Connect; COPC CX Standard"),
    Metric("asa", "seconds", "Mean wait of the served.", "answer_s / served", "ITU-T E.423; COPC CX Standard: ASA"),
    Metric("longest_wait", "seconds", "The longest wait so far of anybody who was served or left.", "longest_s",
           "ITU-T E.423"),
    Metric("aht", "seconds", "Mean handling time of a contact: talk, hold and after-call work.",
           "(talk_s + hold_s + wrap_up_s) / handled", "COPC CX Standard: AHT"),
    Metric("talk", "seconds", "Mean talk of a contact, without hold.", "talk_s / handled", "COPC CX Standard"),
    Metric("hold", "seconds", "Mean hold of a contact.", "hold_s / handled", "COPC CX Standard"),
    Metric("wrap_up", "seconds", "Mean after-call work of a contact.", "wrap_up_s / handled", "COPC CX Standard"),
    Metric("estimate_bias", "seconds",
           "How much longer waits were expected to last than they did, in the mean; below zero: shorter.",
           "estimate_s / estimated", "Ibrahim & Whitt 2009"),
    Metric("estimate_error", "seconds", "Root of the mean squared error of the expected waits.",
           "(estimate_sq / estimated) ** 0.5", "Ibrahim & Whitt 2009: MSE"),
    Metric("callbacks_promised", "contacts",
           "Callbacks that were promised, or are owed to customers who hung up; none of them counts as offered.",
           "promised", "Centrala"),
    Metric("callbacks_reached", "contacts", "Callbacks whose customer was spoken to.", "reached", "Centrala"),
    Metric("callbacks_unreached", "contacts", "Callbacks given up after the last attempt.", "unreached", "Centrala"),
    Metric("callbacks_expired", "contacts", "Callbacks given up since nobody had time.", "expired", "Centrala"),
    Metric("callbacks_replaced", "contacts",
           "Callbacks not needed any more, since the customer rang again or got through.", "replaced", "Centrala"),
    Metric("callback_rate", "share", "Share of the callbacks that reached the customer, of those that came to an end.",
           "reached / (reached + unreached + expired)", "Centrala"),
    Metric("callback_wait", "seconds",
           "Mean wait of customers who were called back, since they began to wait or since the time that they booked;"
           " to be held against `asa`, which is of those who held.",
           "callback_s / reached", "Centrala"),
    Metric("messages_left", "contacts", "Messages that customers left.", "messages", "Centrala"),
    Metric("messages_heard", "contacts", "Messages that an agent has taken up.", "heard", "Centrala"),
    Metric("message_wait", "seconds", "Mean time until an agent took up a message.", "message_s / heard", "Centrala"),
    Metric("message_level", "share", "Share of the messages that were taken up within the queue's threshold.",
           "heard_in_time / heard", "Centrala; SL_D of messages"),
    Metric("callbacks_waiting", "contacts", "Callbacks that are owed now, those booked for later too.", "counted",
           "as the queue stands"),
    Metric("messages_waiting", "contacts", "Messages that nobody has taken up yet.", "counted",
           "as the queue stands"),
    Metric("waiting", "contacts", "Customers who wait on the line now, those for whom a phone rings too.", "counted",
           "as the queue stands"),
    Metric("free", "agents", "Agents who could be offered a contact now.", "counted", "as the agents are"),
    Metric("talking", "agents", "Agents in conversation, on hold or called by a contact.", "counted",
           "as the agents are"),
    Metric("wrapping", "agents", "Agents in after-call work.", "counted", "as the agents are"),
    Metric("away", "agents", "Agents who are signed in but can't be offered a contact: paused, resting, no phone.",
           "counted", "as the agents are"),
    Metric("occupancy", "share",
           "Share of the time for contacts that was spent on them. Above 0.85 for long, people tire.",
           "(on_contact + held + wrap_up) / (on_contact + held + wrap_up + offered + ready)",
           "COPC CX Standard: occupancy", ("agent",)),
)  # fmt: skip

METRICS: dict[str, Metric] = {one.id: one for one in _METRICS}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


_QUEUE: dict[str, Callable[[Counts], float | None]] = {
    "offered": lambda c: c.offered,
    "served": lambda c: c.served,
    "in_time": lambda c: c.in_time,
    "abandoned": lambda c: c.abandoned,
    "short_abandoned": lambda c: c.short,
    "service_level": lambda c: _ratio(c.in_time, c.served + c.abandoned - c.early),
    "service_level_strict": lambda c: _ratio(c.in_time, c.served + c.abandoned),
    "service_level_lenient": lambda c: _ratio(c.in_time + c.early, c.served + c.abandoned),
    "service_level_answered": lambda c: _ratio(c.in_time, c.served),
    "abandon_rate": lambda c: _ratio(c.abandoned - c.short, c.served + c.abandoned - c.short),
    "asa": lambda c: _ratio(c.answer_s, c.served),
    "longest_wait": lambda c: c.longest_s,
    "aht": lambda c: _ratio(c.talk_s + c.hold_s + c.wrap_up_s, c.handled),
    "talk": lambda c: _ratio(c.talk_s, c.handled),
    "hold": lambda c: _ratio(c.hold_s, c.handled),
    "wrap_up": lambda c: _ratio(c.wrap_up_s, c.handled),
    "callbacks_promised": lambda c: c.promised,
    "callbacks_reached": lambda c: c.reached,
    "callbacks_unreached": lambda c: c.unreached,
    "callbacks_expired": lambda c: c.expired,
    "callbacks_replaced": lambda c: c.replaced,
    "callback_rate": lambda c: _ratio(c.reached, c.reached + c.unreached + c.expired),
    "callback_wait": lambda c: _ratio(c.callback_s, c.reached),
    "messages_left": lambda c: c.messages,
    "messages_heard": lambda c: c.heard,
    "message_wait": lambda c: _ratio(c.message_s, c.heard),
    "message_level": lambda c: _ratio(c.heard_in_time, c.heard),
    "estimate_bias": lambda c: _ratio(c.estimate_s, c.estimated),
    "estimate_error": lambda c: (c.estimate_sq / c.estimated) ** 0.5 if c.estimated else None,
}


def value(metric: str, counts: Counts) -> float | None:
    """A queue's figure; None where there is nothing to divide by. Raises KeyError for what isn't worked out of sums."""
    return _QUEUE[metric](counts)


def occupancy(time: AgentTime) -> float | None:
    """See METRICS["occupancy"]."""
    busy = sum(time.seconds.get(state, 0.0) for state in ("on_contact", "held", "wrap_up"))
    return _ratio(busy, busy + time.seconds.get("offered", 0.0) + time.seconds.get("ready", 0.0))

"""What a centre is made of, as values: the outcome of reading its file.

Names of fields are the names of the keys in the file; docs/reference/centre-yaml.md tells them one by one.
All durations are seconds as `float`; all values are frozen.
"""

from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from centrala.settings.overlay import NOTHING, Saved

Transport = Literal["udp", "tcp", "tls", "ws", "wss"]
Strategy = Literal["longest_idle", "most_skilled", "round_robin", "fewest_calls", "ring_all"]
DestinationKind = Literal["queue", "agent", "phone", "music", "hang_up", "flow", "expert"]
Address = tuple[str, int]
"""Host (a name, or an IPv4 or IPv6 address without brackets) and port."""
OpenSpans = tuple[tuple[int, int], ...]
"""When one day is open: (from, to) in minutes after midnight, `to` not included and at most 1440."""


class Secret:
    """A text that shows itself only to who asks with `reveal()`; logs, reprs and formats see `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket on which SIP is heard."""

    transport: Transport
    host: str
    port: int
    """0 takes any free port."""
    certificate: Path | None = None
    """PEM chain; given exactly for tls and wss, as is `key`."""
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class MediaSettings:
    address: str = "127.0.0.1"
    """IP address on which the media workers receive audio."""
    ports: tuple[int, int] = (20000, 29999)
    """First and last UDP port, both included."""
    workers: int = 1
    advertised_address: str | None = None
    """IP address told to peers in SDP where NAT is in between; None means `address`."""
    browser_codec: Literal["g711", "opus"] = "g711"
    """What browsers speak: Opus bears a bad network better and costs four times the CPU."""


Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Https:
    """The web server under TLS."""

    address: Address
    certificate: Path
    """PEM chain."""
    key: Path


@dataclass(frozen=True, slots=True)
class Listen:
    http: Address | None = None
    https: Https | None = None
    trusted_proxies: tuple[Network, ...] = ()
    """X-Forwarded-For and X-Forwarded-Proto count from these alone."""
    sip: tuple[Listener, ...] = (Listener("udp", "127.0.0.1", 5060),)
    media: MediaSettings = MediaSettings()


@dataclass(frozen=True, slots=True)
class TrunkRegistration:
    """How we register at a carrier; the same user and password answer its challenges to our calls."""

    user: str
    password: Secret
    registrar: Address | None = None
    """None means the trunk's own `address`."""
    domain: str | None = None
    """The domain of our address of record; None means the registrar's host."""
    expires: float = 600.0


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way in from, and out to, the telephone network; has at least one of address, network, register."""

    id: str
    address: Address | None = None
    """Requests from exactly here are the trunk's; calls out go here."""
    network: Network | None = None
    """Requests from anywhere in here are the trunk's."""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    outbound: bool = False
    register: TrunkRegistration | None = None
    max_calls: int | None = None
    options_interval: float | None = None
    """Seconds between two OPTIONS that ask whether the trunk lives; None asks never."""
    caller_id: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A firm that the house works for."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who answers: by page, with a telephone that registers (sip_password), or with a fixed one (phone)."""

    id: str
    name: str | None = None
    sip_password: Secret | None = None
    phone: str | None = None
    """SIP URI."""
    always_ready: bool = False
    ready_on_register: bool = False
    skills: dict[str, int] = field(default_factory=dict)
    """Skill to level, 1 to 10."""
    helps: tuple[str, ...] = ()
    """Queues to which rebalancing may lend the agent."""


LANGUAGES = ("en", "pl", "ru")
"""Of the screens."""
Label = dict[str, str]
"""What people read, by language: always all of LANGUAGES."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an agent takes no contacts for a while."""

    id: str
    label: Label
    limit: float | None = None
    """Seconds after which the screens show that it has run over; nothing else happens."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """What came out of a contact, as a code that reports count."""

    id: str
    label: Label


@dataclass(frozen=True, slots=True)
class Team:
    """Agents who belong together; `team:ID` is a scope for supervisors."""

    id: str
    name: str | None = None
    agents: tuple[str, ...] = ()
    """An agent is in one team at most."""
    leader: str | None = None
    """Id of the agent who leads it."""


def _reason(id: str, en: str, pl: str, ru: str) -> Reason:
    return Reason(id, {"en": en, "pl": pl, "ru": ru})


REASONS: dict[str, Reason] = {
    one.id: one
    for one in (
        _reason("break", "Break", "Przerwa", "Перерыв"),
        _reason("lunch", "Lunch", "Przerwa obiadowa", "Обед"),
        _reason("training", "Training", "Szkolenie", "Обучение"),
        _reason("meeting", "Meeting", "Spotkanie", "Совещание"),
        _reason("back_office", "Back office", "Praca własna", "Работа без звонков"),
        _reason("coaching", "Coaching", "Coaching", "Разбор звонков"),
        _reason("technical", "Technical problem", "Problem techniczny", "Техническая проблема"),
    )
}
"""What a tenant has that names no reasons of its own."""

ESCALATIONS: dict[str, Disposition] = {
    one.id: one
    for one in (
        Disposition("knowledge", {"en": "Needs an expert", "pl": "Potrzebny ekspert", "ru": "Нужен эксперт"}),
        Disposition("authority", {"en": "Above my authority", "pl": "Poza moimi uprawnieniami",
                                  "ru": "Не в моих полномочиях"}),
        Disposition("complaint", {"en": "Complaint", "pl": "Reklamacja", "ru": "Жалоба"}),
        Disposition("asked", {"en": "The customer asks for it", "pl": "Klient o to prosi",
                              "ru": "Просит клиент"}),
    )
}  # fmt: skip
"""The same of reasons to hand a customer on to those who know, or may, more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a figure of a queue is worth a warning, and an alarm; None never."""

    warn: float | None = None
    alarm: float | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a queue's tile calls for attention; None means the usual, told in docs/reference/centre-yaml.md."""

    service_level: Limits | None = None
    """Shares, 0 to 1: at or below these."""
    longest_wait: Limits | None = None
    """Seconds: at or above these."""
    waiting: Limits | None = None
    """Callers: at or above these."""


@dataclass(frozen=True, slots=True)
class Announce:
    """What callers who wait are told between the music."""

    first: float = 20.0
    """Seconds of waiting before the first one."""
    every: float = 45.0
    """Seconds between the end of one and the next."""
    position: bool = True
    wait: bool = True
    """The estimated one."""
    messages: tuple[str, ...] = ()
    """Names of sounds, which take turns."""
    learned: bool = True
    """The wait is estimated by what the past has taught, where that was better."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Times for which a queue may promise to call."""

    share: float = 0.5
    """Of the capacity that is expected to be free."""
    days: int = 5
    """Days of opening ahead, today among them."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How a queue keeps its promises to call back."""

    attempts: int = 3
    """How often somebody is rung who doesn't answer."""
    retry: float = 300.0
    """Seconds between the first attempt and the second; doubles with each further one."""
    expires: float = 14400.0
    """Seconds after the promise, or the time that was booked, when it is given up."""
    ring: float = 30.0
    """Seconds for which their phone rings."""
    slots: Slots | None = None
    """None means that no times can be booked."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Who hung up while waiting is called back."""

    after: float = 600.0
    attempts: int = 1
    priority: int = 0
    grace: float = 60.0
    """Seconds within which who rings again stands where they stood."""


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """Which numbers callers may ask to be called at."""

    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2, in capitals, beside the tenant's own."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes; in the file a mapping with its kind as the one key, and `record`."""

    kind: DestinationKind
    target: str
    """Id of the queue, agent or flow, SIP URI of the phone, name of the music, or busy, unavailable, not_found."""
    record: bool = False
    """Only for agent and phone; a queue has its own `record`."""


@dataclass(frozen=True, slots=True)
class Widen:
    """When a queue opens to more agents than its own; by one of after, length, below at least."""

    after: float | None = None
    """Seconds: for who has waited so long."""
    length: int | None = None
    """For all, while so many wait."""
    below: float | None = None
    """For all, while a smaller share (0 to 1) is answered within the time of the service level."""
    needs: dict[str, int] | None = None
    """Skill to the least level from then on, 0 to 10; those that aren't named stay as they were."""
    queues: tuple[str, ...] = ()
    """Whoever serves one of these may help."""
    calendar: str | None = None
    """Only while it is open; None means always."""


@dataclass(frozen=True, slots=True)
class LastAgent:
    """Who rings again waits a while for the agent who knows them."""

    within: float = 7 * 86400.0
    """Seconds since they talked."""
    wait: float = 30.0
    """Seconds; 0 means that they get that agent only if free at once."""
    preferred: bool = True
    """The agent on the customer's card goes first."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a tier is called, and what it may decide."""

    id: int
    label: Label | None = None
    authority: Label | None = None


@dataclass(frozen=True, slots=True)
class Expert:
    """Somebody outside the house who helps with what others can't; has either a number or a phone."""

    id: str
    name: str | None = None
    number: str | None = None
    """Called over a trunk."""
    phone: str | None = None
    """SIP URI."""
    tier: int = 3
    skills: dict[str, int] = field(default_factory=dict)
    calendar: str | None = None
    """When they can be asked; None means always."""
    authority: Label | None = None
    """What they may decide."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How a queue takes part in rebalancing."""

    give: bool = True
    """Its agents may be lent to other queues …"""
    take: bool = True
    """… and others' to it."""
    reserve: int = 0
    """So many who serve it are never lent."""
    most: int | None = None
    """So many at once are lent to it at the most; None: no limit."""
    helpers: dict[str, int] = field(default_factory=dict)
    """Skill to least level: who has them all may be lent to it, beside those whose `helps` names it."""


@dataclass(frozen=True, slots=True)
class Balancing:
    """How agents are lent between the queues that take part."""

    on: bool = True
    every: float = 20.0
    """Seconds between two comparisons of the queues."""
    moves_per_hour: int = 6
    """Of one agent, there and back counted apart."""
    margin: float = 0.02
    """A share: so far below its target a queue must be expected before it gets agents, and above it without them."""


@dataclass(frozen=True, slots=True)
class Queue:
    id: str
    name: str | None = None
    """How people call it; None means its id."""
    client: str | None = None
    agents: tuple[str, ...] | None = None
    """Who serves it; None means every agent who meets `needs`; with both given, both must hold."""
    needs: dict[str, int] = field(default_factory=dict)
    """Skill to the least level, 1 to 10."""
    strategy: Strategy = "longest_idle"
    service_level: tuple[float, float] = (0.8, 20.0)
    """Share to answer (0 to 1) within so many seconds."""
    ring_timeout: float = 15.0
    wrap_up: float = 15.0
    max_wait: float | None = None
    max_length: int | None = None
    """As many may wait; 0 means that a call is taken only if an agent is free at once."""
    record: bool = False
    music: str = "default"
    announce: Announce | None = None
    """None means that nothing is told."""
    priority: int = 0
    ageing: float = 60.0
    """Seconds of waiting that one point of priority is worth."""
    short_abandon: float = 5.0
    """Who hangs up sooner isn't counted as lost."""
    reject_delay: float = 10.0
    """An agent who refused an offer gets no other for so long."""
    retry_delay: float = 5.0
    """An agent whose phone failed gets no other offer for so long."""
    missed_limit: int = 3
    """After so many unanswered offers in a row an agent is no longer ready."""
    when_full: Destination | None = None
    """None means busy."""
    when_no_agents: Destination | None = None
    """When no agent of the queue is signed in; None means wait."""
    after_max_wait: Destination | None = None
    """None means hang up."""
    when_closed: Destination | None = None
    """None means hang up."""
    hours: tuple[OpenSpans, ...] | None = None
    """Seven days, Monday first, in the tenant's time zone; None means always open."""
    holidays: tuple[date, ...] = ()
    """Days on which it is closed, sorted."""
    dispositions: tuple[str, ...] = ()
    """Ids, in the order in which they are offered; not empty means that each contact needs one."""
    thresholds: Thresholds = Thresholds()
    keys: dict[str, Destination] = field(default_factory=dict)
    """Digit to the way out that somebody who waits takes by it."""
    callbacks: Callbacks = Callbacks()
    follow_up: FollowUp | None = None
    """None means that nobody is called who hung up."""
    widen: tuple[Widen, ...] = ()
    """Stages, in the order in which more and more agents are asked."""
    last_agent: LastAgent | None = None
    """None means that callers aren't kept for anybody."""
    when_slow: Destination | None = None
    """Instead of waiting, while too few are answered in time; None means wait."""
    slow_below: float = 0.5
    """The share (0 to 1) below which that is."""
    tier: int = 1
    escalate: Destination | None = None
    """Where its agents hand on what is above them; None: they have to choose."""
    brief: bool = False
    """Whoever answers is told first, alone, for whom and after what wait."""
    record_on_demand: bool = False
    """Where `record` is off: agents may begin a recording, and end it."""
    auto_answer: float | None = None
    """Seconds after which the phone in an agent's page answers by itself; None: when the agent does."""
    longest_pause: float = 300.0
    """After so long a recording that an agent has paused goes on by itself."""
    interludes: tuple[str, ...] = ()
    """Flows through which agents may send their customer and get them back."""
    survey: str | None = None
    """Flow that customers go on into when their agent has hung up."""
    balance: Balance | None = None
    """None means that it takes no part in rebalancing."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What callers go through before a queue, as given in the file: read, checked, and without problems."""

    id: str
    graph: str
    """Canonical JSON (docs/reference/flows.md): equal texts are equal flows."""
    name: str | None = None
    """How people call it; None means its id."""
    file: Path | None = None
    """Where it was read from; None where it stands in the settings file itself."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours that several flows share."""

    id: str
    hours: tuple[OpenSpans, ...] | None = None
    """As in `Queue`."""
    holidays: tuple[date, ...] = ()
    timezone: str | None = None
    """IANA name; None means the tenant's."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that flows look things up in."""

    id: str
    file: Path
    """CSV in UTF-8, the first line naming the columns; read anew when it changes. Need not be there at the start."""
    key: str = ""
    """The column that is looked up; empty means the first."""


Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Mail:
    """Who takes the e-mails that flows send."""

    host: str
    sender: str
    """The address that they come from; `from` in the file."""
    port: int = 587
    """In the file by default the usual one: 587 with starttls, 465 with tls, 25 with none."""
    security: Security = "starttls"
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Http:
    """What flows may reach by HTTP beside the public internet, and the secrets they may send."""

    allow: tuple[str, ...] = ()
    """host, host:port or network, in lower case; IPv6 with a port in brackets."""
    secrets: dict[str, Secret] = field(default_factory=dict)
    """By the name that a flow's headers call them."""


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Who speaks the texts of flows."""

    voice: dict[str, str] = field(default_factory=dict)
    """Language → name of a voice, where a flow names none."""
    piper: dict[str, Path] = field(default_factory=dict)
    """Name of a voice → its Piper model (ONNX)."""


@dataclass(frozen=True, slots=True)
class Parking:
    """Where customers are put aside for anybody of the house."""

    slots: tuple[str, ...]
    """Numbers to pick up by; in the file a range."""
    number: str | None = None
    """A transfer to it parks in the first free slot."""
    timeout: float = 120.0
    """Seconds until whoever parked is rung."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One operating house, isolated from the others."""

    id: str
    domain: str
    """SIP domain of its phones and the digest realm, in lower case."""
    name: str | None = None
    """How people call the house; None means its id."""
    country: str | None = None
    """ISO 3166-1 alpha-2, in capitals: whose national numbers are meant; None leaves them as they are."""
    timezone: str = "UTC"
    locale: str = "en"
    trunks: dict[str, Trunk] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    numbers: dict[str, Destination] = field(default_factory=dict)
    """Dialled number to destination, in the file's order; wins over an agent's id of the same spelling."""
    teams: dict[str, Team] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=REASONS.copy)
    dispositions: dict[str, Disposition] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    """Those of the file; those published on the screen lie in the data folder."""
    calendars: dict[str, Calendar] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    mail: Mail | None = None
    http: Http = Http()
    speech: SpeechSettings = SpeechSettings()
    callbacks: CallbackRules = CallbackRules()
    balancing: Balancing | None = None
    """None means that nobody is lent but by hand."""
    parking: Parking | None = None
    tiers: dict[int, Tier] = field(default_factory=dict)
    experts: dict[str, Expert] = field(default_factory=dict)
    escalation_reasons: dict[str, Disposition] = field(default_factory=ESCALATIONS.copy)

    def team_of(self, agent: str) -> str | None:
        """Id of the agent's team."""
        return next((one.id for one in self.teams.values() if agent in one.agents), None)


@dataclass(frozen=True, slots=True)
class Settings:
    listen: Listen
    tenants: dict[str, Tenant]
    path: Path
    """The file that was read."""
    warnings: tuple[str, ...] = ()
    """What is allowed but probably not meant, as `file:line: key: sentence`, sorted by line."""
    source: str = field(default="", repr=False, compare=False)
    """The file's text, with the secrets that stand in it."""
    texts: dict[Path, str] = field(default_factory=dict, repr=False, compare=False)
    """What the files of flows held when they were read."""
    saved: Saved = field(default=NOTHING, repr=False, compare=False)
    """What people set on the screen, and so stands in no file."""

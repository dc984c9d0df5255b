"""The centre of the demo: its file, its people, its numbers."""

import secrets
from dataclasses import dataclass

from centrala.testing.agents import Desk
from centrala.testing.carrier import AGENT_PIPS, Dialled

HOST = "127.0.0.1"
DOMAIN = "demo.example"
TENANT = "demo"
GUEST = "guest"
SALES, SUPPORT, DIRECT, EXPERT, MUSIC = "+48221000001", "+48221000002", "201", "300", "400"

PEOPLE = (
    ("ania", "Ania", "pl", False),
    ("bartek", "Bartek", "pl", True),
    ("celina", "Celina", "pl", False),
    ("darek", "Darek", "pl", True),
    ("emma", "Emma", "en", False),
    ("frank", "Frank", "en", True),
    ("grace", "Grace", "en", False),
    ("henry", "Henry", "en", True),
)
"""User, name, language, whether the voice is deep."""

NUMBERS = (
    Dialled(SALES, 0.5, "pl"),
    Dialled(SUPPORT, 0.42, "en"),
    Dialled(DIRECT, 0.04, "pl"),
    Dialled(EXPERT, 0.04, "en"),
)
"""What the simulated callers dial."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where this demo lives."""

    sip: int
    carrier: int
    phones: int
    """SIP port of the simulated agents' phones."""
    media: tuple[int, int]
    guest_password: str
    desks: tuple[Desk, ...]

    @property
    def address(self) -> str:
        return f"{HOST}:{self.sip}"


def desks() -> tuple[Desk, ...]:
    """The simulated agents, each with a new password, and the expert outside, whose phone never registers."""
    seats = [
        Desk(user, secrets.token_urlsafe(12), pip, language, deep)
        for (user, _, language, deep), pip in zip(PEOPLE, AGENT_PIPS, strict=False)
    ]
    return (*seats, Desk("expert", "", AGENT_PIPS[len(seats)], "en", deep=True, misses=0.0))


def password() -> str:
    """Easy to type into a softphone, and not to be guessed: 16 of 32 letters, 80 bits."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def file(layout: Layout) -> str:
    """The centre as YAML."""
    agents = "".join(
        f'      {user}: {{name: {name}, sip_password: "{desk.password}", ready_on_register: true,'
        f" skills: {{{'polski' if language == 'pl' else 'english'}: {7 + deep}}}}}\n"
        for (user, name, language, deep), desk in zip(PEOPLE, layout.desks, strict=False)
    )
    polish = ", ".join(user for user, _, language, _ in PEOPLE if language == "pl")
    english = ", ".join(user for user, _, language, _ in PEOPLE if language == "en")
    return f"""# The centre of `centrala demo`, written anew at each start. The keys: docs/reference/centre-yaml.md
listen:
  sip: ["udp:{HOST}:{layout.sip}", "tcp:{HOST}:{layout.sip}"]
  media: {{address: {HOST}, ports: {layout.media[0]}-{layout.media[1]}, workers: 1}}

tenants:
  {TENANT}:
    domain: {DOMAIN}
    timezone: Europe/Warsaw
    locale: pl

    trunks:
      carrier: {{address: "{HOST}:{layout.carrier}"}}   # the simulated telephone network
      here: {{network: 127.0.0.0/8}}               # any softphone on this machine may call in

    clients:
      roza: {{name: "Kwiaciarnia Róża"}}
      tea: {{name: "Tea by Post"}}

    agents:
{agents}      {GUEST}: {{name: You, sip_password: "{layout.guest_password}", ready_on_register: true}}

    queues:
      sprzedaz:
        client: roza
        agents: [{polish}, {GUEST}]
        strategy: longest_idle
        service_level: 80/20
        ring_timeout: 8s
        wrap_up: 4s
        max_wait: 3m
        record: true
      support:
        client: tea
        agents: [{english}, {GUEST}]
        strategy: fewest_calls
        service_level: 80/20
        ring_timeout: 8s
        wrap_up: 4s
        max_wait: 3m
        record: true

    numbers:
      "{SALES}": {{queue: sprzedaz}}
      "{SUPPORT}": {{queue: support}}
      "{DIRECT}": {{agent: ania, record: true}}
      "{EXPERT}": {{phone: "sip:expert@{HOST}:{layout.phones}", record: true}}
      "{MUSIC}": {{music: default}}
"""

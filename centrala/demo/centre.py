"""The centre of the demo: its file, its people, its numbers, and whom it knows."""

import secrets
import time
from dataclasses import dataclass

from centrala.customers import Customers
from centrala.people import People, Role, User
from centrala.testing.agents import Desk
from centrala.testing.carrier import AGENT_PIPS, Dialled, caller

HOST = "127.0.0.1"
DOMAIN = "demo.example"
TENANT = "demo"
GUEST = "guest"
"A softphone's name: it takes calls as soon as it is registered."
YOU, CHIEF = "you", "chief"
"Users of the pages, and the agents whose browser phones they have."
SALES, SUPPORT, SHOP, DIRECT, EXPERT, MUSIC = (
    "+48221000001",
    "+48221000002",
    "+48221000003",
    "201",
    "300",
    "400",
)

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
    # Some would rather be called back than wait: one while they wait, one to confirm their number.
    Dialled(SALES, 0.3, "pl", ("", "", ",,,,1,,1")),
    Dialled(SUPPORT, 0.37, "en"),
    # Those who know what they want press it at once; some listen first, some mistype.
    Dialled(
        SHOP, 0.25, "pl", (",1", ",,1", ",2,1017#", ",,,2,,1018#", ",1", ",3", ",2,99#,,,,,1016#", ",8,,,1")
    ),
    Dialled(DIRECT, 0.04, "pl"),
    Dialled(EXPERT, 0.04, "en"),
)
"""What the simulated callers dial."""


HELPS = {"darek": "support", "celina": "support", "frank": "sprzedaz", "emma": "sprzedaz"}
"Who speaks both languages, and may be lent to the other queue."

ORDERS = """number,state,price
1016,gotowe do odbioru,84.50
1017,w drodze,129.00
1018,dostarczone,61.99
"""
"The table that the menu looks orders up in."

RESULTS = {"sprzedaz": ("sold", "later", "refused", "wrong"), "support": ("solved", "later", "technician")}
"Results that agents write down, by queue."

KNOWN = 40
"So many of the callers are in the customer base when the demo begins."

WOMEN = ("Anna", "Maria", "Katarzyna", "Olga", "Zofia", "Łucja", "Ewa"), (
    "Kowalska", "Nowak", "Wiśniewska", "Wójcik", "Lewandowska", "Zielińska", "Żak", "Szymańska", "Dąbrowska",
)  # fmt: skip
MEN = ("Jan", "Piotr", "Tomasz", "Michał", "Łukasz", "Paweł", "Adam"), (
    "Kowalski", "Nowak", "Wiśniewski", "Wójcik", "Lewandowski", "Zieliński", "Żak", "Szymański", "Dąbrowski",
)  # fmt: skip
COMPANIES = ("Orion sp. z o.o.", "Pod Lipą", "Harbour & Sons", "Studio Żuraw")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where this demo lives."""

    sip: int
    http: int
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
        f" skills: {{{'polski' if language == 'pl' else 'english'}: {7 + deep}}},"
        f" helps: [{HELPS.get(user, '')}]}}\n"
        for (user, name, language, deep), desk in zip(PEOPLE, layout.desks, strict=False)
    )
    polish = ", ".join(user for user, _, language, _ in PEOPLE if language == "pl")
    english = ", ".join(user for user, _, language, _ in PEOPLE if language == "en")
    return f"""# The centre of `centrala demo`, written anew at each start. The keys: docs/reference/centre-yaml.md
listen:
  http: {HOST}:{layout.http}
  sip: ["udp:{HOST}:{layout.sip}", "tcp:{HOST}:{layout.sip}"]
  media: {{address: {HOST}, ports: {layout.media[0]}-{layout.media[1]}, workers: 1}}

tenants:
  {TENANT}:
    name: "Centrala, demo"
    domain: {DOMAIN}
    timezone: Europe/Warsaw
    locale: pl
    country: PL

    trunks:
      carrier: {{address: "{HOST}:{layout.carrier}", outbound: true}}   # the simulated telephone network
      here: {{network: 127.0.0.0/8}}               # any softphone on this machine may call in

    clients:
      roza: {{name: "Kwiaciarnia Róża"}}
      tea: {{name: "Tea by Post"}}

    agents:
{agents}      {GUEST}: {{name: "Your softphone", sip_password: "{layout.guest_password}", ready_on_register: true}}
      {YOU}: {{name: You, skills: {{polski: 5, english: 5}}}}
      {CHIEF}: {{name: Chief}}

    teams:
      polski: {{name: "Zespół polski", agents: [{polish}, {YOU}], leader: {CHIEF}}}
      english: {{name: "English team", agents: [{english}, {GUEST}], leader: {CHIEF}}}

    dispositions:
      sold: {{en: Sold, pl: Sprzedane, ru: Продано}}
      solved: {{en: Solved, pl: Rozwiązane, ru: Решено}}
      later: {{en: Call later, pl: Oddzwonić później, ru: Перезвонить}}
      refused: {{en: Refused, pl: Odmowa, ru: Отказ}}
      technician: {{en: Technician sent, pl: Wysłano technika, ru: Направлен мастер}}
      wrong: {{en: Wrong number, pl: Pomyłka, ru: Ошиблись номером}}

    queues:
      sprzedaz:
        name: Sprzedaż
        client: roza
        agents: [{polish}, {GUEST}, {YOU}]
        dispositions: [{", ".join(RESULTS["sprzedaz"])}]
        strategy: longest_idle
        announce: {{first: 10s, every: 20s}}       # place and estimated wait, between the music
        keys: {{"1": {{flow: callback}}, "2": {{flow: voicemail}}}}   # for who waits: be called back, leave a message
        callbacks: {{attempts: 2, retry: 1m}}
        last_agent: {{}}                           # who rings again waits a little for the agent they know
        balance: {{}}
        service_level: 80/20
        ring_timeout: 8s
        wrap_up: 4s
        max_wait: 3m
        record: true
      support:
        name: Support
        client: tea
        agents: [{english}, {GUEST}, {YOU}]
        dispositions: [{", ".join(RESULTS["support"])}]
        strategy: fewest_calls
        service_level: 80/20
        ring_timeout: 8s
        wrap_up: 4s
        max_wait: 3m
        record: true
        balance: {{}}

    balancing: {{}}                                # agents who can are lent to the queue that needs them
    parking: {{slots: 701-705, number: "700"}}      # put a customer aside, for anybody to pick up

    tables:
      orders: {{file: orders.csv}}

    flows:                                        # the voice menu of the flower shop; or draw one on the page
      shop:
        language: pl
        start: hello
        nodes:
          hello: {{type: say, title: Powitanie, prompt: ["Dzień dobry, tu kwiaciarnia Róża."], exits: {{next: menu}}}}
          menu:
            type: menu
            title: Menu główne
            prompt: ["Aby zamówić kwiaty, wciśnij jeden. Aby sprawdzić zamówienie, dwa. Godziny otwarcia, trzy."]
            invalid_prompt: [{{sound: "builtin:invalid_choice"}}]
            exits: {{"1": sales, "2": number, "3": hours, timeout: sales, invalid: sales}}
          number:
            type: collect
            title: Numer zamówienia
            prompt: ["Podaj czterocyfrowy numer zamówienia i zakończ krzyżykiem."]
            variable: order
            least: 4
            most: 4
            exits: {{next: lookup, timeout: sales, invalid: sales}}
          lookup:
            type: table
            title: Stan zamówienia
            table: orders
            key: "{{order}}"
            exits: {{found: tell, unknown: sales}}
          tell:
            type: say
            title: Odpowiedź
            prompt:
              - "Zamówienie"
              - {{number: "{{order}}"}}
              - "jest {{orders.state}}. Kwota:"
              - {{money: "{{orders.price}}", currency: PLN}}
            exits: {{next: bye}}
          hours:
            type: say
            title: Godziny
            prompt: ["Jesteśmy czynni codziennie od ósmej do dwudziestej."]
            exits: {{next: bye}}
          sales: {{type: queue, title: Sprzedaż, queue: sprzedaz}}
          bye: {{type: say, prompt: [{{sound: "builtin:goodbye"}}], exits: {{next: end}}}}
          end: {{type: hang_up}}

    numbers:
      "{SALES}": {{queue: sprzedaz}}
      "{SUPPORT}": {{queue: support}}
      "{SHOP}": {{flow: shop}}
      "{DIRECT}": {{agent: ania, record: true}}
      "{EXPERT}": {{phone: "sip:expert@{HOST}:{layout.phones}", record: true}}
      "{MUSIC}": {{music: default}}
"""


def sign_up(people: People) -> tuple[User, User]:
    """Who uses the pages: an agent, and a supervisor who is administrator too. Nobody knows their passwords."""
    now = time.time()
    agent = people.user(TENANT, YOU) or people.add(
        TENANT, YOU, secrets.token_urlsafe(24), (Role.AGENT,), now, agent=YOU
    )
    chief = people.user(TENANT, CHIEF) or people.add(
        TENANT, CHIEF, secrets.token_urlsafe(24), (Role.SUPERVISOR, Role.ADMINISTRATOR), now, agent=CHIEF
    )
    return agent, chief


def fill(customers: Customers, seed: int) -> None:
    """Put the first callers into the customer base, invented and marked as such."""
    now = time.time()
    if customers.brief(TENANT, caller(0, seed)):
        return  # a data folder that is kept
    firms = [
        customers.add(TENANT, "company", {"name": name, "badges": ["demo"]}, "demo", now).id
        for name in COMPANIES
    ]
    for number in range(KNOWN):
        given, family = (WOMEN, MEN)[number % 2]
        fields: dict[str, object] = {
            "given": given[number % len(given)],
            "family": family[number % len(family)],
            "language": "pl",
            "badges": ["demo", "VIP"] if number % 7 == 0 else ["demo"],
            "companies": [firms[number % len(firms)]] if number % 3 == 0 else [],
            "identity.phone": {"kind": "phone", "value": caller(number, seed)},
        }
        if number % 5 == 0:
            fields["promise.first"] = {"text": "240 zł", "due": now + 86_400 * (3 + number)}
        customers.add(TENANT, "person", fields, "demo", now)

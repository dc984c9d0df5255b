"""A centre's file: what is right loads exactly, what is wrong is told by line, key and sentence."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centrala.settings import (
    Agent,
    Announce,
    Balance,
    Balancing,
    Calendar,
    CallbackRules,
    Callbacks,
    Client,
    Destination,
    Disposition,
    Expert,
    Flow,
    FollowUp,
    Http,
    Https,
    LastAgent,
    Limits,
    Listen,
    Listener,
    Mail,
    MediaSettings,
    Parking,
    Queue,
    Reason,
    Secret,
    Settings,
    SettingsError,
    Slots,
    SpeechSettings,
    Table,
    Team,
    Tenant,
    Thresholds,
    Tier,
    Trunk,
    TrunkRegistration,
    Widen,
    load,
    parse,
)

pytestmark = pytest.mark.unit

EXAMPLE = Path(__file__).parent.parent / "data" / "centre.yaml"
REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "centre-yaml.md"

BASE = """\
tenants:
  acme:
    domain: acme.example
    clients: {shop: {name: Shop}}
    agents:
      alice: {sip_password: secret, skills: {sales: 9}}
    queues:
      sales: {agents: [alice]}
      night:
        agents: [alice]
"""
AFTER = BASE.count("\n") + 1
"""The line of what a test adds to BASE."""


def wrong(text: str, path: str = "centre.yaml", environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(text, Path(path), environ or {})
    lines = str(caught.value).split("\n")
    assert len(lines) == len(caught.value.problems)
    return lines


def queue_of(line: str) -> Queue:
    return parse(f"{BASE}        {line}\n", Path("centre.yaml")).tenants["acme"].queues["night"]


def test_the_example_loads_exactly() -> None:
    sales = Destination("queue", "sales")
    expected = Settings(
        listen=Listen(
            http=("127.0.0.1", 8080),
            sip=(
                Listener("udp", "127.0.0.1", 5060),
                Listener("tcp", "127.0.0.1", 5060),
                Listener("ws", "127.0.0.1", 5066),
            ),
            media=MediaSettings("127.0.0.1", (20000, 29999), 1),
        ),
        tenants={
            "acme": Tenant(
                id="acme",
                domain="acme.example",
                timezone="Europe/Warsaw",
                locale="pl",
                trunks={
                    "carrier": Trunk("carrier", address=("127.0.0.1", 5070), outbound=True),
                    "office": Trunk("office", network=ip_network("127.0.5.0/24")),
                },
                clients={"shop": Client("shop", "Sklep Kwiaty")},
                agents={
                    "alice": Agent(
                        "alice",
                        "Alice",
                        Secret("correct horse"),
                        ready_on_register=True,
                        skills={"sales": 9, "english": 5},
                    ),
                    "boris": Agent(
                        "boris",
                        "Boris",
                        Secret("battery staple"),
                        ready_on_register=True,
                        skills={"sales": 5},
                    ),
                    "clara": Agent("clara", "Clara", phone="sip:clara@127.0.0.1:36000", always_ready=True),
                },
                queues={
                    "sales": Queue(
                        "sales",
                        client="shop",
                        agents=("alice", "boris", "clara"),
                        strategy="longest_idle",
                        service_level=(0.8, 20.0),
                        ring_timeout=15.0,
                        wrap_up=10.0,
                        max_wait=600.0,
                        record=True,
                        music="default",
                    )
                },
                numbers={
                    "+48221234567": sales,
                    "201": Destination("agent", "alice"),
                    "202": Destination("agent", "boris", record=True),
                    "300": Destination("phone", "sip:expert@127.0.0.1:36010", record=True),
                    "400": Destination("music", "default"),
                },
            )
        },
        path=EXAMPLE,
    )
    found = load(EXAMPLE)
    assert found == expected
    assert list(found.tenants["acme"].numbers) == ["+48221234567", "201", "202", "300", "400"]


def test_a_secret_shows_itself_only_when_asked() -> None:
    found = load(EXAMPLE)
    assert "horse" not in repr(found)
    password = found.tenants["acme"].agents["alice"].sip_password
    assert password is not None
    assert (password.reveal(), f"{password} {password!r}") == ("correct horse", "*** ***")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15s", 15.0),
        ("10m", 600.0),
        ("1h", 3600.0),
        ("500ms", 0.5),
        ("1h30m", 5400.0),
        ("1m 30s", 90.0),
        ("45", 45.0),
        ("2.5", 2.5),
        ('"20"', 20.0),
        ("1m500ms", 60.5),
    ],
)
def test_durations(text: str, expected: float) -> None:
    assert queue_of(f"max_wait: {text}").max_wait == expected


@pytest.mark.parametrize(
    "text", ["1:30", "-5s", "ten", "5 parsecs", "1s1h", "''", "1e999", "٣s", ".inf", "9" * 5000]
)
def test_no_durations(text: str) -> None:
    (line,) = wrong(f"{BASE}        max_wait: {text}\n")
    assert line.startswith(f"centre.yaml:{AFTER}: tenants.acme.queues.night.max_wait: ")
    assert "expected a duration such as 500ms, 15s, 10m or 1h30m" in line


def test_scalars_keep_the_text_that_was_written() -> None:
    text = BASE + (
        "    locale: no\n"
        "    numbers: {201: {queue: sales}, +48221234567: {queue: sales}, 0048: {queue: sales},"
        " 1:30: {queue: sales}, 0x1F: {queue: sales}, 1_000: {queue: sales}, yes: {queue: sales},"
        " 1e3: {queue: sales}}\n"
    )
    tenant = parse(text, Path("centre.yaml")).tenants["acme"]
    assert list(tenant.numbers) == ["201", "+48221234567", "0048", "1:30", "0x1F", "1_000", "yes", "1e3"]
    assert tenant.locale == "no"


@pytest.mark.parametrize(
    ("text", "expected"), [("yes", True), ("off", False), ("TRUE", True), ("false", False)]
)
def test_yes_and_no(text: str, expected: bool) -> None:
    assert queue_of(f"record: {text}").record is expected


def test_opening_hours_and_holidays() -> None:
    queue = queue_of(
        "hours: {mon-thu: '9:00-17:00', fri: 9-12, sat: ['13:00-14:00', '10:00-12:00'], sun: closed}\n"
        "        holidays: [2026-12-26, 2026-12-25]"
    )
    day = ((540, 1020),)
    assert queue.hours == (day, day, day, day, ((540, 720),), ((600, 720), (780, 840)), ())
    assert queue.holidays == (date(2026, 12, 25), date(2026, 12, 26))
    assert queue_of("hours: {sat-mon: '0:00-24:00'}").hours == (
        ((0, 1440),),
        (),
        (),
        (),
        (),
        *(((0, 1440),),) * 2,
    )


def test_listeners_of_every_form(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("c")
    (tmp_path / "k.pem").write_text("k")
    text = (
        "listen:\n"
        "  http: '[::1]:0'\n"
        "  sip:\n"
        "  - udp:[::1]:5060\n"
        "  - {tls: '0.0.0.0:5061', certificate: c.pem, key: k.pem}\n"
        "  - {address: 'wss:localhost:5443', certificate: c.pem, key: k.pem}\n"
        "  - {tcp: '127.0.0.1:5060'}\n" + BASE
    )
    listen = parse(text, tmp_path / "centre.yaml").listen
    pem = (tmp_path / "c.pem", tmp_path / "k.pem")
    assert listen.http == ("::1", 0)
    assert listen.sip == (
        Listener("udp", "::1", 5060),
        Listener("tls", "0.0.0.0", 5061, *pem),
        Listener("wss", "localhost", 5443, *pem),
        Listener("tcp", "127.0.0.1", 5060),
    )
    assert parse("listen: {sip: 'tcp:127.0.0.1:5060'}\n" + BASE, tmp_path).listen.sip[0].transport == "tcp"
    assert parse(BASE, tmp_path).listen == Listen()


def test_secrets_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n")
    text = BASE + (
        "    trunks:\n"
        "      carrier:\n"
        "        address: sip.example\n"
        "        register: {user: 48221234567, password: {env: CARRIER}, expires: 1h}\n"
    )
    text = text.replace("sip_password: secret", "sip_password: {file: password}")
    tenant = parse(text, tmp_path / "centre.yaml", {"CARRIER": "from outside"}).tenants["acme"]
    assert tenant.agents["alice"].sip_password == Secret("from a file")
    assert tenant.trunks["carrier"] == Trunk(
        "carrier",
        address=("sip.example", 5060),
        register=TrunkRegistration("48221234567", Secret("from outside"), expires=3600.0),
    )
    lines = wrong(text, environ={})
    assert lines == [
        "centre.yaml:6: tenants.acme.agents.alice.sip_password: there is no file 'password';"
        " expected one that holds the secret",
        "centre.yaml:14: tenants.acme.trunks.carrier.register.password:"
        " the environment variable 'CARRIER' is not set; set it before the start",
    ]


def test_all_problems_at_once_in_the_order_of_lines() -> None:
    text = (
        BASE
        + "        strategy: longest_idel\n        ring_timout: 3s\n    numbers: {201: {queue: sails}}\nlisten: 5\n"
    )
    assert wrong(text) == [
        f"centre.yaml:{AFTER}: tenants.acme.queues.night.strategy: 'longest_idel' is not a strategy; expected one of"
        " longest_idle, most_skilled, round_robin, fewest_calls, ring_all (did you mean longest_idle?)",
        f"centre.yaml:{AFTER + 1}: tenants.acme.queues.night.ring_timout: unknown key; expected one of"
        f" {', '.join(keys_of(Queue))} (did you mean ring_timeout?)",
        f"centre.yaml:{AFTER + 2}: tenants.acme.numbers.201.queue: 'sails' is not a queue of this tenant;"
        " expected one of sales, night (did you mean sales?)",
        f"centre.yaml:{AFTER + 3}: listen: found '5'; expected a mapping with the keys http, https, sip, media,"
        " trusted_proxies",
    ]


HERE = f"centre.yaml:{AFTER}: tenants.acme."


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("        agents: [bob]", "queues.night.agents: given twice, first on line 10; keep one of the two"),
        (
            "        client: shoop",
            "queues.night.client: 'shoop' is not a client of this tenant; expected one of shop",
        ),
        (
            "        needs: {sales: 11}",
            "queues.night.needs.sales: found '11'; expected a whole number from 1 to 10",
        ),
        (
            "        needs: [sales]",
            "queues.night.needs: found a list; expected a mapping of skills to levels",
        ),
        (
            "        service_level: 80",
            "queues.night.service_level: '80' is not a service level; expected percent",
        ),
        ("        service_level: 101/20", "queues.night.service_level: '101/20' is not a service level"),
        ("        record: maybe", "queues.night.record: found 'maybe'; expected true or false"),
        ("        ring_timeout: 0", "queues.night.ring_timeout: found '0'; expected 1 to 3600 s"),
        ("        music: ../x", "queues.night.music: '../x' can't be a sound's name"),
        ("        when_full: {queue: night}", "queues.night.when_full: leads back to the queue itself"),
        (
            "        when_full: {queue: sales, agent: alice}",
            "queues.night.when_full: found queue and agent; expected ex",
        ),
        (
            "        when_full: busy",
            "queues.night.when_full: found 'busy'; expected a mapping with one of queue, agent",
        ),
        (
            "        when_full: {hang_up: bussy}",
            "queues.night.when_full.hang_up: 'bussy' is not a way to hang up",
        ),
        (
            "        hours: {mon-fri: '17-9'}",
            "queues.night.hours.mon-fri: found '17-9'; expected from-to within one",
        ),
        ("        hours: {mun: '9-17'}", "queues.night.hours.mun: 'mun' is no day; expected mon, tue"),
        (
            "        hours: {mon: [9-12, 11-13]}",
            "queues.night.hours.mon[1]: '11-13' overlaps the hours before it",
        ),
        ("        hours: {mon-wed: 9-12, tue: 9-12}", "queues.night.hours.tue: tue is given twice"),
        ("        holidays: [2026-02-30]", "queues.night.holidays[0]: '2026-02-30' is not a date"),
        ("        *x : 5s", "*x refers to nothing above it"),
        ("      sales: {}", "queues.sales: given twice, first on line 8; keep one of the two"),
        ("      'a b': {}", "queues.a b: 'a b' can't be an id; expected 1 to 64 of a-z A-Z 0-9 - _ ."),
        ("      ..: {}", "queues...: '..' can't be an id"),
        ("    domain: x.example", "domain: given twice, first on line 3"),
        ("    timezone: Europe/Warsav", "timezone: 'Europe/Warsav' is not a time zone; expected one such as"),
        ("    timezone: ../../etc/passwd", "timezone: '../../etc/passwd' is not a time zone"),
        ("    locale: polish-", "locale: 'polish-' is not a locale"),
        ("    queue: {}", "queue: unknown key; expected one of domain, name, country, timezone"),
        ("    trunks: {t: }", "trunks.t: leads nowhere; expected at least one of address, network, register"),
        (
            "    trunks: {t: {network: 10.0.0.1/8}}",
            "trunks.t.network: '10.0.0.1/8' is an address inside a network; ex",
        ),
        ("    trunks: {t: {network: ten}}", "trunks.t.network: 'ten' is not a network"),
        (
            "    trunks: {t: {network: 10.0.0.0/8, outbound: on}}",
            "trunks.t: can't take calls out without address or",
        ),
        (
            "    trunks: {t: {address: 'a:0'}}",
            "trunks.t.address: 'a:0' is not an address; expected host:port",
        ),
        ("    trunks: {t: {address: 10.0.0.300}}", "trunks.t.address: '10.0.0.300' is not an address"),
        (
            "    trunks: {t: {address: a}, u: {address: a}}",
            "trunks.u: has the same address as the trunk t (line 11)",
        ),
        ("    trunks: {t: {register: {user: u, password: p}}}", "trunks.t: has nowhere to register"),
        (
            "    trunks: {t: {register: {user: u}}}",
            "trunks.t.register.password: is missing and has no default",
        ),
        (
            "    trunks: {t: {address: a, register: {user: u, password: {}}}}",
            "trunks.t.register.password: found nothing",
        ),
        (
            "    trunks: {t: {address: a, transport: sctp}}",
            "trunks.t.transport: 'sctp' is not a trunk's transport",
        ),
        (
            "    numbers: {201: {agent: alise}}",
            "numbers.201.agent: 'alise' is not an agent of this tenant; expected",
        ),
        ("    numbers: {201: {phone: clara}}", "numbers.201.phone: 'clara' is not a SIP address"),
        (
            "    numbers: {201: {queue: sales, record: on}}",
            "numbers.201.record: a destination of kind queue has no r",
        ),
        (
            "    numbers: {201: {record: on}}",
            "numbers.201: found no destination; expected exactly one of queue",
        ),
        ("    numbers: {201: }", "numbers.201: found no destination"),
        (
            "    numbers: {201: {queue: sales}, '201': {queue: sales}}",
            "numbers.201: given twice, first on line 11",
        ),
        ("    numbers: {'': {queue: sales}}", "numbers.: can't be dialled"),
        ("    numbers: [201]", "numbers: found a list; expected a mapping of numbers to destinations"),
        ("    numbers: {[a]: {queue: sales}}", "numbers: a list or mapping can't be a key"),
    ],
)
def test_mistakes_in_a_tenant(line: str, sentence: str) -> None:
    found = wrong(f"{BASE}{line}\n")[0]
    expected = f"centre.yaml:{AFTER}: " if sentence.startswith("*") else HERE
    assert found.startswith(expected + sentence)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{http: 8080}", "listen.http: '8080' is not an address; expected host:port"),
        ("{sip: [sctp:127.0.0.1:1]}", "listen.sip[0]: 'sctp:127.0.0.1:1' is not a place to listen"),
        ("{sip: ['udp:::1:5060']}", "listen.sip[0]: 'udp:::1:5060' is not a place to listen"),
        ("{sip: ['udp:127.0.0.1']}", "listen.sip[0]: 'udp:127.0.0.1' is not a place to listen"),
        ("{sip: ['udp:127.0.0.1:70000']}", "listen.sip[0]: 'udp:127.0.0.1:70000' is not a place to listen"),
        (
            "{sip: ['tls:127.0.0.1:5061']}",
            "listen.sip[0]: tls needs a certificate and its key; expected {tls: ",
        ),
        (
            "{sip: [{tls: 'a:1', certificate: no.pem, key: k}]}",
            "listen.sip[0].certificate: 'no.pem' is not a file",
        ),
        ("{sip: [{tls: 'a:1', wss: 'a:2'}]}", "listen.sip[0]: found tls, wss; expected one of address, udp"),
        ("{sip: ['tcp:a:1', 'ws:a:1']}", "listen.sip: ws and tcp can't both listen on a port 1; change one"),
        ("{http: 'a:1', sip: ['ws:a:1']}", "listen.sip: ws and http can't both listen on a port 1"),
        ("{sip: ['udp:a:1', 'udp:a:1']}", "listen.sip[1]: 'udp:a:1' is in the list twice"),
        ("{media: {ports: 300-200}}", "listen.media.ports: '300-200' is not a range of ports"),
        ("{media: {address: localhost}}", "listen.media.address: 'localhost' is not an IP address"),
        (
            "{media: {workers: 1.5}}",
            "listen.media.workers: found '1.5'; expected a whole number from 1 to 64",
        ),
        (
            "{media: {worker: 1}}",
            "listen.media.worker: unknown key; expected one of address, ports, workers, adv",
        ),
    ],
)
def test_mistakes_in_listen(line: str, sentence: str) -> None:
    assert wrong(f"listen: {line}\n{BASE}")[0].startswith(f"centre.yaml:1: {sentence}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "centre.yaml: is empty; expected at least the key tenants"),
        ("# nothing\n", "centre.yaml: is empty; expected at least the key tenants"),
        ("- a\n", "centre.yaml:1: found a list; expected a mapping with the keys listen and tenants"),
        ("hello\n", "centre.yaml:1: found 'hello'; expected a mapping with the keys listen and tenants"),
        ("{}\n", "centre.yaml:1: tenants: is missing and has no default"),
        ("tenants: {}\n", "centre.yaml:1: tenants: found no tenant; expected at least one"),
        ("tenants:\n  a: {}\n", "centre.yaml:2: tenants.a.domain: is missing and has no default"),
        ("tenants:\n  a: [\n", "centre.yaml:3: not valid YAML: "),
        ("tenants:\n\ta: 1\n", "centre.yaml:2: not valid YAML: "),
        ("tenants: a: b\n", "centre.yaml:1: not valid YAML: "),
        (
            "tenants: {\n a: \x00}\n",
            "centre.yaml:2: the character U+0000 can't stand in a settings file; remove it",
        ),
        ("a: 1\n---\nb: 1\n", "centre.yaml:2: a second document begins here; expected one"),
        (
            "a: 1\nb: !!python/object/apply:os.system [x]\n",
            "centre.yaml:2: the tag 'tag:yaml.org,2002:python/object",
        ),
        ("a: &x [*x]\n", "centre.yaml:1: *x refers to nothing above it"),
        ("[" * 100_000, "centre.yaml:1: nested more than 32 levels deep"),
        ("a: " * 100_000, "centre.yaml:1: not valid YAML: "),
        ("tenants:\n  acme\n  other: {}\n", "centre.yaml:3: not valid YAML: "),
    ],
)
def test_files_that_are_no_centre(text: str, sentence: str) -> None:
    (line,) = wrong(text)
    assert line.startswith(sentence)


def test_an_alias_bomb_does_not_go_off() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert wrong(bomb)[0].startswith("centre.yaml:6: the file is too big")
    chain = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 1000))
    assert "the file is too big" in wrong(chain)[0]


def test_anchors_and_merge_keys_give_defaults() -> None:
    text = BASE.replace("sales: {agents: [alice]}", "sales: &q {agents: [alice], wrap_up: 5s, priority: 2}")
    queue = parse(text + "      day: {<<: *q, priority: 3}\n", Path("c.yaml")).tenants["acme"].queues["day"]
    assert (queue.id, queue.agents, queue.wrap_up, queue.priority) == ("day", ("alice",), 5.0, 3)


def test_without_libyaml_all_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = load(EXAMPLE)
    faulty = BASE + "        when_full: \n        priority: x\n        agents: []\n    trunks: {t: }\n"
    lines = wrong(faulty)
    monkeypatch.setattr("centrala.settings.tree._LOADER", yaml.SafeLoader)
    assert load(EXAMPLE) == fast
    assert wrong(faulty) == lines
    assert wrong("[" * 100_000) == ["centre.yaml:1: nested more than 32 levels deep"]


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    for make, path, sentence in (
        (None, tmp_path / "none.yaml", "there is no such file"),
        (None, tmp_path, "is a folder"),
        (b"a: \xff\n", tmp_path / "latin.yaml", "is not UTF-8 text"),
        (b" " * (9 << 20), tmp_path / "big.yaml", "is bigger than 8 MiB"),
    ):
        if make is not None:
            path.write_bytes(make)
        with pytest.raises(SettingsError, match=sentence) as caught:
            load(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="can't be read"):
        load("a\0b")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    assert "acme" in load(tmp_path / "bom.yaml").tenants


def test_no_message_shows_a_password() -> None:
    for password in ("['hunter2']", "{hunter2: x}", '"hunter2\\n"', "{env: A, file: hunter2}"):
        for line in wrong(BASE.replace("sip_password: secret", f"sip_password: {password}")):
            assert line.startswith("centre.yaml:6: tenants.acme.agents.alice.sip_password")
            assert "hunter2" not in line.partition(": unknown key")[0].partition("sip_password")[2].lstrip(
                "."
            ) or ("unknown key" in line)


def test_what_two_tenants_can_not_share() -> None:
    other = BASE.removeprefix("tenants:\n").replace("acme:", "umbrella:")
    both = BASE + "    numbers: {201: {queue: sales}}\n    trunks: {t: {address: '192.0.2.7:5060'}}\n" + other
    assert wrong(both) == [
        "centre.yaml:14: tenants.umbrella.domain: 'acme.example' is already the domain of the tenant acme (line 3);"
        " expected a domain of its own"
    ]
    both = both[::-1].replace("acme.example"[::-1], "umbrella.example"[::-1], 1)[::-1]
    both += "    numbers: {201: {queue: sales}}\n"
    assert len(parse(both, Path("c.yaml")).tenants) == 2
    for place in ("address: '192.0.2.7:5060'", "network: 192.0.2.0/24"):
        assert wrong(f"{both}    trunks: {{t: {{{place}}}}}\n") == [
            "centre.yaml:22: tenants.umbrella.numbers.201: already reaches something in the tenant acme (line 11), and"
            " both tenants have a trunk at the same address; expected the number in one of them"
        ]
    assert len(parse(both + "    trunks: {t: {address: '192.0.2.7:5062'}}\n", Path("c.yaml")).tenants) == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("        when_full: {hang_up: busy}", "queues.night.when_full: has no effect without max_length"),
        (
            "        after_max_wait: {hang_up: busy}",
            "queues.night.after_max_wait: has no effect without max_wait",
        ),
        (
            "        when_closed: {hang_up: busy}",
            "queues.night.when_closed: has no effect without hours or holidays",
        ),
        ("        needs: {english: 1}", None),
        ("      any: {}", "queues.any: has neither agents nor needs, so every agent of the tenant serves it"),
        ("      any: {needs: {sales: 10}}", "queues.any: no agent can serve it"),
        (
            "    numbers: {alice: {queue: sales}}",
            "numbers.alice: is also an agent's id; who dials it reaches this num",
        ),
        ("    numbers: {1 2: {queue: sales}}", "numbers.1 2: has a space in it"),
    ],
)
def test_warnings(line: str, sentence: str | None) -> None:
    (found,) = parse(f"{BASE}{line}\n", Path("centre.yaml")).warnings
    if sentence is None:
        assert found.startswith("centre.yaml:9: tenants.acme.queues.night: no agent can serve it")
    else:
        assert found.startswith(HERE + sentence)
    assert parse(BASE + "    numbers: {alice: {agent: alice}}\n", Path("centre.yaml")).warnings == ()


@pytest.mark.parametrize(
    ("parking", "sentence"),
    [
        ("{slots: 720-701}", "slots: found '720-701'; expected the lower number first"),
        ("{slots: 98-102}", "slots: found '98-102'; expected the lower number first, as many digits in both"),
        ("{slots: 1000-9999}", "and at most 200 slots"),
        ("{slots: all}", "slots: found 'all'; expected a range of numbers such as 701-720"),
        ("{slots: 701-703, number: '702'}", "702 is one of the slots; expected another number to park by"),
        ("{slots: 701-703, number: seven}", "number: found 'seven'; expected a number of 2 to 8 digits"),
        ("{slots: 701-703}\n    numbers: {702: {queue: night}}", "702 is a number of the house, too"),
        ("{number: '700'}", "slots"),
    ],
)
def test_parking_that_cannot_be(parking: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(f"{BASE}    parking: {parking}\n", Path("centre.yaml"))
    assert sentence in str(caught.value)


def test_slots_of_parking() -> None:
    tenant = parse(f"{BASE}    parking: {{slots: 08-11, number: 12}}\n", Path("centre.yaml")).tenants["acme"]
    assert tenant.parking is not None
    assert tenant.parking.slots == ("08", "09", "10", "11")


# ---- the reference is true to the code


def keys_of(cls: type) -> list[str]:
    beside = ("id", "path", "warnings", "source", "texts", "saved", "graph")
    return [{"sender": "from"}.get(one.name, one.name) for one in fields(cls) if one.name not in beside]


def rows(cls: type) -> dict[str, tuple[str, str]]:
    """Key to default and example, as YAML, from the class's table in the reference."""
    section = re.search(rf"^## {cls.__name__}$(.*?)(?=^## |\Z)", REFERENCE.read_text("utf-8"), re.M | re.S)
    assert section, f"{cls.__name__} is not in {REFERENCE.name}"
    table = re.findall(r"^\| `(\w+)` \| .+? \| (\S.*?) \| .+ \| (`.+`) \|$", section[1], re.M)
    return {key: (default.strip("`"), example.strip("`")) for key, default, example in table}


AROUND: dict[type, str] = {
    Settings: "tenants: {acme: {domain: acme.example}}\nKEY",
    Listen: "tenants: {acme: {domain: acme.example}}\nlisten:\n  KEY",
    MediaSettings: "tenants: {acme: {domain: acme.example}}\nlisten:\n  media:\n    KEY",
    Tenant: "tenants:\n  acme:\n    domain: acme.example\n    KEY",
    Trunk: "tenants:\n  acme:\n    domain: a\n    trunks:\n      t:\n        address: a.example\n        KEY",
    TrunkRegistration: "tenants:\n  acme:\n    domain: a\n    trunks:\n      t:\n        address: a\n"
    "        register:\n          user: u\n          password: p\n          KEY",
    Client: "tenants:\n  acme:\n    domain: a\n    clients:\n      c:\n        KEY",
    Agent: "tenants:\n  acme:\n    domain: a\n    queues:\n      sales: {}\n    agents:\n      a:\n"
    "        phone: sip:a@b\n        sip_password: p\n        KEY",
    Queue: BASE + "        KEY\n    dispositions: {sold: Sold}\n    flows:\n"
    "      payment: {start: a, nodes: {a: {type: return}}}\n"
    "      after_call: {start: a, nodes: {a: {type: hang_up}}}",
    Team: BASE + "    teams:\n      t:\n        KEY",
    Reason: "tenants:\n  acme:\n    domain: a\n    reasons:\n      r:\n        label: Rest\n        KEY",
    Disposition: "tenants:\n  acme:\n    domain: a\n    dispositions:\n      d:\n        KEY",
    Thresholds: BASE + "        thresholds:\n          KEY",
    Destination: BASE + "    numbers:\n      1:\n        KEY",
    Announce: BASE + "        announce:\n          KEY",
    Callbacks: BASE + "        callbacks:\n          KEY",
    Slots: BASE + "        callbacks:\n          slots:\n            KEY",
    FollowUp: BASE + "        follow_up:\n          KEY",
    Widen: BASE
    + "        widen:\n        -\n          needs: {sales: 1}\n          after: 60s\n          KEY\n"
    "      other: {agents: []}\n    calendars: {office: {holidays: [2026-12-25]}}",
    LastAgent: BASE + "        last_agent:\n          KEY",
    Tier: BASE + "    tiers:\n      2:\n        KEY",
    Expert: BASE + "    experts:\n      x:\n        number: 123\n        KEY\n"
    "    calendars: {office: {holidays: [2026-12-25]}}",
    CallbackRules: BASE + "    callbacks:\n        KEY",
    Parking: BASE + "    parking:\n        slots: 801-803\n        number: 900\n        KEY",
    Calendar: BASE + "    calendars:\n      c:\n        KEY",
    Table: BASE + "    tables:\n      t:\n        file: t.csv\n        KEY",
    Mail: BASE + "    mail:\n        host: mail.example\n        from: a@mail.example\n        user: u\n"
    "        password: p\n        KEY",
    Http: BASE + "    http:\n        KEY",
    SpeechSettings: BASE + "    speech:\n        KEY",
    Balance: BASE + "        balance:\n          KEY",
    Balancing: BASE + "    balancing:\n        KEY",
}


def documented() -> Iterator[tuple[type, str, str, str]]:
    for cls in (*AROUND, Listener, Https, Flow):
        for key, (default, example) in rows(cls).items():
            yield cls, key, default, example


@pytest.mark.parametrize("cls", [one for one in AROUND if one is not Destination])
def test_the_reference_tells_every_key(cls: type) -> None:
    assert sorted(rows(cls)) == sorted(keys_of(cls))


def test_the_reference_tells_the_keys_of_listeners_and_destinations() -> None:
    assert list(rows(Listener)) == ["address", "certificate", "key"]
    assert list(rows(Https)) == ["address", "certificate", "key"]
    assert list(rows(Destination)) == ["queue", "agent", "phone", "music", "hang_up", "flow", "record"]


@pytest.mark.parametrize(("cls", "key", "default", "example"), list(documented()))
def test_the_reference_tells_the_truth(cls: type, key: str, default: str, example: str) -> None:
    if cls is Listener:
        assert default == ("*required*" if key == "address" else "*none*")
        return
    if cls is Https:
        assert default == "*required*"
        return
    if cls is Flow:  # its file isn't there
        assert default == "*none*"
        return
    if (cls, key) == (Listen, "https"):  # its files aren't there
        with pytest.raises(SettingsError, match="is not a file"):
            parse(f"listen: {{https: {example}}}\ntenants: {{a: {{domain: a}}}}", Path("c.yaml"))
        return

    def with_key(value: str) -> Settings:
        around = re.sub(rf"(?m)^ *{key}: .*\n(?=.*KEY| +\w+: \w+\n.*KEY)", "", AROUND[cls])
        if cls is Mail:
            around = re.sub(rf"(?m)^ +{key}: .*\n", "", around)
        if cls is Expert and key == "phone":
            around = re.sub(r"(?m)^ +number: .*\n", "", around)
        if cls is Destination and key == "record":
            around = around.replace("KEY", "agent: alice\n        KEY")
        line = (
            f"{key}: {value}"
            if value
            else "{}"
            if cls in (Announce, Slots, FollowUp, LastAgent, Balance, Balancing)
            else ""
        )
        return parse(
            around.replace("KEY", line).replace("agents: [alice]\n        agents", "agents"), Path("c.yaml")
        )

    if cls is Settings and key == "tenants":
        assert default == "*required*"
        assert "acme" in parse(f"tenants: {example}", Path("c.yaml")).tenants
        return
    with_key(example)
    if cls is Destination:
        return
    field = next(one for one in fields(cls) if one.name == {"from": "sender"}.get(key, key))
    if default == "*required*":
        assert field.default is MISSING
        with pytest.raises(SettingsError):
            with_key("")
    elif default == "*none*":
        assert field.default is None
    else:
        assert with_key(default) == with_key("")
        assert with_key(example) != with_key("") or cls is Settings


# ---- what people on the floor read


def tenant_of(text: str, queue: str = "") -> Tenant:
    return parse(f"{BASE}        {queue}\n    {text}\n", Path("centre.yaml")).tenants["acme"]


def test_labels_hold_every_language() -> None:
    found = tenant_of(
        "reasons: {lunch: Lunch, tea: {pl: Herbata, ru: Чай}, rest: {label: {en: Rest, pl: Odpoczynek}, limit: 15m}}"
    ).reasons
    assert found == {
        "lunch": Reason("lunch", {"en": "Lunch", "pl": "Lunch", "ru": "Lunch"}),
        "tea": Reason("tea", {"en": "Herbata", "pl": "Herbata", "ru": "Чай"}),
        "rest": Reason("rest", {"en": "Rest", "pl": "Odpoczynek", "ru": "Rest"}, 900.0),
    }


def test_a_tenant_that_names_no_reasons_has_the_usual_ones() -> None:
    found = tenant_of("").reasons
    assert list(found) == ["break", "lunch", "training", "meeting", "back_office", "coaching", "technical"]
    assert found["lunch"].label == {"en": "Lunch", "pl": "Przerwa obiadowa", "ru": "Обед"}
    assert all(set(one.label) == {"en", "pl", "ru"} for one in found.values())


def test_teams_dispositions_and_thresholds() -> None:
    found = tenant_of(
        "dispositions: {sold: {en: Sold}, lost: {label: Lost}}\n"
        "    teams: {day: {name: Day, agents: [alice], leader: alice}}",
        "dispositions: [lost, sold]\n"
        "        thresholds: {service_level: {warn: 80%, alarm: 70}, waiting: {alarm: 9}}",
    )
    assert found.teams == {"day": Team("day", "Day", ("alice",), "alice")}
    assert (found.team_of("alice"), found.team_of("boris")) == ("day", None)
    assert list(found.dispositions) == ["sold", "lost"]
    assert found.queues["night"].dispositions == ("lost", "sold")
    limits = found.queues["night"].thresholds
    assert limits == Thresholds(Limits(0.8, 0.7), None, Limits(None, 9))


@pytest.mark.parametrize(
    ("text", "queue", "says"),
    [
        ("teams: {a: {agents: [alice]}, b: {agents: [alice]}}", "", "alice is in the team a already"),
        ("teams: {a: {agents: [alicia]}}", "", "did you mean alice?"),
        ("reasons: {lunch: {limit: 5m}}", "", "reasons.lunch.label: is missing"),
        ("reasons: {lunch: {label: {de: Pause}}}", "", "unknown key; expected one of en, pl, ru"),
        ("reasons: {lunch: {label: {}}}", "", "found no text"),
        ("reasons: {'a b': Lunch}", "", "can't be an id"),
        ("dispositions: {sold: [Sold]}", "", "expected a text"),
        ("dispositions: {sold: Sold}", "dispositions: [gone]", "is not a disposition of this tenant"),
        ("", "thresholds: {waiting: {warn: 9, alarm: 5}}", "the alarm would come before the warning"),
        ("", "thresholds: {service_level: {warn: 70, alarm: 80}}", "the alarm would come before the warning"),
        ("", "thresholds: {service_level: {warn: 101}}", "is not a percentage"),
        ("country: POL", "", "is not a country's code"),
        ("country: XX", "", "is not a country's code"),
    ],
)
def test_mistakes_of_the_floor(text: str, queue: str, says: str) -> None:
    found = wrong(f"{BASE}        {queue}\n    {text}\n")
    assert any(says in one for one in found), found


def test_what_a_queue_owes() -> None:
    found = tenant_of(
        "callbacks: {countries: [de, PL]}",
        'keys: {"1": {flow: callback}, "*": {queue: sales}, "9": {hang_up: busy}}\n'
        "        callbacks: {attempts: 2, retry: 10m, slots: {share: 30, days: 2}}\n"
        "        follow_up: {after: 5m, priority: -5}",
    )
    night = found.queues["night"]
    assert list(night.keys) == ["1", "*", "9"]
    assert night.keys["1"] == Destination("flow", "callback")
    assert night.callbacks == Callbacks(attempts=2, retry=600.0, slots=Slots(0.3, 2))
    assert night.follow_up == FollowUp(after=300.0, priority=-5)
    assert found.queues["sales"].follow_up is None
    assert found.callbacks.countries == ("DE", "PL")


@pytest.mark.parametrize(
    ("queue", "says"),
    [
        ('keys: {"12": {hang_up: busy}}', "is no key of a telephone"),
        ("keys: {A: {hang_up: busy}}", "is no key of a telephone"),
        ('keys: {"1": {flow: callback}, "2": {queue: night}}', "leads back to the queue itself"),
        ('keys: {"1": 5}', "expected a mapping"),
        ("callbacks: {attempts: 0}", "found '0'; expected a whole number from 1 to 20"),
        ("callbacks: {retry: 1s}", "expected 10 to 86400 s"),
        ("callbacks: {slots: {share: 101}}", "is not a percentage"),
        ("follow_up: {afterwards: 1m}", "did you mean after?"),
    ],
)
def test_mistakes_in_what_a_queue_owes(queue: str, says: str) -> None:
    found = wrong(f"{BASE}        {queue}\n")
    assert any(says in one for one in found), found


def test_nobody_is_called_back_without_a_trunk_out() -> None:
    def warnings(trunk: str) -> list[str]:
        text = (
            f"{BASE}        follow_up: {{}}\n    trunks: {{t: {{address: a.example, outbound: {trunk}}}}}\n"
        )
        return [one for one in parse(text, Path("centre.yaml")).warnings if "called back" in one]

    assert warnings("true") == []
    assert "follow_up: nobody can be called back" in warnings("false")[0]


def test_flows_that_every_house_has_need_no_warning() -> None:
    def warnings(flow: str) -> tuple[str, ...]:
        text = f'{BASE}        keys: {{"1": {{flow: {flow}}}}}\n'
        return parse(text, Path("centre.yaml")).warnings

    assert not any("is no flow" in one for one in warnings("callback"))
    assert any("is no flow" in one for one in warnings("callbak"))


def test_an_agent_needs_no_telephone_where_there_are_pages() -> None:
    for listen, warned in (("{}", True), ("{http: '127.0.0.1:80'}", False)):
        text = f"listen: {listen}\ntenants: {{a: {{domain: a, agents: {{al: {{ready_on_register: true}}}}}}}}"
        found = parse(text, Path("c.yaml"))
        assert any("can't be called" in one for one in found.warnings) is warned
        assert found.tenants["a"].agents["al"].ready_on_register


def test_secrets_by_reference(tmp_path: Path) -> None:
    (tmp_path / "pass word.txt").write_text("from a file\n")
    for text, secret in {
        "env:PASS": "from outside",
        "{env: PASS}": "from outside",
        '"file:pass word.txt"': "from a file",
        "{file: pass word.txt}": "from a file",
        '"env: PASS"': "env: PASS",
        "environment:PASS": "environment:PASS",
    }.items():
        file = f"tenants: {{a: {{domain: a, agents: {{al: {{sip_password: {text}}}}}}}}}"
        found = parse(file, tmp_path / "centre.yaml", {"PASS": "from outside"})
        password = found.tenants["a"].agents["al"].sip_password
        assert password is not None
        assert password.reveal() == secret
    assert "is not set" in wrong("tenants: {a: {domain: a, agents: {al: {sip_password: env:NO}}}}")[0]


# ---- the web server's addresses


def test_https_and_proxies(tmp_path: Path) -> None:
    for name in ("c.pem", "c.key"):
        (tmp_path / name).touch()
    file = (
        "listen:\n  http: 127.0.0.1:8080\n  https: {address: '0.0.0.0:8443', certificate: c.pem, key: c.key}\n"
        "  trusted_proxies: [127.0.0.1/32, 10.0.0.0/8, '::1']\ntenants: {a: {domain: a}}\n"
    )
    found = parse(file, tmp_path / "centre.yaml").listen
    assert found.https == Https(("0.0.0.0", 8443), tmp_path / "c.pem", tmp_path / "c.key")
    assert [str(one) for one in found.trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
    said = wrong(
        file.replace("8080", "8443").replace("127.0.0.1:", "0.0.0.0:"), str(tmp_path / "centre.yaml")
    )
    assert "https and http can't both listen" in said[0]


@pytest.mark.parametrize(
    ("http", "more", "warned"),
    [
        ("127.0.0.1:80", "", False),
        ("localhost:80", "", False),
        ("'[::1]:80'", "", False),
        ("0.0.0.0:80", "", True),
        ("centre.example:80", "", True),
        ("0.0.0.0:80", ", trusted_proxies: [10.0.0.1/32]", False),
    ],
)
def test_http_beyond_loopback_is_warned_of(http: str, more: str, warned: bool) -> None:
    found = parse(f"listen: {{http: {http}{more}}}\ntenants: {{a: {{domain: a}}}}\n", Path("c.yaml"))
    assert [one for one in found.warnings if "unencrypted" in one] == list(found.warnings)
    assert bool(found.warnings) is warned


# ---- nothing crashes it


def either(text: str) -> None:
    try:
        parse(text, Path("centre.yaml"), {})
        problems = None
    except SettingsError as error:
        problems = error.problems
    if problems is not None:
        assert problems
        lines = len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text))
        assert all(problem.text and 0 <= problem.line <= lines + 1 for problem in problems)


LINES = EXAMPLE.read_text("utf-8").splitlines()
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.text(alphabet=st.sampled_from("ab:{}[]&*!|>-?,'\"#%@` \n\t~<=0\x85é\U0001f600"), max_size=80))
def test_random_text(text: str) -> None:
    either(text)
    either(f"tenants:\n  a:\n    domain: {text}\n")


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@QUICK
@given(st.data())
def test_random_values_under_real_keys(data: st.DataObject) -> None:
    tree = yaml.safe_load("\n".join(LINES))
    for _ in range(data.draw(st.integers(1, 3))):
        place = tree
        while isinstance(place, dict) and place:
            key = data.draw(st.sampled_from(list(place)))
            if not isinstance(place[key], dict) or data.draw(st.integers(0, 3)) == 0:
                place[key] = data.draw(YAML_VALUES)
                break
            place = place[key]
    either(yaml.safe_dump(tree, allow_unicode=True))


@QUICK
@given(st.data())
def test_random_cuts_of_the_example(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        line = lines[index]
        cut = data.draw(st.integers(0, len(line)))
        lines[index] = data.draw(
            st.sampled_from(
                [line[:cut], line[cut:], f" {line}", f"{line}\n{line}", line[:cut] + "*" + line[cut:], ""]
            )
        )
    either("\n".join(lines))

"""Who calls, before the core hears of it; which numbers may be called back; what of a message may be played."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from centrala.core.commands import Part
from centrala.customers import open_customers
from centrala.customers.arriving import Acquaintance, Arriving
from centrala.customers.numbers import callable_as
from centrala.errands.customer import Callers
from centrala.errands.number import Numbers
from centrala.errands.order import Order, Result
from centrala.ledger import open_log
from centrala.speech import Speech

pytestmark = pytest.mark.unit

NOW = 1_795_000_000.0
NUMBER = "+48600700800"


def house(folder: Path, *, secret: bytes = b"s" * 32) -> Arriving:
    with open_log(folder):
        pass
    open_customers(folder, lambda tenant: "PL").close()
    return Arriving(folder, secret, lambda tenant: ("PL", ()))


def talked(
    folder: Path, name: str, address: str, at: float, agent: str | None, *owners: str, tenant: str = "acme"
) -> None:
    segments = ", ".join(f'{{"agent":"{one}","role":"agent","since":1,"until":2}}' for one in owners)
    with sqlite3.connect(folder / "ledger.db") as db:
        db.execute("INSERT INTO parties VALUES (?, ?, ?, '', ?)", (tenant, name, address, at))
        db.execute(
            "INSERT INTO records(tenant, id, medium, direction, party, dialled, arrived_at, answered_at, talk_s,"
            " hold_s, agent, segments) VALUES (?, ?, 'voice', 'inbound', ?, '1', ?, ?, 0, 0, ?, ?)",
            (tenant, name, name, at, None if agent is None else at + 1, agent, f"[{segments}]"),
        )


# --- pseudonyms ---


def test_a_pseudonym_tells_one_number_in_all_its_spellings(tmp_path: Path) -> None:
    known = house(tmp_path)
    same = {known.pseudonym("acme", one) for one in (NUMBER, "600700800", "0048600700800", "48600700800")}
    assert len(same) == 1
    (name,) = same
    assert len(name) == 32
    assert "600" not in name or "700800" not in name
    assert known.pseudonym("acme", "600700801") != name
    assert known.pseudonym("other", NUMBER) != name, "tenants can't compare their callers"
    assert house(tmp_path, secret=b"t" * 32).pseudonym("acme", NUMBER) != name


@pytest.mark.parametrize("number", ["", "anonymous", "Anonymous", "withheld", "unavailable", None, "alice"])
def test_who_shows_no_number_has_no_pseudonym(tmp_path: Path, number: str | None) -> None:
    known = house(tmp_path)
    assert known.pseudonym("acme", number) == ""
    assert known.of("acme", number, NOW) == Acquaintance()


# --- who talked with them ---


def test_the_last_agent_by_any_spelling(tmp_path: Path) -> None:
    known = house(tmp_path)
    assert known.of("acme", NUMBER, NOW).last_agent == ""
    talked(tmp_path, "a", "600700800", NOW - 5000, "ann", "ann")
    talked(tmp_path, "b", NUMBER, NOW - 4000, "bob", "bob", "cid")  # transferred
    talked(tmp_path, "c", NUMBER, NOW - 3000, None)  # hung up
    talked(tmp_path, "d", NUMBER, NOW - 10, "eve", "eve", tenant="other")
    found = known.of("acme", "0048600700800", NOW)
    assert (found.last_agent, found.last_at) == ("cid", NOW - 3999)
    assert found.caller == known.pseudonym("acme", NUMBER)
    assert known.of("other", NUMBER, NOW).last_agent == "eve"


def test_nobody_remembers_for_ever(tmp_path: Path) -> None:
    known = house(tmp_path)
    talked(tmp_path, "a", NUMBER, NOW - 91 * 86400, "ann", "ann")
    assert known.of("acme", NUMBER, NOW).last_agent == ""


def test_a_record_of_an_older_version_has_its_agent(tmp_path: Path) -> None:
    known = house(tmp_path)
    talked(tmp_path, "a", NUMBER, NOW - 100, "ann")
    assert known.of("acme", NUMBER, NOW).last_agent == "ann"


def test_the_agent_whom_the_card_names(tmp_path: Path) -> None:
    known = house(tmp_path)
    customers = open_customers(tmp_path, lambda tenant: "PL")
    phone = {"kind": "phone", "value": "600 700 800", "label": ""}
    fields = {"given": "Ewa", "identity.p1": phone, "preferred_agent": "ann"}
    customers.add("acme", "person", fields, "x", NOW)
    assert known.of("acme", NUMBER, NOW).preferred == "ann"
    assert known.of("other", NUMBER, NOW).preferred == ""
    # A second person at the same number who wants somebody else: nobody is preferred.
    customers.add(
        "acme", "person", {"given": "Jan", "identity.p1": phone, "preferred_agent": "bob"}, "x", NOW
    )
    assert known.of("acme", NUMBER, NOW).preferred == ""
    customers.close()


def test_without_a_ledger_a_call_comes_all_the_same(tmp_path: Path) -> None:
    known = Arriving(tmp_path / "nothing", b"s" * 32, lambda tenant: ("PL", ()))
    found = known.of("acme", NUMBER, NOW)
    assert found == Acquaintance(known.pseudonym("acme", NUMBER))
    assert known.address("acme", "x") is None


def test_addresses_of_parties(tmp_path: Path) -> None:
    known = house(tmp_path)
    talked(tmp_path, "a", "600700800", NOW, "ann")
    talked(tmp_path, "b", "anonymous", NOW, "ann")
    assert known.address("acme", "a") == "600700800"
    assert known.address("acme", "b") is None
    assert known.address("acme", "gone") is None
    assert known.address("other", "a") is None
    assert known.dialable("acme", "600700800") == NUMBER
    assert known.dialable("acme", "701112233") == ""


# --- numbers that may be called ---


@pytest.mark.parametrize(
    ("number", "country", "others", "expected"),
    [
        ("600700800", "PL", (), ("+48600700800", None)),
        ("22 123 45 67", "PL", (), ("+48221234567", None)),
        ("89161234567", "RU", (), ("+79161234567", None)),
        ("+4930123456", "PL", ("DE",), ("+4930123456", None)),
        ("+4930123456", "PL", (), ("", "foreign")),
        ("+77011234567", "RU", (), ("", "foreign")),  # Kazakhstan, of the same country's code
        ("+18765551234", "US", (), ("", "foreign")),
        ("+882161234567", "PL", (), ("", "foreign")),  # satellite
        ("701112233", "PL", (), ("", "premium")),
        ("801123456", "PL", (), ("", "premium")),  # shared cost
        ("88095051234", "RU", (), ("", "premium")),
        ("+447012345678", "GB", (), ("", "premium")),  # personal numbers are dear
        ("112", "PL", (), ("", "short")),
        ("60070080", "PL", (), ("", "wrong")),
        ("*31#600700800", "PL", (), ("", "wrong")),
        ("600700800", None, (), ("", "wrong")),
        ("", "PL", (), ("", "withheld")),
        ("anonymous", "PL", (), ("", "withheld")),
        (None, "PL", (), ("", "withheld")),
    ],
)
def test_which_numbers_are_called(
    number: str | None, country: str | None, others: tuple[str, ...], expected: tuple[str, str | None]
) -> None:
    assert callable_as(number, country, others) == expected


def errand(folder: Path, typed: str | None, contact: str = "a") -> Result:
    async def main() -> Result:
        customers = open_customers(folder, lambda tenant: "PL")
        callers = Callers(folder, customers, lambda tenant: "PL")
        kind = Numbers(callers.address, lambda tenant: ("PL", ()))
        arguments = {} if typed is None else {"number": typed}
        try:
            return await kind(Order("acme", contact, "a:1", {}, arguments, {}, "back", 2.0, 0.0))
        finally:
            await kind.close()
            await callers.close()
            customers.close()

    return asyncio.run(main())


def test_the_errand_says_a_number_back(tmp_path: Path) -> None:
    house(tmp_path)
    found = errand(tmp_path, "600700800")
    assert found.exit == "found"
    assert found.values == {"back.number": NUMBER, "back.spoken": "600700800", "back.last": "800"}
    wrong = errand(tmp_path, "701112233")
    assert (wrong.exit, wrong.values) == ("unknown", {"back.problem": "premium"})


def test_the_errand_takes_the_callers_own_number(tmp_path: Path) -> None:
    house(tmp_path)
    talked(tmp_path, "a", "0048600700800", NOW, None)
    talked(tmp_path, "b", "anonymous", NOW, None)
    assert errand(tmp_path, None).values["back.number"] == NUMBER
    assert errand(tmp_path, "").values["back.number"] == NUMBER
    assert errand(tmp_path, None, "b").values == {"back.problem": "withheld"}
    assert errand(tmp_path, None, "nobody").values == {"back.problem": "withheld"}


# --- messages ---


def test_messages_of_the_house_alone_are_played(tmp_path: Path) -> None:
    ours = tmp_path / "recordings" / "acme"
    ours.mkdir(parents=True)
    (ours / "c1-message-2.wav").write_bytes(b"RIFF")
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    (ours / "link.wav").symlink_to(tmp_path / "secret.wav")
    (tmp_path / "recordings" / "other").mkdir()
    (tmp_path / "recordings" / "other" / "x.wav").write_bytes(b"RIFF")

    async def main() -> None:
        speech = Speech(tmp_path, [])
        await speech.start()
        good = "recordings/acme/c1-message-2.wav"
        assert speech.ready("acme", [Part("message", good)], "") == [good]
        for path in (
            "recordings/acme/gone.wav",
            "recordings/acme/link.wav",
            "recordings/other/x.wav",
            "recordings/acme/../../secret.wav",
            "recordings/acme/../other/x.wav",
            "secret.wav",
            str(tmp_path / "secret.wav"),
            "",
        ):
            spoken = await speech.sounds("acme", [Part("message", path)], "")
            assert spoken.paths == [], path
            assert spoken.problems
        await speech.stop()

    asyncio.run(main())

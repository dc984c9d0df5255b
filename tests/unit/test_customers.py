"""Customers over a real database: finding against brute force, edits by many, merging, erasure to the last byte."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from centrala.cli import app
from centrala.customers import CustomerError, Customers, Declared, EditRace, erasing, normal, open_customers
from centrala.customers import numbers as numbering
from centrala.customers.console import imported
from centrala.customers.importing import import_customers
from centrala.customers.words import fold
from centrala.ledger import DataFolderError, LedgerUnavailable, backup, restore
from centrala.ledger.schema import FILE
from centrala.people import open_people

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
TENANT = "acme"
PHONE = {"kind": "phone", "value": "600 100 200"}


@pytest.fixture
def customers(tmp_path: Path) -> Iterator[Customers]:
    made = open_customers(tmp_path / "data", lambda tenant: "PL")
    yield made
    made.close()


def anna(customers: Customers, **more: Any) -> Any:
    wanted = {"given": "Anna", "family": "Kowalska", "identity.p": PHONE, **more}
    return customers.add(TENANT, "person", wanted, "marek", NOW)


def code(problem: "pytest.ExceptionInfo[CustomerError]") -> str:
    return problem.value.code


def ids(found: tuple[Any, Any]) -> list[str]:
    return [customer.id for customer, _ in found[0]]


def call(data: Path, contact: str, number: str, at: float, agent: str = "alice", **more: Any) -> None:
    """A contact of this number in the ledger's tables, as its projection writes it."""
    row = {
        "tenant": TENANT,
        "id": contact,
        "medium": "voice",
        "direction": "inbound",
        "party": contact,
        "dialled": "100",
        "arrived_at": at,
        "ended_at": at + 60,
        "talk_s": 50.0,
        "hold_s": 0.0,
        "outcome": "answered",
        "agent": agent,
        "queue": "sales",
        **more,
    }
    with sqlite3.connect(data / FILE) as db:
        db.execute("INSERT INTO parties VALUES (?, ?, ?, ?, ?)", (TENANT, contact, number, "Anna K", at))
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO records({', '.join(row)}) VALUES ({marks})", list(row.values()))
    db.close()


EVERYTHING: tuple[str, list[object]] = ("1", [])

# --- numbers ---


def test_every_country_s_example_number_has_one_spelling() -> None:
    # The examples are the numbering plans' own (libphonenumber's metadata).
    formats = phonenumbers.PhoneNumberFormat
    tried = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is None or phonenumbers.region_code_for_number(example) != region:
            continue
        key = phonenumbers.format_number(example, formats.E164)
        for form in (formats.E164, formats.INTERNATIONAL, formats.NATIONAL, formats.RFC3966):
            written = phonenumbers.format_number(example, form)
            assert normal(written, region) == key, (region, written)
        for spelling in numbering.spellings(key, region):
            if not spelling.startswith("00") and phonenumbers.is_valid_number(
                phonenumbers.parse(spelling, region)
            ):
                assert normal(spelling, region) == key, (region, spelling)
        tried += 1
    assert tried > 150


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("600 100 200", "PL", "+48600100200"),
        ("48600100200", "PL", "+48600100200"),
        ("0048 600-100-200", "PL", "+48600100200"),
        ("sip:+48600100200@carrier.example", "PL", "+48600100200"),
        ("(22) 123 45 67 ext. 5", "PL", "+48221234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("74951234567", "RU", "+74951234567"),
        ("4915112345678", "PL", "+4915112345678"),
        ("201", "PL", "201"),
        ("600100200", None, "600100200"),
        ("anonymous", "PL", None),
        ("Restricted", "PL", None),
        ("", "PL", None),
        ("alice", "PL", None),
        ("1" * 21, "PL", None),
    ],
)
def test_a_number_has_one_spelling(written: str, country: str | None, key: str | None) -> None:
    assert normal(written, country) == key


@given(st.text(max_size=80), st.sampled_from(["PL", "RU", "GB", None, "XX"]))
def test_no_text_breaks_normal(text: str, country: str | None) -> None:
    found = normal(text, country)
    assert found is None or (found.lstrip("+").isascii() and found.lstrip("+").isdigit())
    if found is not None and found.startswith("+"):
        assert normal(found, country) == found


def test_the_country_comes_from_the_time_zone_or_the_locale() -> None:
    country = numbering.country_of
    assert country("Europe/Warsaw") == "PL"
    assert country("Europe/Moscow", "ru") == "RU"
    assert country("UTC", "pl") == "PL"
    assert country("UTC", "en-GB") == "GB"
    assert country("UTC", "en") is None
    assert country("Europe/Warsaw", "pl", "de") == "DE"


# --- looking up ---


def test_a_caller_is_known_by_any_spelling_of_the_number(customers: Customers) -> None:
    made = anna(customers, badges=["VIP"], **{"consent.calls": False})
    for number in ("+48600100200", "600100200", "0048600100200", "48600100200"):
        (brief,) = customers.brief(TENANT, number)
        assert (brief.id, brief.name, brief.badges) == (made.id, "Anna Kowalska", ("VIP",))
        assert brief.calls is False
        assert brief.ads is None
    for nobody in ("anonymous", "", None, "600100201"):
        assert customers.brief(TENANT, nobody) == ()
    assert customers.brief("other", "600100200") == ()


def test_several_with_one_number_are_all_given(customers: Customers) -> None:
    one, other = anna(customers), anna(customers, given="Jan")
    assert {brief.id for brief in customers.brief(TENANT, "600100200")} == {one.id, other.id}
    assert {found.id for found in customers.find(TENANT, "600100200")} == {one.id, other.id}


def test_an_edit_shows_in_the_next_brief(customers: Customers) -> None:
    made = anna(customers)
    assert customers.brief(TENANT, "600100200")[0].name == "Anna Kowalska"
    company = customers.add(TENANT, "company", {"name": "Orion"}, "m", NOW)
    customers.change(TENANT, made.id, 1, {"family": "Nowak", "companies": [company.id]}, "m", NOW)
    (brief,) = customers.brief(TENANT, "600100200")
    assert (brief.name, brief.company) == ("Anna Nowak", "Orion")
    customers.change(TENANT, company.id, 1, {"name": "Orion Bank"}, "m", NOW)
    assert customers.brief(TENANT, "600100200")[0].company == "Orion Bank"
    customers.erase(TENANT, made.id)
    assert customers.brief(TENANT, "600100200") == ()


def test_the_next_promise_is_in_the_brief(customers: Customers) -> None:
    anna(
        customers,
        **{
            "promise.a": {"text": "someday"},
            "promise.b": {"text": "later", "due": NOW + 500},
            "promise.c": {"text": "soon", "due": NOW + 100},
            "promise.d": {"text": "kept", "due": NOW, "done": True},
        },
    )
    assert customers.brief(TENANT, "600100200")[0].promise == ("soon", NOW + 100)


# --- searching ---


@pytest.mark.parametrize(
    ("question", "hit"),
    [
        ("kowal", True),
        ("KOWALSKA anna", True),
        ("zolc", True),
        ("żół", True),
        ("ann kow zol", True),
        ("600 100", True),
        ("+48 600", True),
        ("0200", True),
        ("100200", True),
        ("0048600100200", True),
        ("anna@exam", True),
        ("orion", True),
        ("walska", False),
        ("601", False),
        ("jan kowal", False),
        ("%", False),
        ("_", False),
        ('"*', False),
    ],
)
def test_search_by_name_number_and_company(customers: Customers, question: str, hit: bool) -> None:
    company = customers.add(TENANT, "company", {"name": "Orion sp. z o.o."}, "m", NOW)
    mail = {"kind": "email", "value": "Anna@Example.com"}
    made = anna(
        customers,
        family="Kowalska-Żółć",
        companies=[company.id],
        **{"identity.m": mail},
    )
    assert (made.id in ids(customers.search(TENANT, question))) == hit
    assert ids(customers.search("other", question)) == []


def test_cyrillic_is_folded(customers: Customers) -> None:
    made = customers.add(
        TENANT, "person", {"family": "Семёнов-Йогансон", "given": "Пётр", "middle": "Ильич"}, "m", NOW
    )
    for question in ("семенов", "ПЕТР сем", "йоганс", "иоганс"):
        assert ids(customers.search(TENANT, question)) == [made.id], question


def test_a_company_s_new_name_finds_its_people(customers: Customers) -> None:
    company = customers.add(TENANT, "company", {"name": "Orion"}, "m", NOW)
    person = anna(customers, companies=[company.id])
    customers.change(TENANT, company.id, 1, {"name": "Zenit"}, "m", NOW)
    assert set(ids(customers.search(TENANT, "zenit"))) == {company.id, person.id}
    assert ids(customers.search(TENANT, "orion")) == []


def test_numbers_are_not_found_out_by_who_may_not_see_them(customers: Customers) -> None:
    made = anna(customers, **{"identity.m": {"kind": "email", "value": "anna@example.com"}})
    for part in ("600", "600100", "60010020", "0200", "100200", "anna@", "anna@example"):
        if part != "anna@":  # the name is found, as a name
            assert ids(customers.search(TENANT, part, numbers_too=False)) == [], part
    assert ids(customers.search(TENANT, "600 100 200", numbers_too=False)) == [made.id]
    assert ids(customers.search(TENANT, "anna@example.com", numbers_too=False)) == [made.id]


NAMES = st.lists(st.sampled_from("ab ał aé ba bb Ба бё b'a abc".split()), min_size=1, max_size=3)  # noqa: SIM905


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(NAMES, min_size=1, max_size=12),
    st.lists(st.sampled_from("a b ab al б ae zz".split()), min_size=1, max_size=3),  # noqa: SIM905
)
def test_search_finds_what_brute_force_finds(
    tmp_path_factory: pytest.TempPathFactory, people: list[list[str]], asked: list[str]
) -> None:
    customers = open_customers(tmp_path_factory.mktemp("search"), lambda tenant: "PL")
    try:
        for one in people:
            customers.add(TENANT, "person", {"name": " ".join(one)}, "m", NOW)
        following: Any = None
        found: list[str] = []
        for _ in range(100):
            page, following = customers.search(TENANT, " ".join(asked), after=following, limit=2)
            found += [customer.name for customer, _ in page]
            if following is None:
                break

        def has(name: list[str]) -> bool:
            words = [fold(one).replace("'", "") for one in name]
            return all(any(word.startswith(fold(one)) for word in words) for one in asked)

        assert sorted(found) == sorted(" ".join(one) for one in people if has(one))
    finally:
        customers.close()


def test_a_number_in_full_comes_first_and_no_page_is_too_long(customers: Customers) -> None:
    for one in range(9):
        longer = {"kind": "phone", "value": f"2015{one}"}
        customers.add(TENANT, "person", {"name": f"Longer {one}", "identity.p": longer}, "m", NOW)
    for one in range(3):
        short = {"kind": "phone", "value": "201"}
        customers.add(TENANT, "person", {"name": f"Exact {one}", "identity.p": short}, "m", NOW)
    for limit in (3, 5, 50):
        found: list[str] = []
        following: Any = None
        while True:
            page, following = customers.search(TENANT, "201", after=following, limit=limit)
            assert len(page) <= limit
            found += [customer.name for customer, _ in page]
            if following is None:
                break
        assert sorted(found[:3]) == [f"Exact {one}" for one in range(3)]
        assert sorted(found[3:]) == [f"Longer {one}" for one in range(9)]


def test_all_customers_come_in_order_and_once(customers: Customers) -> None:
    for number in range(25):
        customers.add(TENANT, "person", {"given": "A", "family": f"Ż{24 - number:02}"}, "m", NOW)
    following: Any = None
    names: list[str] = []
    while True:
        page, following = customers.search(TENANT, "", after=following, limit=10)
        names += [brief.name for _, brief in page]
        if following is None:
            break
    assert names == [f"A Ż{number:02}" for number in range(25)]


# --- editing ---


def test_what_others_changed_elsewhere_stays(customers: Customers) -> None:
    made = anna(customers)
    customers.change(TENANT, made.id, 1, {"language": "pl"}, "ola", NOW + 1)
    after = customers.change(TENANT, made.id, 1, {"family": "Nowak"}, "jan", NOW + 2)
    assert (after.version, after.doc["language"], after.doc["family"]) == (3, "pl", "Nowak")


def test_the_same_field_changed_twice_shows_both(customers: Customers) -> None:
    made = anna(customers)
    customers.change(TENANT, made.id, 1, {"family": "Nowak", "language": "pl"}, "ola", NOW + 1)
    with pytest.raises(EditRace) as race:
        customers.change(
            TENANT, made.id, 1, {"family": "Lis", "given": "Ania", "language": "pl"}, "jan", NOW + 2
        )
    conflict = race.value.conflicts["family"]
    assert (conflict.yours, conflict.theirs, conflict.by, conflict.at) == ("Lis", "Nowak", "ola", NOW + 1)
    assert set(race.value.conflicts) == {"family"}  # both wrote pl: no quarrel
    kept = customers.get(TENANT, made.id)
    assert kept is not None
    assert kept.doc["given"] == "Anna"  # nothing of a refused edit is stored
    chosen = customers.change(TENANT, made.id, race.value.version, {"family": "Lis"}, "jan", NOW + 3)
    assert chosen.doc["family"] == "Lis"


def test_numbers_added_at_the_same_time_both_stay(customers: Customers) -> None:
    made = anna(customers)
    for name, number in (("a", "601 100 200"), ("b", "602 100 200")):
        customers.change(
            TENANT, made.id, 1, {f"identity.{name}": {"kind": "phone", "value": number}}, "m", NOW
        )
    found = customers.get(TENANT, made.id)
    assert found is not None
    assert {one["value"] for _, one in found.identities()} == {"+48600100200", "+48601100200", "+48602100200"}
    same = customers.change(
        TENANT, made.id, 3, {"identity.c": {"kind": "phone", "value": "+48 602 100 200"}}, "m", NOW
    )
    assert same.version == 3  # it is there already


def test_many_editors_at_once_lose_nothing(customers: Customers) -> None:
    made = anna(customers)
    won: list[str] = []
    raced: list[str] = []

    def edit(name: str) -> None:
        customers.change(TENANT, made.id, 1, {f"promise.{name}": {"text": name}}, name, NOW)
        try:
            customers.change(TENANT, made.id, 1, {"family": name}, name, NOW)
            won.append(name)
        except EditRace:
            raced.append(name)

    threads = [threading.Thread(target=edit, args=(f"e{one}",)) for one in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = customers.get(TENANT, made.id)
    assert after is not None
    assert len(won) == 1
    assert len(raced) == 11
    assert after.doc["family"] == won[0]
    assert sum(name.startswith("promise.") for name in after.doc) == 12
    assert after.version == 1 + 12 + 1


def test_history_tells_who_when_and_what_it_was(customers: Customers) -> None:
    made = anna(customers)
    customers.change(TENANT, made.id, 1, {"family": "Nowak"}, "ola", NOW + 1)
    customers.change(TENANT, made.id, 2, {"family": None}, "jan", NOW + 2)
    lines = [(one.field, one.before, one.after, one.by, one.at) for one in customers.history(TENANT, made.id)]
    assert lines == [
        ("family", "Nowak", None, "jan", NOW + 2),
        ("family", "Kowalska", "Nowak", "ola", NOW + 1),
        ("made", None, None, "marek", NOW),
    ]
    first, *_ = customers.history(TENANT, made.id, limit=1)
    assert len(customers.history(TENANT, made.id, before=first.id)) == 2


def test_undo_and_undo_of_undo(customers: Customers) -> None:
    made = anna(customers, **{"consent.ads": True})
    customers.change(TENANT, made.id, 1, {"family": "Nowak", "consent.ads": False}, "ola", NOW + 1)
    consent, family, _ = customers.history(TENANT, made.id)
    undone = customers.undo(TENANT, made.id, family.id, "jan", NOW + 2)
    assert undone.doc["family"] == "Kowalska"
    assert undone.doc["consent.ads"]["allowed"] is False
    again = customers.undo(TENANT, made.id, customers.history(TENANT, made.id)[0].id, "jan", NOW + 3)
    assert again.doc["family"] == "Nowak"
    undone = customers.undo(TENANT, made.id, consent.id, "jan", NOW + 4)
    assert undone.doc["consent.ads"] == {"allowed": True, "at": NOW, "by": "marek"}
    with pytest.raises(EditRace):
        customers.undo(TENANT, made.id, consent.id, "jan", NOW + 5)
    with pytest.raises(CustomerError) as problem:
        customers.undo(TENANT, made.id, customers.history(TENANT, made.id)[-1].id, "jan", NOW)
    assert code(problem) == "NO-UNDO"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("person", {}),
        ("robot", {"name": "R2"}),
        ("person", {"given": ""}),
        ("person", {"given": " \t "}),
        ("person", {"given": "x" * 201}),
        ("person", {"given": "A\x00B"}),
        ("person", {"given": "A\u202eB"}),
        ("person", {"given": 7}),
        ("company", {"name": "O", "given": "Anna"}),
        ("person", {"name": "A", "nickname": "B"}),
        ("person", {"name": "A", "language": "polish!"}),
        ("person", {"name": "A", "badges": "VIP"}),
        ("person", {"name": "A", "companies": ["nobody"]}),
        ("person", {"name": "A", "consent.calls": "yes"}),
        ("person", {"name": "A", "consent.spam": True}),
        ("person", {"name": "A", "identity.x": {"kind": "phone", "value": "call me"}}),
        ("person", {"name": "A", "identity.x": {"kind": "phone", "value": "anonymous"}}),
        ("person", {"name": "A", "identity.x": {"kind": "email", "value": "anna"}}),
        ("person", {"name": "A", "identity.x": {"kind": "messenger", "value": "anna"}}),
        ("person", {"name": "A", "identity.x": {"kind": "fax", "value": "1"}}),
        ("person", {"name": "A", "identity.x y": PHONE}),
        ("person", {"name": "A", "promise.x": {"text": ""}}),
        ("person", {"name": "A", "promise.x": {"text": "a", "due": -1}}),
        ("person", {"name": "A", "custom.shoe": 43}),
        ("person", {"name": "A", "custom.size": "big"}),
        ("person", {"name": "A", "custom.size": float("nan")}),
        ("person", {"name": "A", "custom.size": 10**400}),
        ("person", {"name": "A", "custom.since": "yesterday"}),
        ("person", {"name": "A", "custom.tariff": "gold"}),
    ],
)
def test_what_can_t_be_is_refused(customers: Customers, kind: Any, wanted: dict[str, Any]) -> None:
    customers.declare(
        TENANT,
        [
            Declared("size", "Size", "number"),
            Declared("since", "Since", "date"),
            Declared("tariff", "Tariff", "choice", ("basic", "full")),
        ],
    )
    with pytest.raises(CustomerError) as problem:
        customers.add(TENANT, kind, wanted, "m", NOW)
    assert code(problem) == "BAD-INPUT"
    assert str(problem.value).endswith(".")
    assert customers.search(TENANT, "")[0] == []


def test_custom_fields_are_declared_first(customers: Customers) -> None:
    customers.declare(TENANT, [Declared("contract", "Contract", "text"), Declared("size", "Size", "number")])
    made = anna(customers, **{"custom.contract": "A 17", "custom.size": 43})
    assert made.doc["custom.size"] == 43
    with pytest.raises(CustomerError):
        customers.declare(TENANT, [Declared("Bad Key", "x", "text")])
    with pytest.raises(CustomerError):
        customers.declare(TENANT, [Declared("a", "x", "choice")])
    customers.declare(TENANT, [])
    kept = customers.change(TENANT, made.id, 1, {"language": "pl"}, "m", NOW)
    assert kept.doc["custom.contract"] == "A 17"
    assert customers.declared("other") == []


def test_a_customer_has_so_many_numbers_at_most(customers: Customers) -> None:
    made = anna(customers)
    more = {f"identity.n{one}": {"kind": "phone", "value": f"6002{one:05}"} for one in range(50)}
    with pytest.raises(CustomerError) as problem:
        customers.change(TENANT, made.id, 1, more, "m", NOW)
    assert code(problem) == "TOO-MANY"


# --- merging ---

DOCS = st.fixed_dictionaries(
    {},
    optional={
        "given": st.sampled_from(["Anna", "Ania"]),
        "family": st.sampled_from(["Kowalska", "Lis"]),
        "language": st.sampled_from(["pl", "ru"]),
        "badges": st.lists(st.sampled_from(["VIP", "late", "new"]), min_size=1, unique=True),
        "consent.calls": st.booleans(),
        "consent.ads": st.booleans(),
    },
)
PHONES = st.lists(st.sampled_from(["600100200", "600100201", "600100202"]), min_size=1, unique=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(DOCS, PHONES), st.tuples(DOCS, PHONES))
def test_merge_keeps_everything_and_undo_is_exact(
    tmp_path_factory: pytest.TempPathFactory, one: Any, other: Any
) -> None:
    customers = open_customers(tmp_path_factory.mktemp("merge"), lambda tenant: "PL")
    try:

        def add(spec: Any, mark: str) -> Any:
            doc, phones = spec
            numbers = {
                f"identity.{mark}{place}": {"kind": "phone", "value": number}
                for place, number in enumerate(phones)
            }
            return customers.add(TENANT, "person", doc | numbers, "m", NOW)

        a, b = add(one, "a"), add(other, "b")
        merged = customers.merge(TENANT, a.id, b.id, "m", NOW + 1)
        assert {x["value"][-9:] for _, x in merged.identities()} == {*one[1], *other[1]}
        for number in {*one[1], *other[1]}:
            assert [brief.id for brief in customers.brief(TENANT, number)] == [a.id]
        for consent in ("consent.calls", "consent.ads"):
            said = [doc[consent] for doc in (one[0], other[0]) if consent in doc]
            assert merged.doc.get(consent, {}).get("allowed") == (all(said) if said else None)
        got = customers.get(TENANT, b.id)
        assert got is not None
        assert got.id == a.id
        with pytest.raises(CustomerError) as problem:
            customers.change(TENANT, b.id, b.version, {"language": "de"}, "m", NOW)
        assert code(problem) == "MERGED"
        change = next(x for x in customers.history(TENANT, a.id) if x.field == "merge")
        parted = customers.undo(TENANT, a.id, change.id, "m", NOW + 2)
        back = customers.get(TENANT, b.id)
        assert back is not None
        assert (parted.doc, back.doc) == (a.doc, b.doc)
        for spec, customer in ((one, a), (other, b)):
            for number in spec[1]:
                assert customer.id in [brief.id for brief in customers.brief(TENANT, number)]
    finally:
        customers.close()


def test_what_was_edited_after_a_merge_survives_its_undo(customers: Customers) -> None:
    a = anna(customers)
    b = anna(customers, **{"identity.p": {"kind": "phone", "value": "601100200"}, "language": "ru"})
    merged = customers.merge(TENANT, a.id, b.id, "m", NOW)
    customers.change(TENANT, a.id, merged.version, {"language": "pl"}, "m", NOW)
    change = next(x for x in customers.history(TENANT, a.id) if x.field == "merge")
    parted = customers.undo(TENANT, a.id, change.id, "m", NOW)
    assert parted.doc["language"] == "pl"
    with pytest.raises(CustomerError) as problem:
        customers.undo(TENANT, a.id, change.id, "m", NOW)
    assert code(problem) == "NO-UNDO"


def test_only_two_of_a_kind_are_merged(customers: Customers) -> None:
    person = anna(customers)
    company = customers.add(TENANT, "company", {"name": "Orion"}, "m", NOW)
    foreign = customers.add("other", "person", {"name": "Olga"}, "m", NOW)
    for other, expected in (
        (person.id, "BAD-INPUT"),
        (company.id, "BAD-INPUT"),
        (foreign.id, "NOT-FOUND"),
        ("nobody", "NOT-FOUND"),
    ):
        with pytest.raises(CustomerError) as problem:
            customers.merge(TENANT, person.id, other, "m", NOW)
        assert code(problem) == expected


# --- contacts ---


def test_the_timeline_has_contacts_by_any_spelling_notes_and_what_was_tied(
    customers: Customers, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    made, jan = anna(customers), anna(customers, given="Jan")
    consulted = '[{"agent":"alice","role":"agent","since":1.0},{"agent":"dora","role":"consult","since":2.0}]'
    call(data, "c1", "600100200", NOW + 1, segments=consulted)
    call(data, "c2", "+48600100200", NOW + 2, agent="boris", queue="claims")
    call(data, "c3", "0048600100200", NOW + 3)
    call(data, "c4", "600100999", NOW + 4)
    call(data, "c5", "anonymous", NOW + 5)
    customers.put_note(TENANT, "c2", "boris", "was angry", NOW + 2)
    customers.put_customer_note(TENANT, made.id, "ola", "likes tea", NOW + 2.5)
    customers.tie(TENANT, made.id, "c5", "ola", NOW)
    customers.tie(TENANT, jan.id, "c3", "ola", NOW)

    def line(customer: Any, sight: Any = EVERYTHING, **more: Any) -> list[str]:
        rows, _, _ = customers.timeline(TENANT, customer.id, sight, **more)
        return [row.note.text if row.note else row.id for row in rows]

    assert line(made) == ["c5", "likes tea", "c2", "c1"]
    assert line(jan) == ["c3", "c2", "c1"]
    assert line(made, ("r.queue IN (?)", ["claims"])) == ["likes tea", "c2"]
    rows, records, notes = customers.timeline(TENANT, made.id, EVERYTHING)
    assert records["c2"][0].agent == "boris"
    assert [note.text for note in notes["c2"]] == ["was angry"]
    pages: list[str] = []
    before = None
    while True:
        rows, _, _ = customers.timeline(TENANT, made.id, EVERYTHING, before=before, limit=1)
        if not rows:
            break
        pages += [row.note.text if row.note else row.id for row in rows]
        before = rows[-1].at, rows[-1].id
    assert pages == line(made)
    assert customers.had(TENANT, made.id, "boris")
    assert customers.had(TENANT, made.id, "dora")  # was asked, or took over
    assert not customers.had(TENANT, made.id, "clara")
    assert customers.brief_of_contact(TENANT, "c5", "anonymous")[0].id == made.id
    assert customers.brief_of_contact(TENANT, "c4", "600100999") == ()
    with pytest.raises(CustomerError):
        customers.tie(TENANT, made.id, "nothing", "ola", NOW)
    with pytest.raises(CustomerError):
        customers.tie("other", made.id, "c4", "ola", NOW)


def test_contacts_and_notes_come_with_a_merge_and_go_with_its_undo(
    customers: Customers, tmp_path: Path
) -> None:
    a, b = anna(customers), anna(customers, **{"identity.p": {"kind": "phone", "value": "601100200"}})
    call(tmp_path / "data", "c1", "601100200", NOW)
    customers.put_customer_note(TENANT, b.id, "ola", "old note", NOW)
    customers.merge(TENANT, a.id, b.id, "m", NOW)
    assert len(customers.timeline(TENANT, a.id, EVERYTHING)[0]) == 2
    customers.undo(TENANT, a.id, customers.history(TENANT, a.id)[0].id, "m", NOW)
    assert len(customers.timeline(TENANT, a.id, EVERYTHING)[0]) == 0
    assert len(customers.timeline(TENANT, b.id, EVERYTHING)[0]) == 2


def test_drafts_are_kept_until_the_note_is_there(customers: Customers) -> None:
    customers.put_draft(TENANT, "alice", "c1", NOW, disposition="sold", note="wants bl")
    customers.put_draft(TENANT, "alice", "c1", NOW + 1, disposition="sold", note="wants blue ")
    draft = customers.get_draft(TENANT, "alice", "c1")
    assert draft is not None
    assert (draft.disposition, draft.note, draft.at) == ("sold", "wants blue ", NOW + 1)
    assert customers.get_draft(TENANT, "boris", "c1") is None
    assert customers.get_draft("other", "alice", "c1") is None
    customers.put_note(TENANT, "c1", "user7", "wants blue", NOW + 2, agent="alice")
    assert customers.get_draft(TENANT, "alice", "c1") is None
    assert [note.text for note in customers.notes_of(TENANT, "c1")] == ["wants blue"]
    customers.put_draft(TENANT, "alice", "c2", NOW)
    customers.put_draft(TENANT, "alice", "c3", NOW + 31 * 86400)
    assert customers.get_draft(TENANT, "alice", "c2") is None


def test_a_note_is_erased_by_its_author_or_by_who_may(customers: Customers) -> None:
    made = anna(customers)
    note = customers.put_customer_note(TENANT, made.id, "ola", "x\r\ny", NOW)
    assert note.text == "x\ny"
    for author, tenant in (("jan", TENANT), ("ola", "other")):
        with pytest.raises(CustomerError):
            customers.drop_note(tenant, made.id, note.id, author=author)
    customers.drop_note(TENANT, made.id, note.id, author="ola")
    assert customers.timeline(TENANT, made.id, EVERYTHING)[0] == []


# --- erasure ---

SECRETS = [
    "Kowalska",
    "kowalska",
    "600100200",
    "601555777",
    "anna@example.com",
    "Polna 5",
    "was angry",
    "likes tea",
    "half a word",
    "240 zloty",
    "Nowakowa",
    "Anna K",
]


def test_an_erasure_leaves_no_byte_and_no_figure_less(customers: Customers, tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = anna(
        customers,
        **{
            "identity.q": {"kind": "phone", "value": "601555777"},
            "identity.m": {"kind": "email", "value": "anna@example.com"},
            "identity.a": {"kind": "address", "value": "ul. Polna 5\nWarszawa"},
            "promise.p": {"text": "240 zloty"},
        },
    )
    customers.change(TENANT, made.id, 1, {"family": "Nowakowa"}, "m", NOW)
    twin = anna(customers, **{"identity.p": {"kind": "phone", "value": "601555777"}})
    customers.merge(TENANT, made.id, twin.id, "m", NOW)
    jan = customers.add(
        TENANT, "person", {"given": "Jan", "identity.p": {"kind": "phone", "value": "602"}}, "m", NOW
    )
    other = anna(customers, **{"identity.p": {"kind": "phone", "value": "603100100"}})
    customers.merge(TENANT, jan.id, other.id, "m", NOW)
    customers.undo(TENANT, jan.id, customers.history(TENANT, jan.id)[0].id, "m", NOW)
    (data / "recordings").mkdir()
    (data / "recordings" / "c1.wav").write_bytes(b"sound")
    call(data, "c1", "600100200", NOW + 1, recording="recordings/c1.wav")
    call(data, "c2", "+48601555777", NOW + 2)
    call(data, "c3", "anonymous", NOW + 3, recording="../outside.wav")
    (tmp_path / "outside.wav").write_bytes(b"not ours")
    (data / "recordings" / "c2-message-1.wav").write_bytes(b"a message")
    message = '{"at":1.0,"contact":"c2","message":"c2:1","path":"recordings/c2-message-1.wav","seconds":3.0}'
    with sqlite3.connect(data / FILE) as db:
        db.execute("INSERT INTO privates VALUES (?, 'r1', 'c2', '\"4485275742308327\"')", (TENANT,))
        db.execute(
            "INSERT INTO log VALUES (?, 1, 1.0, 'c2', NULL, 'fact.MessageTaken', 1, ?, NULL)",
            (TENANT, message),
        )
    db.close()
    customers.tie(TENANT, made.id, "c3", "m", NOW)
    customers.put_note(TENANT, "c1", "boris", "was angry", NOW)
    customers.put_customer_note(TENANT, made.id, "ola", "likes tea", NOW)
    customers.put_draft(TENANT, "alice", "c2", NOW, note="half a word")

    def count() -> Any:
        with sqlite3.connect(data / FILE) as db:
            figures = db.execute("SELECT count(*), sum(talk_s), sum(ended_at) FROM records").fetchone()
        db.close()
        return figures

    before = count()
    erased = customers.erase(TENANT, made.id)
    assert (erased.customers, erased.contacts, erased.recordings, erased.notes) == (2, 3, 2, 2)
    assert not (data / "recordings" / "c2-message-1.wav").exists()
    assert customers.erase(TENANT, other.id).customers == 1
    assert count() == before
    assert not (data / "recordings" / "c1.wav").exists()
    assert (tmp_path / "outside.wav").exists()
    assert customers.get(TENANT, made.id) is None
    assert customers.get(TENANT, twin.id) is None
    assert customers.brief(TENANT, "600100200") == ()
    assert customers.get_draft(TENANT, "alice", "c2") is None
    written = b"".join(path.read_bytes() for path in data.glob(f"{FILE}*"))
    assert b"Jan" in written
    for secret in (*SECRETS, "4485275742308327"):
        assert secret.encode() not in written, secret
    with pytest.raises(CustomerError) as problem:
        customers.erase(TENANT, made.id)
    assert code(problem) == "NOT-FOUND"


def test_an_erasure_takes_the_other_number_that_they_wanted_to_be_called_at(
    customers: Customers, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    made = anna(customers)
    (data / "recordings").mkdir()
    (data / "recordings" / "c1-cb.wav").write_bytes(b"sound")
    call(data, "c1", "600100200", NOW + 1)
    call(data, "c1-cb", "+48605999888", NOW + 2, direction="callback", recording="recordings/c1-cb.wav")
    call(data, "c11", "+48605999777", NOW + 3)
    call(data, "c1.1-cb", "+48605999776", NOW + 3)
    with sqlite3.connect(data / FILE) as db:
        db.execute("INSERT INTO privates VALUES (?, 'r1', 'c1-cb', '\"+48605999888\"')", (TENANT,))
    db.close()
    erased = customers.erase(TENANT, made.id)
    assert (erased.contacts, erased.recordings) == (2, 1)
    assert not (data / "recordings" / "c1-cb.wav").exists()
    written = b"".join(path.read_bytes() for path in data.glob(f"{FILE}*"))
    assert b"605999888" not in written
    assert b"605999777" in written
    assert b"605999776" in written


def test_a_number_that_others_have_too_stays_with_their_contacts(
    customers: Customers, tmp_path: Path
) -> None:
    made, jan = anna(customers), anna(customers, given="Jan")
    call(tmp_path / "data", "c1", "600100200", NOW + 1)
    call(tmp_path / "data", "c2", "600100200", NOW + 2)
    customers.tie(TENANT, made.id, "c2", "m", NOW)
    erased = customers.erase(TENANT, made.id)
    assert (erased.shared, erased.contacts) == (1, 1)
    _, records, _ = customers.timeline(TENANT, jan.id, EVERYTHING)
    assert {name: address for name, (_, address) in records.items()} == {"c1": "600100200"}


def test_an_erased_company_leaves_its_people(customers: Customers) -> None:
    company = customers.add(TENANT, "company", {"name": "Orion"}, "m", NOW)
    person = anna(customers, companies=[company.id])
    assert [one.id for one in customers.members(company)] == [person.id]
    customers.erase(TENANT, company.id)
    found = customers.get(TENANT, person.id)
    assert found is not None
    assert customers.companies(found) == []
    assert ids(customers.search(TENANT, "orion")) == []
    assert customers.change(TENANT, person.id, 1, {"language": "pl"}, "m", NOW).version == 2


# --- tenants, folders ---


def test_a_foreign_tenant_reaches_nothing(customers: Customers) -> None:
    made = anna(customers)
    assert customers.get("other", made.id) is None
    assert customers.search("other", "")[0] == []
    for attempt in (
        lambda: customers.change("other", made.id, 1, {"given": "X"}, "m", NOW),
        lambda: customers.erase("other", made.id),
        lambda: customers.undo("other", made.id, 1, "m", NOW),
        lambda: customers.history("other", made.id),
        lambda: customers.timeline("other", made.id, EVERYTHING),
        lambda: customers.put_customer_note("other", made.id, "m", "x", NOW),
    ):
        with pytest.raises(CustomerError) as problem:
            attempt()
        assert code(problem) == "NOT-FOUND"


def test_customers_survive_backup_and_restore(customers: Customers, tmp_path: Path) -> None:
    made = anna(customers)
    backup(tmp_path / "data", tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    again = open_customers(tmp_path / "again", lambda tenant: "PL")
    assert again.brief(TENANT, "600100200")[0].id == made.id
    again.close()


def test_tables_of_a_newer_centrala_are_left_alone(tmp_path: Path) -> None:
    open_customers(tmp_path, lambda tenant: None).close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'customers'")
    db.close()
    with pytest.raises(DataFolderError, match="version 99"):
        open_customers(tmp_path, lambda tenant: None)


# --- import ---

CSV = """\ufeffkind;given;family;name;company;phone;phone:office;email;badges;calls;note;contract
;Anna;Kowalska;;Orion;600 100 200;(22) 123 45 67;anna@example.com;VIP|late;tak;likes tea;A1
;Jan;Kowalska;;orion;600 100 200;;;;nie;;
company;;;Zenit;;22 765 43 21;;;;;;
;Anna;Kowalska;;Orion;+48600100200;;;;;;
;Bad;Number;;;call me;;;;;;
;Bad;Mail;;;;;anna;;;;
;Bad;Flag;;;;;;;maybe;;
;;;;;;;;;;;
;Too;Many;;;;;;;;;;x;y
robot;R2;D2;;;;;;;;;
"""


def test_import_keeps_good_lines_and_tells_bad_ones(customers: Customers, tmp_path: Path) -> None:
    customers.declare(TENANT, [Declared("contract", "Contract", "text")])
    file = tmp_path / "list.csv"
    file.write_text(CSV, "utf-8")
    with file.open("ab") as more:
        more.write(";Łukasz;Żak;;;600100203;;;;;;\n".encode("cp1250"))
        more.write(";Ostatni;Zażółć;;;600100204;;;;;;\n".encode())
    report = import_customers(customers, TENANT, file)
    assert (report.added, report.companies, report.same) == (4, 1, 1)
    assert [line for line, _ in report.bad] == [6, 7, 8, 10, 11, 12]
    assert [line for line, _ in report.doubtful] == [3]
    assert all(sentence.endswith(".") for _, sentence in report.bad)
    assert {one.name for one in customers.find(TENANT, "600100200")} == {"Anna Kowalska", "Jan Kowalska"}
    first = next(one for one in customers.find(TENANT, "600100200") if one.doc["given"] == "Anna")
    assert [(one["value"], one["label"]) for _, one in first.identities("phone")] == [
        ("+48600100200", ""),
        ("+48221234567", "office"),
    ]
    assert first.doc["badges"] == ["VIP", "late"]
    assert first.doc["consent.calls"]["allowed"] is True
    assert first.doc["custom.contract"] == "A1"
    assert customers.companies(first)[0].name == "Orion"
    assert customers.timeline(TENANT, first.id, EVERYTHING)[0][0].note is not None
    assert customers.brief(TENANT, "600100204")[0].name == "Ostatni Zażółć"
    again = import_customers(customers, TENANT, file)
    assert (again.added, again.companies, again.same) == (0, 0, 5)


@pytest.mark.parametrize("text", ["", "nickname,phone\nx,1\n", "phone,phone\n1,2\n"])
def test_a_file_that_is_none_is_refused_whole(customers: Customers, tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text)
    with pytest.raises(ValueError):
        import_customers(customers, TENANT, file)


def test_the_console_imports_beside_a_running_centre(customers: Customers, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("name,phone\nAnna,600100200\nJan,zero\n")
    lines = list(imported(tmp_path / "data", TENANT, file, "PL"))
    assert lines[0].startswith("line 3: not taken")
    assert lines[-1].startswith("new customers: 1,")
    assert customers.brief(TENANT, "600100200")[0].name == "Anna"
    with pytest.raises(ValueError, match="ISO 3166"):
        list(imported(tmp_path / "data", TENANT, file, "XX"))
    with pytest.raises(ValueError, match="can't be read"):
        list(imported(tmp_path / "data", TENANT, tmp_path / "nothing.csv", "PL"))


def test_the_command_goes_by_the_country_that_was_set_on_the_screen(
    customers: Customers, tmp_path: Path
) -> None:
    data, file, config = tmp_path / "data", tmp_path / "list.csv", tmp_path / "centre.yaml"
    file.write_text("name,phone\nAnna,600100200\n")
    config.write_text(f"tenants: {{{TENANT}: {{domain: acme.example}}}}\n")
    with closing(open_people(data)) as people:
        people.save(TENANT, 0, {"country": "PL"}, {}, [], NOW, actor="m", address="here")
    done = CliRunner().invoke(
        app, ["customers", "import", str(file), *f"--data {data} --tenant {TENANT} --config {config}".split()]
    )
    assert done.exit_code == 0, done.output
    assert [one.name for one in customers.find(TENANT, "+48600100200")] == ["Anna"]


# --- in steps ---


def test_many_contacts_and_many_people_go_in_steps(customers: Customers, tmp_path: Path) -> None:
    company = customers.add(TENANT, "company", {"name": "Orion", "identity.p": PHONE}, "m", NOW)
    people = [
        customers.add(TENANT, "person", {"name": f"Jan {one}", "companies": [company.id]}, "m", NOW)
        for one in range(erasing.STEP + 5)
    ]
    customers.change(TENANT, company.id, 1, {"name": "Zenit"}, "m", NOW)
    found, following = customers.search(TENANT, "zenit", limit=200)
    assert following is None
    assert len(found) == 1 + len(people)
    data = tmp_path / "data"
    for one in range(erasing.STEP + 5):
        call(data, f"c{one:03}", "+48600100200", NOW + one)
    erased = customers.erase(TENANT, company.id)
    assert erased.contacts == erasing.STEP + 5
    for person in people:
        left = customers.get(TENANT, person.id)
        assert left is not None
        assert "companies" not in left.doc
    assert customers.search(TENANT, "zenit")[0] == []


def test_merged_companies_are_found_by_the_name_that_stays(customers: Customers) -> None:
    one = customers.add(TENANT, "company", {"name": "Orion"}, "m", NOW)
    other = customers.add(TENANT, "company", {"name": "Zenit"}, "m", NOW)
    person = anna(customers, companies=[other.id])
    customers.merge(TENANT, one.id, other.id, "m", NOW)
    assert set(ids(customers.search(TENANT, "orion"))) == {one.id, person.id}
    assert customers.search(TENANT, "zenit")[0] == []
    assert customers.brief(TENANT, "600100200")[0].company == "Orion"
    customers.undo(TENANT, one.id, customers.history(TENANT, one.id)[0].id, "m", NOW)
    assert set(ids(customers.search(TENANT, "zenit"))) == {other.id, person.id}
    assert ids(customers.search(TENANT, "orion")) == [one.id]


def test_an_erasure_that_can_t_go_on_can_be_repeated(customers: Customers, tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = anna(customers)
    stuck = data / "recordings" / "c1.wav"
    (stuck / "in the way").mkdir(parents=True)
    call(data, "c1", "600100200", NOW, recording="recordings/c1.wav")
    with pytest.raises(LedgerUnavailable, match="can't be deleted"):
        customers.erase(TENANT, made.id)
    assert customers.brief(TENANT, "600100200")[0].id == made.id
    assert len(customers.timeline(TENANT, made.id, EVERYTHING)[0]) == 1
    (stuck / "in the way").rmdir()
    stuck.rmdir()
    stuck.write_bytes(b"sound")
    assert customers.erase(TENANT, made.id).recordings == 1
    assert not stuck.exists()


def test_a_version_that_isn_t_there_yet_is_refused(customers: Customers) -> None:
    made = anna(customers)
    with pytest.raises(CustomerError) as problem:
        customers.change(TENANT, made.id, 2, {"family": "Lis"}, "m", NOW)
    assert code(problem) == "BAD-INPUT"


def test_a_full_disk_or_a_broken_database_is_said(customers: Customers) -> None:
    made = anna(customers)
    customers._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerUnavailable):
        customers.change(TENANT, made.id, 1, {"family": "Lis"}, "m", NOW)
    customers._writer.execute("PRAGMA query_only = OFF")
    assert customers.change(TENANT, made.id, 1, {"family": "Lis"}, "m", NOW).doc["family"] == "Lis"

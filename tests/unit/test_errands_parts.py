"""Errands without a network: pointers against two other implementations, what may be reached, letters, CSV files,
callers out of a real data folder, and functions."""

import csv
import io
import ipaddress
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import jsonpointer
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from centrala.customers import Customers, open_customers
from centrala.errands import letters, pointer, tables
from centrala.errands.customer import Callers
from centrala.errands.examples import checksum
from centrala.errands.job import run
from centrala.errands.kept import Kept
from centrala.errands.order import MAX_TEXT, Failed, Order, Result, plain, variable
from centrala.errands.outbox import Outbox
from centrala.errands.reach import Allowed, outside
from centrala.ledger import DataFolderError
from centrala.ledger.schema import FILE

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
TENANT = "acme"

# --- pointers ---

# The document and the values of RFC 6901, section 5.
RFC_DOCUMENT = json.loads(
    '{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\\\j": 5, "k\\"l": 6, " ": 7, "m~n": 8}'
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", RFC_DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_pointers_of_the_rfc(text: str, value: Any) -> None:
    assert pointer.find(RFC_DOCUMENT, pointer.parse(text)) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["", "a", "a/b", "~", "~1", "0", "-", "01", "x y"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
POINTERS = st.lists(
    st.sampled_from(
        ["", "a", "a~1b", "~0", "~01", "0", "1", "2", "-", "01", "x y", "٣", "99", "-1", "+1", "1_0"]
    ),
    max_size=4,
).map(lambda tokens: "".join(f"/{one}" for one in tokens))


@given(JSON, POINTERS)
def test_a_pointer_finds_what_another_implementation_finds(document: Any, text: str) -> None:
    found = pointer.find(document, pointer.parse(text))
    try:
        other = jsonpointer.JsonPointer(text).resolve(document, None)
    except jsonpointer.JsonPointerException:
        other = None
    if isinstance(other, jsonpointer.EndOfList):
        other = None
    assert found == other
    assert type(found) is type(other)


@given(st.text(alphabet="/~01a", max_size=12))
@example("/~~01")
def test_what_is_no_pointer_is_none_for_the_other_implementation_too(text: str) -> None:
    try:
        pointer.parse(text)
        good = True
    except pointer.NoPointer:
        good = False
    try:
        jsonpointer.JsonPointer(text)
        other = True
    except jsonpointer.JsonPointerException:
        other = False
    assert good == other


# --- values ---

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just("x" * 5000)
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_whatever_comes_back_is_something_a_flow_may_hold(value: Any) -> None:
    found = plain(value)
    assert found is None or isinstance(found, str | int | float | bool)
    if isinstance(found, str):
        assert "\x00" not in found
        assert len(found) <= MAX_TEXT
        found.encode("utf-8")
    if isinstance(found, float):
        assert found - found == 0
    if isinstance(value, int) and not isinstance(value, bool) and found is not None:
        assert int(found) == value


def test_a_number_longer_than_any_text_is_nothing() -> None:
    assert plain(10**5000) is None
    assert plain(12345678901234567890) == "12345678901234567890"


@pytest.mark.parametrize(
    ("name", "good"),
    [("a", True), ("a.b_1", True), ("_x", True), ("1a", False), ("a..b", False), ("a-b", False), ("", False),
     ("zamówienie", True), ("a.", False), ("a.1", True), ("a b", False), ("a" * 65, False), ("a\n", False)],
)  # fmt: skip
def test_a_variable_has_a_name_that_flows_can_read(name: str, good: bool) -> None:
    assert variable(name) is good


# --- what is kept ---


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 30), st.booleans()), max_size=60)
)
def test_what_is_kept_is_bounded_fresh_and_the_last_used(acts: list[tuple[int, int, int, bool]]) -> None:
    kept: Kept[int] = Kept(3, 60)
    model: dict[int, tuple[int, int, int]] = {}
    for now, (key, size, holds, puts) in enumerate(acts):
        if puts:
            model.pop(key, None)
            model[key] = now, size, now + holds
            kept.put(key, now, size, now + holds)
            while len(model) > 3 or sum(one[1] for one in model.values()) > 60:
                del model[next(iter(model))]
        else:
            wanted = model.get(key)
            if wanted is not None:
                del model[key]
                if wanted[2] <= now:
                    wanted = None
                else:
                    model[key] = wanted
            assert kept.get(key, now) == (wanted and wanted[0])


# --- what may be reached ---


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "192.0.2.1", "2001:db8::1"],
)  # fmt: skip
def test_inside_is_inside_however_it_is_written(address: str) -> None:
    assert not outside(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_the_internet_is_outside(address: str) -> None:
    assert outside(ipaddress.ip_address(address))


def test_what_is_listed_may_be_reached_and_nothing_beside_it() -> None:
    allowed = Allowed(["127.0.0.1:9000", "CRM.internal", "10.0.0.0/24", "[fd00::1]:80", "żółw.example:81"])
    at = ipaddress.ip_address
    assert allowed.host("127.0.0.1", 9000)
    assert allowed.address(at("127.0.0.1"), 9000)
    assert not allowed.host("127.0.0.1", 9001)
    assert not allowed.address(at("127.0.0.1"), 9001)
    assert allowed.host("crm.internal", 1)
    assert allowed.host("crm.internal.", 1)
    assert not allowed.host("x.crm.internal", 1)
    assert allowed.address(at("10.0.0.7"), 443)
    assert not allowed.address(at("10.0.1.7"), 443)
    assert allowed.host("fd00::1", 80)
    assert not allowed.host("fd00::1", 81)
    assert allowed.host("xn--w-uga1v8h.example", 81)


# --- letters ---


@pytest.mark.parametrize(
    "to",
    ["", "anna", "anna@", "@x.pl", "a b@x.pl", "anna@x..pl", "anna@-x.pl", "a@x.pl\r\nBcc: b@x.pl", "a@x.pl>",
     "<a@x.pl>", '"a"@x.pl', "a@[127.0.0.1]", ".a@x.pl", "a.@x.pl", f"{'a' * 65}@x.pl", f"a@{'x' * 64}.pl",
     "a@x.pl\x00", ",".join(f"a{n}@x.pl" for n in range(21))],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(Failed) as problem:
        letters.letter(to, "s", "b", "")
    assert problem.value.code == "BAD_ADDRESS"


@given(st.text(max_size=300), st.text(max_size=2000))
def test_whatever_a_caller_said_adds_no_header_and_no_address(subject: str, body: str) -> None:
    sent = letters.letter("anna@example.pl, jan.k+x@żółw.pl", subject, body, "")
    made = letters.message(sent, "Acme <noreply@acme.example>", "<1@acme.example>", NOW, None)
    data = made.as_bytes()
    assert data.isascii()
    read = message_from_bytes(data, policy=default)
    assert sorted(name.lower() for name in read) == [
        "auto-submitted",
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ]
    assert [one for _, one in getaddresses([str(read["to"])])] == [
        "anna@example.pl",
        "jan.k+x@xn--w-uga1v8h.pl",
    ]
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    if subject.isascii() and subject.isprintable() and subject.strip() and len(subject) < 60:
        assert " ".join(str(read["subject"]).split()) == " ".join(subject.split())
    if body.isascii() and body.isprintable():
        assert read.get_content().rstrip("\r\n") == body


def test_only_recordings_of_the_tenant_are_attached(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "recordings" / "acme", tmp_path / "recordings" / "other"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
        (folder / "1.wav").write_bytes(b"RIFF")
    (tmp_path / "ledger.db").write_bytes(b"x")
    (ours / "link.wav").symlink_to(theirs / "1.wav")

    def found(path: str) -> Path | None:
        return letters.attachment(tmp_path, "acme", path)

    assert found("recordings/acme/1.wav") == (ours / "1.wav").resolve()
    for path in (
        "",
        "recordings/other/1.wav",
        "recordings/acme/../other/1.wav",
        "recordings/acme/../../ledger.db",
        "ledger.db",
        str(theirs / "1.wav"),
        "/etc/passwd",
        "recordings/acme/link.wav",
        "recordings/acme",
        "recordings/acme/gone.wav",
        "recordings/acme/1.wav\x00",
        "recordings/acme/" + "x" * 5000,
    ):
        assert found(path) is None, path


def test_a_letter_is_taken_once_and_forgotten_when_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    sent = letters.letter("anna@example.pl", "Secret subject", "Secret body", "")
    assert outbox.put("acme", "c1:1", sent, "<1@x>", NOW)
    assert outbox.put("acme", "c1:1", letters.letter("b@x.pl", "other", "", ""), "<2@x>", NOW)
    assert outbox.tenants_due(NOW) == ["acme"]
    (one,) = outbox.due("acme", NOW)
    assert (one.letter, one.message_id, one.pending) == (sent, "<1@x>", ("anna@example.pl",))
    outbox.again(one, NOW + 60, "put off: 451", one.pending)
    assert outbox.due("acme", NOW + 59) == []
    assert outbox.next_due(NOW) == NOW + 60
    (again,) = outbox.due("acme", NOW + 60)
    assert again.attempts == 1
    assert outbox.standing("acme").waiting == 1
    outbox.sent(again)
    assert (outbox.standing("acme").waiting, outbox.due("acme", NOW + 99)) == (0, [])
    assert outbox.put("acme", "c1:1", sent, "<3@x>", NOW + 99)  # told again after a crash: not sent again
    assert outbox.due("acme", NOW + 99) == []
    outbox.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"Secret body" not in (tmp_path / FILE).read_bytes()


def test_an_outbox_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Outbox(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("UPDATE meta SET value = '9' WHERE name = 'outbox'")
    with pytest.raises(DataFolderError, match="newer"):
        Outbox(tmp_path)


# --- tables ---


def table(tmp_path: Path, text: str | bytes, key: str = "") -> tables.Rows:
    file = tmp_path / "orders.csv"
    file.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return tables.read(file, key)


def test_a_table_is_read_as_people_save_it(tmp_path: Path) -> None:
    rows = table(
        tmp_path,
        '\ufeffOrder no;Stan zamówienia;"Uwagi; inne";\r\n007; wysłane ;"a ""b""\nc";\r\n\r\n8;x\r\n007;second;;\r\n',
    )
    assert rows.columns == ("Order_no", "Stan_zamówienia", "Uwagi_inne")
    assert rows.find("007") == {"Order_no": "007", "Stan_zamówienia": "wysłane", "Uwagi_inne": 'a "b"\nc'}
    assert rows.find("8") == {"Order_no": "8", "Stan_zamówienia": "x", "Uwagi_inne": ""}
    assert rows.find("7") is None
    assert (rows.count, rows.repeated) == (2, 1)


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("", "", "first line is empty"),
        ("\n1,2\n", "", "first line is empty"),
        (b"a,b\n\xff\xfe,1\n", "", "UTF-8"),
        ("a,b\n1,2,3\n", "", "row 2"),
        ("a,a\n1,2\n", "", "two columns"),
        ("a,,c\n1,2,3\n", "", "column 2 has no name"),
        ("a,b\n1,2\n", "c", "no column c"),
        ("a,b\n1," + "x" * 200_000 + "\n", "", "no CSV"),
        (",".join(f"c{n}" for n in range(101)) + "\n", "", "more than 100 columns"),
        (b"a\x00,b\n", "", "first line"),
    ],
)
def test_a_broken_table_says_where(tmp_path: Path, text: str | bytes, key: str, says: str) -> None:
    with pytest.raises(tables.Broken, match=says):
        table(tmp_path, text, key)


def test_a_table_that_isn_t_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(tables.Broken, match="there is no file"):
        tables.read(tmp_path / "none.csv", "")


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12), st.sampled_from([",", ";", "\t"]))
def test_any_row_is_found_by_its_key(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, separator: str
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "one", "two"])
    writer.writerows(rows)
    found = table(tmp_path_factory.mktemp("csv"), written.getvalue())
    expected: dict[str, tuple[str, str]] = {}
    for key, one, two in rows:
        if key.strip():
            expected.setdefault(key.strip(), (one.strip(), two.strip()))
    for key, (one, two) in expected.items():
        assert found.find(key) == {"id": key, "one": one, "two": two}
    assert found.count == len(expected)


# --- callers ---


@pytest.fixture
def customers(tmp_path: Path) -> Iterator[Customers]:
    made = open_customers(tmp_path, lambda tenant: "PL")
    yield made
    made.close()


def call(data: Path, contact: str, number: str, at: float, agent: str | None = None) -> None:
    with closing(sqlite3.connect(data / FILE)) as db, db:
        db.execute("INSERT INTO parties VALUES (?, ?, ?, ?, ?)", (TENANT, contact, number, "", at))
        if agent is not None:
            row = {"tenant": TENANT, "id": contact, "medium": "voice", "direction": "inbound", "party": contact,
                   "dialled": "100", "arrived_at": at, "talk_s": 50.0, "hold_s": 0.0, "agent": agent}  # fmt: skip
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO records({', '.join(row)}) VALUES ({marks})", list(row.values()))


def who(data: Path, customers: Customers, contact: str) -> Result:
    order = Order(TENANT, contact, f"{contact}:1", {}, {}, {}, "who", 5.0, 0.0)
    return Callers(data, customers, lambda tenant: "PL")._find(order.tenant, order.contact, order.into)


def test_a_caller_is_known_by_the_number_however_the_carrier_writes_it(
    tmp_path: Path, customers: Customers
) -> None:
    customers.declare(TENANT, [])
    card = customers.add(
        TENANT,
        "person",
        {
            "given": "Anna",
            "family": "Kowalska",
            "language": "pl",
            "badges": ["VIP", "late"],
            "identity.p": {"kind": "phone", "value": "600 100 200"},
            "identity.q": {"kind": "phone", "value": "22 123 45 67"},
        },
        "marek",
        NOW,
    )
    call(tmp_path, "before", "0048600100200", NOW - 200, "alice")
    call(tmp_path, "from work", "+48221234567", NOW - 100, "boris")
    call(tmp_path, "hung up", "600100200", NOW - 50, "")
    call(tmp_path, "somebody else", "600100201", NOW - 40, "clara")
    call(tmp_path, "now", "48600100200", NOW)
    found = who(tmp_path, customers, "now")
    assert found.exit == "found"
    assert {name[4:]: value for name, value in found.values.items()} == {
        "known": True,
        "withheld": False,
        "several": 1,
        "contacts": 3,
        "number": "+48600100200",
        "id": card.id,
        "name": "Anna Kowalska",
        "kind": "person",
        "language": "pl",
        "company": None,
        "badges": "VIP,late",
        "last_at": NOW - 50,
        "last_agent": "boris",
    }


def test_a_withheld_number_is_nobody_s(tmp_path: Path, customers: Customers) -> None:
    call(tmp_path, "before", "anonymous", NOW - 10, "alice")
    call(tmp_path, "now", "anonymous", NOW)
    found = who(tmp_path, customers, "now")
    assert found.exit == "unknown"
    assert dict(found.values) == {
        "who.known": False, "who.withheld": True, "who.several": 0, "who.contacts": 0
    }  # fmt: skip


def test_a_new_number_is_unknown_and_shown_as_one_spells_it(tmp_path: Path, customers: Customers) -> None:
    call(tmp_path, "now", "201", NOW)
    found = who(tmp_path, customers, "now")
    assert (found.exit, found.values["who.number"], found.values["who.contacts"]) == ("unknown", "201", 0)


def test_of_several_with_one_number_none_is_chosen(tmp_path: Path, customers: Customers) -> None:
    for name in ("Anna", "Jan"):
        phone = {"kind": "phone", "value": "600 100 200"}
        customers.add(TENANT, "person", {"given": name, "identity.p": phone}, "marek", NOW)
    call(tmp_path, "now", "600100200", NOW)
    found = who(tmp_path, customers, "now")
    assert (found.exit, found.values["who.several"], found.values["who.known"]) == ("unknown", 2, False)
    assert "who.name" not in found.values


def test_a_contact_that_isn_t_written_is_unknown(tmp_path: Path, customers: Customers) -> None:
    assert who(tmp_path, customers, "nowhere").exit == "unknown"


# --- functions ---


def luhn(number: str) -> bool:
    """By doubling table, from the left: another way than the one tested."""
    table = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    even = len(number) % 2
    return sum(table[int(d)] if n % 2 == even else int(d) for n, d in enumerate(number)) % 10 == 0


def test_the_example_function_knows_luhn_numbers() -> None:
    chance = random.Random(4)
    for _ in range(500):
        number = "".join(chance.choices("0123456789", k=chance.randint(2, 24)))
        assert checksum({"number": number})["valid"] is luhn(number)
    assert checksum({"number": "7992-7398 713"}) == {"valid": True, "digits": 11, "expected": 3}
    assert checksum({}) == {"valid": False, "digits": 0, "expected": None}


def test_an_order_for_nothing_is_a_problem() -> None:
    orders: tuple[Any, ...] = (
        None,
        {},
        [],
        {"entry_point": "no such function", "arguments": {}},
        {"entry_point": 3},
    )
    for order in orders:
        assert "problem" in run(order)

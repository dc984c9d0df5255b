"""Users, sessions, tokens and the trail, against foreign checkers (argon2's own, pyotp's clock) and a real database."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from centrala.ledger import DataFolderError, backup, restore
from centrala.ledger.schema import FILE, script
from centrala.people import (
    People,
    PeopleError,
    Permission,
    Role,
    Scope,
    Throttle,
    User,
    allowed,
    holds,
    open_people,
    passwords,
)
from centrala.people.roles import ROLES, WHOLE_TENANT
from centrala.people.service import MAX_SESSIONS
from centrala.people.store import ABSOLUTE, IDLE
from centrala.people.tables import VERSION_1
from centrala.people.throttle import BY_ADDRESS, BY_USER, Limits

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
GOOD = "correct horse battery"
HERE = "192.0.2.1"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    made = open_people(tmp_path / "data")
    yield made
    made.close()


def ania(people: People, **more: object) -> User:
    return people.add("acme", "ania", GOOD, [Role.SUPERVISOR], NOW, **more)  # type: ignore[arg-type]


def code_of(problem: "pytest.ExceptionInfo[PeopleError]") -> str:
    return problem.value.code


# --- who may do what ---


def test_a_scope_is_read_as_it_is_written() -> None:
    for text in ("tenant", "client:shop", "team:evening", "queue:sales"):
        assert str(Scope.read(text)) == text
    for bad in ("", "queue", "queue:", "tenant:acme", "room:1", "client"):
        with pytest.raises(ValueError, match="scope"):
            Scope.read(bad)


@given(
    roles=st.sets(st.sampled_from(Role)),
    scopes=st.sets(st.sampled_from(["tenant", "client:shop", "client:bank", "queue:sales", "team:a"])),
    permission=st.sampled_from(Permission),
    client=st.sampled_from([None, "shop", "bank", "else", ""]),
    queue=st.sampled_from([None, "sales", "shop", ""]),
    team=st.sampled_from([None, "a", "sales", ""]),
    agent=st.sampled_from([None, "alice"]),
    active=st.booleans(),
    granted=st.none() | st.sets(st.sampled_from(Permission)),
)
def test_nobody_is_allowed_more_than_roles_and_scopes_say(
    roles: set[Role],
    scopes: set[str],
    permission: Permission,
    client: str | None,
    queue: str | None,
    team: str | None,
    agent: str | None,
    active: bool,
    granted: set[Permission] | None,
) -> None:
    user = User(
        "1",
        "acme",
        "x",
        frozenset(roles),
        frozenset(map(Scope.read, scopes)),
        agent,
        active,
        None if granted is None else frozenset(granted),
    )
    answer = allowed(user, permission, "acme", client=client, queue=queue, team=team)
    by_role = any(permission in ROLES[role] for role in roles)
    by_place = (
        "tenant" in scopes
        or f"client:{client}" in scopes
        or f"queue:{queue}" in scopes
        or f"team:{team}" in scopes
    )
    by_token = granted is None or permission in granted
    is_agent = permission is not Permission.DESK or agent is not None
    assert answer == (active and by_role and by_place and by_token and is_agent)
    assert not allowed(user, permission, "other", client=client, queue=queue, team=team)
    assert not answer or holds(user, permission)


def test_who_makes_users_does_not_hear_conversations() -> None:
    assert not ROLES[Role.ADMINISTRATOR] & {Permission.RECORDINGS, Permission.NUMBERS, Permission.CONTACTS}


# --- passwords and sign-in ---


def test_passwords_are_kept_as_argon2id_that_argon2_itself_verifies(people: People, tmp_path: Path) -> None:
    ania(people)
    with sqlite3.connect(tmp_path / "data" / FILE) as db:
        (stored,) = db.execute("SELECT password FROM people_users").fetchone()
    assert stored.startswith("$argon2id$")
    assert PasswordHasher().verify(stored, GOOD)
    assert extract_parameters(stored).memory_cost >= 19 * 1024
    assert GOOD.encode() not in b"".join(one.read_bytes() for one in (tmp_path / "data").glob(f"{FILE}*"))


def test_the_hash_for_nobody_costs_the_same_and_fits_nothing() -> None:
    real, nobody = extract_parameters(passwords.hashed(GOOD)), extract_parameters(passwords.NOBODY)
    assert (real.memory_cost, real.time_cost, real.parallelism, real.hash_len) == (
        nobody.memory_cost,
        nobody.time_cost,
        nobody.parallelism,
        nobody.hash_len,
    )
    assert not passwords.verify(passwords.NOBODY, GOOD)


@pytest.mark.parametrize("bad", ["", "short", "aaaaaaaaaaaaaaa", "x" * 257, "ania", "\ud800" * 12 + "abcd"])
def test_weak_passwords_are_refused_with_a_sentence(people: People, bad: str) -> None:
    with pytest.raises(PeopleError) as problem:
        people.add("acme", "ania", bad, [Role.AGENT], NOW)
    assert code_of(problem) == "PASSWORD-WEAK"
    assert people.users("acme") == []


def test_the_same_password_typed_as_other_code_points_fits(people: People) -> None:
    people.add("acme", "ola", "zażółć gęślą", [Role.AGENT], NOW)
    decomposed = "zaz\u0307o\u0301\u0142c\u0301 ge\u0328s\u0301la\u0328"
    assert people.sign_in("acme", "ola", decomposed, "", NOW, HERE)[1].name == "ola"


def test_a_session_lives_while_it_is_used_and_not_beyond_a_shift(people: People) -> None:
    ania(people)
    secret, user = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    at = NOW
    while at + IDLE * 0.9 < NOW + ABSOLUTE:
        at += IDLE * 0.9
        found = people.session(secret, at)
        assert found is not None
        assert found.user == user
    assert people.session(secret, NOW + ABSOLUTE) is None
    idle, _ = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    assert people.session(idle, NOW + IDLE - 1) is not None
    again, _ = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    assert people.session(again, NOW + IDLE) is None
    assert people.session(secret + "x", NOW) is None


def test_only_hashes_of_secrets_are_stored(people: People, tmp_path: Path) -> None:
    code = people.sign_up_code("acme", NOW)
    assert code is not None
    user = people.sign_up(code, "ania", GOOD, NOW, HERE)
    secret, _ = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    _, token = people.new_token(user, "board", None, None, NOW, HERE)
    stored = b"".join(one.read_bytes() for one in (tmp_path / "data").glob(f"{FILE}*"))
    for one in (code, secret, token.partition(".")[2]):
        assert len(one) >= 43  # 256 bits
        assert one.encode() not in stored


def test_wrong_names_and_wrong_passwords_get_one_answer(people: People) -> None:
    ania(people)
    said = set()
    for tenant, name, password in (
        ("acme", "ania", "wrong"),
        ("acme", "nobody", GOOD),
        ("other", "ania", GOOD),
        ("acme", "\ud800", GOOD),
        ("acme", "ania", "\ud800"),
    ):
        with pytest.raises(PeopleError) as problem:
            people.sign_in(tenant, name, password, "", NOW, HERE)
        said.add((code_of(problem), str(problem.value)))
    assert len(said) == 1


def test_who_left_is_out_at_once(people: People) -> None:
    user = ania(people)
    secret, _ = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    _, token = people.new_token(user, "board", None, None, NOW, HERE)
    people.set_active(user, False, NOW)
    assert people.session(secret, NOW) is None
    assert people.token(token, NOW) is None
    with pytest.raises(PeopleError) as problem:
        people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    assert code_of(problem) == "SIGN-IN-WRONG"


def test_a_new_password_ends_the_other_sessions(people: People) -> None:
    user = ania(people)
    mine, _ = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    theirs, _ = people.sign_in("acme", "ania", GOOD, "", NOW, HERE)
    identity = people.session(mine, NOW)
    assert identity is not None
    people.set_password(user, "another good one", NOW, keep=identity.key)
    assert people.session(mine, NOW) is not None
    assert people.session(theirs, NOW) is None


def test_the_oldest_of_too_many_sessions_gives_way(people: People) -> None:
    ania(people)
    secrets = [
        people.sign_in("acme", "ania", GOOD, "", NOW + one, HERE)[0] for one in range(MAX_SESSIONS + 2)
    ]
    alive = [people.session(one, NOW + 20) is not None for one in secrets]
    assert alive == [False] * 2 + [True] * MAX_SESSIONS


# --- one-time codes ---


def test_an_authenticator_is_asked_for_and_each_code_counts_once(people: People) -> None:
    user = ania(people)
    secret, uri = people.totp_begin(user, NOW, HERE)
    assert pyotp.parse_uri(uri).secret == secret  # type: ignore[union-attr]
    clock = pyotp.TOTP(secret)
    people.sign_in("acme", "ania", GOOD, "", NOW, HERE)  # not yet confirmed, so not yet asked for
    with pytest.raises(PeopleError):
        people.totp_confirm(user, "000000" if clock.at(int(NOW)) != "000000" else "111111", NOW, HERE)
    people.totp_confirm(user, clock.at(int(NOW)), NOW, HERE)
    for code, at, expected in (
        ("", NOW, "CODE-NEEDED"),
        (clock.at(int(NOW)), NOW, "SIGN-IN-WRONG"),  # used to confirm
        (clock.at(int(NOW) + 600), NOW + 60, "SIGN-IN-WRONG"),
    ):
        with pytest.raises(PeopleError) as problem:
            people.sign_in("acme", "ania", GOOD, code, at, HERE)
        assert code_of(problem) == expected
    later = NOW + 90
    people.sign_in("acme", "ania", GOOD, clock.at(int(later)), later, HERE)
    with pytest.raises(PeopleError):
        people.sign_in("acme", "ania", GOOD, clock.at(int(later)), later, HERE)


def test_an_authenticator_is_not_replaced_by_who_finds_the_page_open(people: People) -> None:
    user = ania(people)
    secret, _ = people.totp_begin(user, NOW, HERE)
    people.totp_confirm(user, pyotp.TOTP(secret).at(int(NOW)), NOW, HERE)
    with pytest.raises(PeopleError) as problem:
        people.totp_begin(user, NOW, HERE)
    assert code_of(problem) == "IN-USE"
    people.totp_remove(user, NOW)  # asks for the password, in the route
    assert people.totp_begin(user, NOW, HERE)[0] != secret


def test_attempts_from_one_ipv6_line_count_together(people: People) -> None:
    def tries(addresses: list[str]) -> str:
        for number, address in enumerate(addresses):
            with pytest.raises(PeopleError) as problem:
                people.sign_in("acme", f"nobody{number}", GOOD, "", NOW, address)
        return code_of(problem)

    assert tries([f"2001:db8:0:{one:x}::1" for one in range(30)]) == "SIGN-IN-WRONG"
    assert tries([f"192.0.2.{one}" for one in range(30)]) == "SIGN-IN-WRONG"
    assert tries([f"2001:db8:1:1::{one:x}" for one in range(30)]) == "SIGN-IN-SLOW"
    assert tries([f"::ffff:198.51.100.{one}" for one in range(30)]) == "SIGN-IN-WRONG"


# --- the first user ---


def test_the_first_user_comes_by_a_code_that_works_once(people: People) -> None:
    first = people.sign_up_code("acme", NOW)
    second = people.sign_up_code("acme", NOW + 1)  # the centre was started again: both lines were printed
    assert first is not None
    assert second is not None
    with pytest.raises(PeopleError) as problem:
        people.sign_up("guess", "eve", GOOD, NOW, HERE)
    assert code_of(problem) == "CODE-WRONG"
    user = people.sign_up(first, "ania", GOOD, NOW, HERE)
    assert (user.tenant, user.roles) == ("acme", {Role.ADMINISTRATOR, Role.SUPERVISOR})
    for used in (first, second):
        with pytest.raises(PeopleError):
            people.sign_up(used, "eve", GOOD, NOW, HERE)
    assert people.sign_up_code("acme", NOW) is None
    assert people.sign_up_code("other", NOW) is not None


def test_two_with_one_code_at_the_same_time_make_one_user(people: People) -> None:
    code = people.sign_up_code("acme", NOW)
    assert code is not None
    made: list[str] = []

    def sign_up(name: str) -> None:
        with contextlib.suppress(PeopleError):
            made.append(people.sign_up(code, name, GOOD, NOW, name).name)

    threads = [threading.Thread(target=sign_up, args=(f"user{one}",)) for one in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert [one.name for one in people.users("acme")] == made


# --- tokens ---


def test_a_token_does_what_it_was_made_for_until_it_ends(people: People) -> None:
    user = ania(people)
    granted = [Permission.QUEUES]
    token, secret = people.new_token(user, "board", granted, NOW + 10, NOW, HERE)
    found = people.token(secret, NOW + 9)
    assert found is not None
    assert found.user.permissions == {Permission.QUEUES}
    assert people.token(secret, NOW + 10) is None
    assert people.token(f"{token.id}.wrong", NOW) is None
    with pytest.raises(PeopleError) as problem:
        people.new_token(user, "more", [Permission.USERS], None, NOW, HERE)
    assert code_of(problem) == "NOT-ALLOWED"
    other = people.add("acme", "jan", GOOD, [Role.SUPERVISOR], NOW)
    assert not people.drop_token(other, token.id, NOW, HERE)
    assert people.drop_token(user, token.id, NOW, HERE)
    assert people.token(secret, NOW) is None


# --- the trail ---


def test_every_change_leaves_an_entry_without_secrets(people: People) -> None:
    user = ania(people, actor="boss", address=HERE)
    people.set_password(user, "another good one", NOW + 1, actor=user.id, address=HERE)
    people.set_active(user, False, NOW + 2, actor="boss", address=HERE)
    trail = people.trail("acme")
    assert [one.action for one in trail] == ["user.changed", "password.changed", "user.added"]
    changed = trail[0]
    assert (changed.at, changed.actor, changed.subject, changed.address) == (NOW + 2, "boss", user.id, HERE)
    assert (changed.before["active"], changed.after["active"]) == (True, False)
    assert "another good one" not in json.dumps([[one.before, one.after] for one in trail])
    assert people.trail("other") == []
    assert [one.id for one in people.trail("acme", before=trail[0].id, limit=1)] == [trail[1].id]


# --- slowing down ---


def test_guessing_gets_slower_and_a_right_password_waits_too(people: People) -> None:
    ania(people)
    at, heard = NOW, 0
    waits: list[float] = []
    for _ in range(600):  # a guess a second for ten minutes
        try:
            people.sign_in("acme", "ania", f"guess {at}", "", at, HERE)
        except PeopleError as problem:
            heard += problem.code == "SIGN-IN-WRONG"
            if problem.code == "SIGN-IN-SLOW":
                waits.append(problem.retry_after)
        at += 1
    assert heard < 25
    assert min(waits) > 0
    with pytest.raises(PeopleError) as slow:
        people.sign_in("acme", "ania", GOOD, "", at, "198.51.100.7")
    assert code_of(slow) == "SIGN-IN-SLOW"
    assert slow.value.retry_after <= BY_USER.longest  # nobody can lock somebody else out
    people.sign_in("acme", "ania", GOOD, "", at + slow.value.retry_after + 0.1, "198.51.100.7")


def test_many_names_from_one_address_are_slowed_down(people: People) -> None:
    outcomes = []
    for number in range(60):
        with pytest.raises(PeopleError) as problem:
            people.sign_in("acme", f"name{number}", "guess", "", NOW, HERE)
        outcomes.append(code_of(problem))
    assert outcomes.count("SIGN-IN-WRONG") <= BY_ADDRESS.free


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 100), st.booleans()), max_size=60))
def test_a_throttle_is_bounded_and_its_delay_never_beyond_the_longest(
    attempts: list[tuple[str, float, bool]],
) -> None:
    throttle, now = Throttle(Limits(free=2, longest=30.0), size=4), 0.0
    for key, pause, good in attempts:
        now += pause
        assert 0 <= throttle.wait(key, now) <= 30.0
        if throttle.wait(key, now) == 0:
            throttle.attempt(key, now)
            if good:
                throttle.succeeded(key)
                assert throttle.wait(key, now) == 0
        assert len(throttle) <= 4


# --- the tables ---


def test_people_are_in_backups_and_survive(people: People, tmp_path: Path) -> None:
    ania(people)
    backup(tmp_path / "data", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")
    again = open_people(tmp_path / "new")
    try:
        assert [one.name for one in again.users("acme")] == ["ania"]
        assert again.user("acme", "ania").scopes == {WHOLE_TENANT}  # type: ignore[union-attr]
    finally:
        again.close()


def test_tables_of_a_newer_centrala_are_left_alone(people: People, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data" / FILE) as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'people'")
    with pytest.raises(DataFolderError, match="newer"):
        open_people(tmp_path / "data")


@pytest.mark.parametrize("name", ["", "  ", "a/b", "x" * 65, "line\nbreak", "\ud800"])
def test_odd_names_are_refused(people: People, name: str) -> None:
    with pytest.raises(PeopleError) as problem:
        people.add("acme", name, GOOD, [Role.AGENT], NOW)
    assert code_of(problem) == "BAD-INPUT"


def test_a_name_is_taken_once_in_a_tenant(people: People) -> None:
    ania(people)
    with pytest.raises(PeopleError) as problem:
        ania(people)
    assert code_of(problem) == "NAME-TAKEN"
    assert people.add("other", "ania", GOOD, [Role.AGENT], NOW).tenant == "other"


# --- an older data folder ---


def test_people_of_the_first_version_are_taken_over(tmp_path: Path) -> None:
    with contextlib.closing(open_people(tmp_path)) as people:
        people.add("acme", "olga", GOOD, [Role.AGENT], 1.0)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        row = db.execute("SELECT * FROM people_users").fetchone()
        for (table,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'people_%'"
        ).fetchall():
            db.execute(f"DROP TABLE {table}")
        script(db, VERSION_1)
        db.execute(f"INSERT INTO people_users VALUES ({', '.join('?' * 13)})", row[:13])
        db.execute("UPDATE meta SET value = '1' WHERE name = 'people'")
        db.commit()
    with contextlib.closing(open_people(tmp_path)) as people:
        user = people.user("acme", "olga")
        assert user is not None
        assert (user.roles, user.must_change) == (frozenset({Role.AGENT}), False)
        secret, _ = people.sign_in("acme", "olga", GOOD, "", 2.0, "x")
        assert people.session(secret, 3.0) is not None
        assert people.version("acme").number == 0  # type: ignore[union-attr]


# --- links, temporary passwords ---


def test_only_the_last_links_of_a_user_count(tmp_path: Path) -> None:
    with contextlib.closing(open_people(tmp_path)) as people:
        user = people.add("acme", "olga", GOOD, [Role.AGENT], 1.0)
        links = [people.link(user, float(at)) for at in range(2, 9)]
        stored = b"".join(one.read_bytes() for one in tmp_path.iterdir() if one.is_file())
        assert not any(link.encode() in stored for link in links), "a link's secret is on the disk"
        good = 0
        for number, link in enumerate(links):
            with contextlib.suppress(PeopleError):
                people.sign_in_by_link(link, 10.0, f"address {number}")
                good += 1
        assert good == 5
        link = people.link(user, 20.0)
        people.set_password(user, GOOD + "!", 21.0)
        with pytest.raises(PeopleError, match="too old"):
            people.sign_in_by_link(link, 22.0, "x")


def test_a_temporary_password_can_be_read_out_and_is_good_enough(tmp_path: Path) -> None:
    made = {passwords.temporary() for _ in range(200)}
    assert len(made) == 200
    for one in made:
        assert passwords.problem_with(one, "olga") is None
        assert not set(one) & set("0o1il")

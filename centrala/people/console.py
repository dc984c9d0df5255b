"""What the `centrala user` command does. Works while the centre runs; raises ValueError with a sentence."""

import getpass
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from centrala.people.roles import Role, Scope
from centrala.people.service import open_people
from centrala.people.store import PeopleError


def add(
    data: Path, tenant: str, name: str, roles: Sequence[str], scopes: Sequence[str], agent: str | None
) -> str:
    """Make a user; gives a sentence to print."""
    try:
        held = [Role(one) for one in roles]
    except ValueError:
        raise ValueError(f"--role: known are {', '.join(Role)}") from None
    where = [Scope.read(one) for one in scopes]
    with closing(open_people(data)) as people:
        try:
            user = people.add(tenant, name, _password(), held, time.time(), scopes=where, agent=agent)
        except PeopleError as problem:
            raise ValueError(str(problem)) from None
    return f"{user.name} may sign in to {tenant} as {', '.join(sorted(user.roles))}"


def listed(data: Path, tenant: str) -> Iterator[dict[str, object]]:
    with closing(open_people(data)) as people:
        for user in people.users(tenant):
            yield {
                "name": user.name,
                "roles": sorted(user.roles),
                "scopes": sorted(map(str, user.scopes)),
                "agent": user.agent,
                "active": user.active,
            }


def password(data: Path, tenant: str, name: str) -> str:
    """A new password for who forgot it; authenticator, passkeys and tokens are gone. Gives a sentence to print."""
    with closing(open_people(data)) as people:
        try:
            user = people.user(tenant, name)
            if user is None:
                raise ValueError(f"There is no user {name} in {tenant}: see `centrala user list`.")
            ended = people.set_password(user, _password(), time.time(), end_tokens=True)
            people.take_second_factors(user, time.time())
        except PeopleError as problem:
            raise ValueError(str(problem)) from None
    tokens = f", {ended} token(s) of programs stopped working" if ended else ""
    return f"{user.name} has a new password; every session is over{tokens}"


def link(data: Path, tenant: str, name: str, url: str | None) -> str:
    """A link that signs the user in, once, within ten minutes; only its secret where `url` isn't given."""
    with closing(open_people(data)) as people:
        try:
            user = people.user(tenant, name)
            if user is None or not user.active:
                raise ValueError(
                    f"There is no user {name} in {tenant} who may sign in: see `centrala user list`."
                )
            secret = people.link(user, time.time())
        except PeopleError as problem:
            raise ValueError(str(problem)) from None
    return secret if url is None else f"{url.rstrip('/')}/link#{secret}"


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise ValueError("The two passwords differ.")
    return first

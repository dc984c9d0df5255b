"""The centre's settings on the screen: shown with where they come from; changed, checked and taken back."""

import re
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, Field

from centrala.flows.checking import broken_by_settings
from centrala.people import Identity, Permission
from centrala.people.changes import Version, new_secret_id
from centrala.settings import Agent, Queue, Reason, Settings, SettingsError, Strategy, Tenant, Trunk
from centrala.settings.difference import differences, effects, masked, yaml_difference
from centrala.settings.editing import Edit, Edited, conflicts, edited
from centrala.settings.model import ESCALATIONS, LANGUAGES, REASONS
from centrala.settings.overlay import Saved, Tree, keys_of, lines_of, node_of, tree_of
from centrala.settings.reading import again, tree
from centrala.settings.tree import SAVED, Wrong
from centrala.settings.tree import Problem as Mistake
from centrala.web.guard import Here, Who, address_of, need_session, need_whole
from centrala.web.house import House
from centrala.web.inputs import NumberCursor, number_of
from centrala.web.problems import Problem, answers
from centrala.web.routes.people import SIGNED_IN, Body
from centrala.web.routes.sounds import there

router = APIRouter(prefix="/admin/settings")

RIGHTS = (*SIGNED_IN, "NOT-ALLOWED")
Name = Annotated[str, Field(min_length=1, max_length=128)]


def _can_stand(value: Any) -> Any:
    """Refuses what no settings file could hold, before it is said back. Raises ValueError."""
    try:
        node_of(value)
    except Wrong as wrong:
        raise ValueError(str(wrong)) from None
    return value


Value = Annotated[Any, AfterValidator(_can_stand)]


class EditAsked(Body):
    path: Annotated[list[Name], Field(min_length=1, max_length=3)]
    'Below the tenant: `["queues", "sales", "wrap_up"]`, `["numbers", "201"]`, `["name"]`.'
    value: Value
    "As in the file; null takes it away."


class Changes(Body):
    base: Annotated[int, Field(ge=0, le=2**53)]
    "The version that was looked at."
    edits: Annotated[list[EditAsked], Field(min_length=1, max_length=500)]
    comment: Annotated[str, Field(max_length=200)] = ""


class SettingsUndo(Body):
    base: Annotated[int, Field(ge=1, le=2**53)]
    "The version that was looked at: the last one."
    to: Annotated[int, Field(ge=0, le=2**53)] | None = None
    "The version to go back to; left out, the one before."


class Source(BaseModel):
    path: list[str]
    given: str
    "file (read-only) or screen"
    line: int | None
    "In the file."


class Difference(BaseModel):
    path: list[str]
    before: Any
    after: Any


class MistakeShown(BaseModel):
    key: str
    "Dotted, below the tenant."
    text: str


class SettingsShown(BaseModel):
    version: int
    "0 while nothing was saved on the screen."
    at: float | None
    by: str | None
    file: str
    "Name of the centre's file."
    tree: dict[str, Any]
    "As in the file, both sources in one; secrets are references or `***`."
    sources: list[Source]
    hidden: list[Difference]
    "Saved on the screen once, and given by the file since: `before` was saved, `after` counts."
    warnings: list[str]
    defaults: dict[str, Any]
    "What counts where a key is left out, by kind of thing."
    choices: dict[str, list[str]]


class SettingsChecked(BaseModel):
    version: int
    problems: list[MistakeShown]
    warnings: list[str]
    "New ones."
    differences: list[Difference]
    yaml: str
    "The same as lines with - and +."
    effects: list[dict[str, Any]]
    "What people will notice: `{code, …}`."


class SavedShown(SettingsChecked):
    at: float
    by: str


class SettingsVersion(BaseModel):
    version: int
    at: float
    by: str
    comment: str
    differences: list[Difference]
    "To the version before."


class History(BaseModel):
    items: list[SettingsVersion]
    next: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Settings as they would be."""

    current: Version
    edited: Edited
    after: Settings | None
    """None with problems."""
    problems: list[Mistake]


def _plan(house: House, tenant: str, base: int, edits: Sequence[Edit]) -> _Plan:
    """Blocks: reads the database and the whole file. Raises Problem EDIT-RACE."""
    people = house.people
    current = people.version(tenant)
    assert current is not None
    if base != current.number:
        seen = people.version(tenant, base)
        raced = conflicts(seen.tree, current.tree, edits) if seen is not None else None
        if raced is None or raced:
            theirs, by = raced or [], _author(house, tenant, current)
            raise Problem(
                "EDIT-RACE",
                "Somebody else changed the same meanwhile: look, and choose.",
                {"conflicts": [_conflict(one, edits, current, by) for one in theirs]},
            )
    settings = house.settings
    done = edited(current.tree, edits, lines_of(tree(settings), tenant), new_secret_id)
    return _read(house, tenant, current, done)


def _conflict(theirs: Edit, edits: Sequence[Edit], current: Version, by: str) -> dict[str, Any]:
    yours = next(one.value for one in edits if one.path == theirs.path)
    return {
        "field": ".".join(theirs.path),
        "yours": masked(theirs.path, yours),
        "theirs": masked(theirs.path, theirs.value),
        "by": by,
        "at": current.at,
    }


def _read(house: House, tenant: str, current: Version, done: Edited) -> _Plan:
    kept = house.people.saved()
    published = {id: frozenset(house.flows.published(id)) for id in house.settings.tenants}
    saved = Saved({**kept.trees, tenant: done.tree}, {**kept.secrets, **done.secrets}, published)
    problems = [one._replace(key=f"tenants.{tenant}.{one.key}") for one in done.problems]
    after: Settings | None = None
    try:
        after = again(house.settings, saved)
    except SettingsError as wrong:
        problems += wrong.problems
    except Wrong as wrong:
        problems.append(Mistake(SAVED, "", str(wrong)))
    return _Plan(current, done, None if problems else after, problems)


def _mistakes(problems: Sequence[Mistake], tenant: str) -> list[MistakeShown]:
    start = f"tenants.{tenant}."
    found: list[MistakeShown] = []
    for one in problems:
        if one.key.startswith("tenants.") and not one.key.startswith(start):
            continue  # of another house
        text = re.sub(r"in the tenant \S+ \([^)]*\)", "in another house", one.text)
        found.append(MistakeShown(key=one.key.removeprefix(start), text=text))
    return found or [MistakeShown(key="", text="the settings can't be read; the log tells more")]


def _checked(house: House, tenant: str, plan: _Plan) -> dict[str, Any]:
    settings = house.settings
    before = tree_of(tree(settings, settings.saved), tenant)
    now: dict[str, Any] = {"version": plan.current.number, "problems": [], "warnings": [], "effects": []}
    if plan.after is None:
        now["problems"] = _mistakes(plan.problems, tenant)
        return {**now, "differences": differences(plan.current.tree, plan.edited.tree), "yaml": ""}
    after = tree_of(tree(plan.after, plan.after.saved), tenant)
    changed = differences(before, after) + _new_secrets(plan)
    now["warnings"] = sorted(set(_warnings(plan.after, tenant)) - set(_warnings(settings, tenant)))
    now["differences"] = changed
    now["yaml"] = yaml_difference(before, after)
    now["effects"] = [*_effects(house, plan.after.tenants[tenant], tenant)]
    return now


def _new_secrets(plan: _Plan) -> list[dict[str, Any]]:
    """Secrets that differ though both are hidden."""
    was, now = dict(keys_of(plan.current.tree)), dict(keys_of(plan.edited.tree))
    found = []
    for path, value in now.items():
        if path in was and was[path] != value and masked(path, was[path]) == masked(path, value):
            found.append(
                {"path": list(path), "before": masked(path, was[path]), "after": masked(path, value)}
            )
    return found


def _warnings(settings: Settings, tenant: str) -> list[str]:
    return [
        re.sub(
            r"^.*?: tenants\.[^:]*?(?=: )", lambda found: found[0].rpartition(f"tenants.{tenant}.")[2], one
        )
        for one in settings.warnings
        if f": tenants.{tenant}." in one
    ]


def _effects(house: House, after: Tenant, tenant: str) -> list[dict[str, Any]]:
    centre = house.centre(tenant)
    before = house.settings.tenants[tenant]

    def waiting(queue: str) -> int:
        return len(centre.queues[queue].waiting) if queue in centre.queues else 0

    def busy(agent: str) -> bool:
        return agent in centre.agents and bool(centre.agents[agent].calls)

    found = effects(before, after, waiting, busy)
    for queue in after.queues.values():
        known = before.queues.get(queue.id)
        if (known is None or known.music != queue.music) and not there(house.data, tenant, queue.music):
            found.append({"code": "SOUND-MISSING", "queue": queue.id, "sound": queue.music})
    scopes = (
        ("queue", before.queues, after.queues),
        ("client", before.clients, after.clients),
        ("team", before.teams, after.teams),
    )
    gone = {(kind, id) for kind, old, new in scopes for id in old if id not in new}
    for flow, wrong in broken_by_settings(before, after, house.data, house.flows.published(tenant)):
        one = wrong[0]
        found.append({"code": "FLOW-BROKEN", "flow": flow, "node": one.node, "sentence": one.sentence})
    users = house.people.users(tenant)
    if losing := sorted(one.name for one in users if any((it.kind, it.name) in gone for it in one.scopes)):
        found.append({"code": "USERS-LOSE-SCOPE", "users": losing})
    if losing := sorted(
        one.name for one in users if one.agent in before.agents and one.agent not in after.agents
    ):
        found.append({"code": "USERS-LOSE-AGENT", "users": losing})
    return found


def _administrator(identity: Identity) -> str:
    need_whole(identity, Permission.SETTINGS)
    return identity.user.tenant


def _edits(body: Changes) -> list[Edit]:
    return [Edit(tuple(one.path), one.value) for one in body.edits]


# --- routes ---


@router.get("", response_model=SettingsShown, responses=answers(*RIGHTS))
async def shown(house: Here, identity: Who) -> dict[str, Any]:
    """Everything that is set, and where: in the file (read-only) or on the screen."""
    tenant = _administrator(identity)
    return await house.ask(_shown, house, tenant)


def _shown(house: House, tenant: str) -> dict[str, Any]:
    settings = house.settings
    version = house.people.version(tenant)
    assert version is not None
    alone = tree(settings)
    both = tree(settings, settings.saved)
    lines = lines_of(both, tenant)
    now = dict(keys_of(tree_of(both, tenant)))
    of_file = lines_of(alone, tenant)
    hidden = [
        {"path": list(path), "before": masked(path, value), "after": masked(path, now.get(path))}
        for path, value in keys_of(version.tree)
        if path in of_file and value != {}
    ]
    return {
        "version": version.number,
        "at": version.at if version.number else None,
        "by": _author(house, tenant, version) if version.number else None,
        "file": settings.path.name,
        "tree": tree_of(both, tenant),
        "sources": [
            {
                "path": list(path),
                "given": "screen" if line == SAVED else "file",
                "line": None if line == SAVED else line,
            }
            for path, line in lines.items()
        ],
        "hidden": hidden,
        "warnings": _warnings(settings, tenant),
        "defaults": DEFAULTS,
        "choices": CHOICES,
    }


def _author(house: House, tenant: str, version: Version) -> str:
    """The name of who saved it, or the id of who is no more."""
    return next((one.name for one in house.people.users(tenant) if one.id == version.author), version.author)


@router.post("/check", response_model=SettingsChecked, responses=answers(*RIGHTS, "EDIT-RACE"))
async def check(body: Changes, house: Here, identity: Who) -> dict[str, Any]:
    """What these edits would change, and what is wrong with them. Changes nothing."""
    tenant = _administrator(identity)

    def work() -> dict[str, Any]:
        return _checked(house, tenant, _plan(house, tenant, body.base, _edits(body)))

    return await house.ask(work)


@router.post(
    "",
    response_model=SavedShown,
    responses=answers(*RIGHTS, "SESSION-NEEDED", "EDIT-RACE", "SETTINGS-WRONG"),
)
async def save(request: Request, body: Changes, house: Here, identity: Who) -> dict[str, Any]:
    """Make these edits; they count at once. Edits of other keys by others since `base` stay."""
    tenant = _administrator(identity)
    need_session(identity)
    async with house.changing:
        plan = await house.ask(_plan, house, tenant, body.base, _edits(body))
        return await _commit(request, house, identity, plan, body.comment)


@router.post(
    "/undo",
    response_model=SavedShown,
    responses=answers(*RIGHTS, "SESSION-NEEDED", "EDIT-RACE", "SETTINGS-WRONG", "NOT-FOUND"),
)
async def undo(request: Request, body: SettingsUndo, house: Here, identity: Who) -> dict[str, Any]:
    """Go back to the version before, or to an older one: as a new version, so that this can be undone too."""
    tenant = _administrator(identity)
    need_session(identity)
    to = body.base - 1 if body.to is None else body.to

    def plan() -> _Plan:
        current, wanted = house.people.version(tenant), house.people.version(tenant, to)
        assert current is not None
        if current.number != body.base:
            raise Problem(
                "EDIT-RACE", "Somebody else saved settings meanwhile: look, and choose.", {"conflicts": []}
            )
        if wanted is None or wanted.number > current.number:
            raise Problem("NOT-FOUND", "There is no such version, or it is too old to be kept.")
        return _read(house, tenant, current, Edited(wanted.tree, {}, ()))

    async with house.changing:
        return await _commit(request, house, identity, await house.ask(plan), f"undo: back to {to}")


async def _commit(
    request: Request, house: House, identity: Identity, plan: _Plan, comment: str
) -> dict[str, Any]:
    tenant = identity.user.tenant
    if plan.after is None:
        raise Problem(
            "SETTINGS-WRONG",
            "Some of this can't be: see `errors`. Nothing was saved.",
            {"errors": [{"where": one.key, "what": one.text} for one in _mistakes(plan.problems, tenant)]},
        )
    checked = await house.ask(_checked, house, tenant, plan)
    version = await house.ask(
        house.people.save,
        tenant,
        plan.current.number,
        plan.edited.tree,
        plan.edited.secrets,
        checked["differences"],
        house.now(),
        actor=identity.user.id,
        address=address_of(request),
        comment=comment,
    )
    await house.apply(plan.after)
    return {**checked, "version": version.number, "at": version.at, "by": identity.user.name}


@router.get("/history", response_model=History, responses=answers(*RIGHTS, "BAD-CURSOR"))
async def history(
    house: Here,
    identity: Who,
    cursor: NumberCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Who saved what and when, newest first."""
    tenant = _administrator(identity)
    before = number_of(cursor)

    def work() -> dict[str, Any]:
        versions = house.people.history(tenant, before=before, limit=limit + 1)
        names = {one.id: one.name for one in house.people.users(tenant)}
        older: list[Tree] = [one.tree for one in versions[1:]]
        if len(versions) <= limit:
            older.append({})
        items = [
            {
                "version": one.number,
                "at": one.at,
                "by": names.get(one.author, one.author),
                "comment": one.comment,
                "differences": differences(was, one.tree),
            }
            for one, was in zip(versions[:limit], older, strict=False)
        ]
        return {"items": items, "next": str(items[-1]["version"]) if len(versions) > limit else None}

    return await house.ask(work)


# --- what the pages need to know of the keys ---


def _defaults(cls: type, *left_out: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in fields(cls):
        if one.name in ("id", *left_out):
            continue
        if one.default is not MISSING:
            found[one.name] = list(one.default) if isinstance(one.default, tuple) else one.default
        elif one.default_factory is not MISSING:
            found[one.name] = {}
    return found


def _reason(one: Reason) -> dict[str, Any]:
    return {"label": one.label, "limit": one.limit}


DEFAULTS: dict[str, Any] = {
    "queue": {
        **_defaults(Queue, "thresholds", "service_level", "callbacks"),
        "service_level": "80/20",
        "callbacks": asdict(Queue("").callbacks),
        "thresholds": asdict(Queue("").thresholds),
    },
    "agent": _defaults(Agent),
    "trunk": _defaults(Trunk),
    "tenant": {"timezone": "UTC", "locale": "en", "name": None, "country": None},
    "reasons": {id: _reason(one) for id, one in REASONS.items()},
    "escalation_reasons": {id: {"label": one.label} for id, one in ESCALATIONS.items()},
}
CHOICES: dict[str, list[str]] = {
    "strategy": list(get_args(Strategy)),
    "transport": ["udp", "tcp", "tls"],
    "hang_up": ["busy", "unavailable", "not_found"],
    "language": list(LANGUAGES),
}

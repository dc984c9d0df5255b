"""The agent's own desk: state, buttons of a conversation, results and drafts, whom to transfer to, the own day."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.core import facts as f
from centrala.customers import CustomerError
from centrala.customers.values import MAX_NOTE
from centrala.ledger.metrics import occupancy
from centrala.live import agents_of, state_of, with_contact
from centrala.people import Identity, Permission
from centrala.web.entities import explained
from centrala.web.experts import shown_expert
from centrala.web.guard import Fingerprint, Here, Key, Who, need
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import Problem, answers, refused
from centrala.web.routes.people import SIGNED_IN, Body
from centrala.web.shown import AgentState, Desk

router = APIRouter(prefix="/me/agent")

Make = Callable[[float, str], f.Fact]

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Note = Annotated[str, Field(max_length=MAX_NOTE)]


class Pause(Body):
    reason: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]


class OnContact(Body):
    contact: Id | None = None
    "Left out: the one I have."


class Mute(OnContact):
    muted: bool


class To(OnContact):
    to: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    "A number, an agent's id, or queue:ID."


class Drop(OnContact):
    leg: Id


class Dial(Body):
    number: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    "A number, an agent's id, or queue:ID."


class Digits(OnContact):
    digits: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9*#A-D]+$")]


class Extend(Body):
    seconds: Annotated[float, Field(ge=1, le=600, strict=False)]


class Result(Body):
    contact: Id
    disposition: Id | None = None
    "Left out, the note alone is kept: for queues that ask for no result."
    note: Note | None = None


class DraftPut(Body):
    contact: Id
    disposition: Id | None = None
    note: Note | None = None


class Draft(BaseModel):
    contact: str | None
    disposition: str | None
    note: str | None
    at: float | None
    "Unix seconds; null where nothing was typed."


class Target(BaseModel):
    kind: str
    "agent, queue or expert"
    id: str
    "Of an expert with `expert:` before it, as transfers and consultations take it."
    name: str
    state: AgentState | None
    "Of an agent."
    free: bool
    "The agent, or somebody in the queue, could be offered a contact now; the expert is open to questions."
    tier: int | None = None
    "Of an expert, or of a queue that isn't the first."
    authority: dict[str, str] | None = None
    "What an expert may decide, by language."
    opens: float | None = None
    "When an expert can be asked, if not now."


class Targets(BaseModel):
    items: list[Target]


class Day(BaseModel):
    """What I did today; what I do just now counts up to this moment."""

    date: str
    contacts: int
    missed: int
    refused: int
    talk_s: float
    hold_s: float
    wrap_up_s: float
    ready_s: float
    offered_s: float
    resting_s: float
    unreachable_s: float
    not_ready_s: dict[str, float]
    "By reason."
    results: dict[str, int]
    "Contacts by disposition."
    occupancy: float | None


def _desk(house: House, identity: Identity) -> dict[str, Any]:
    user = identity.user
    hub = house.hubs[user.tenant]
    entity = hub.entity(("agent", user.agent or ""))
    if entity is None:
        raise Problem("NO-AGENT", "The agent that you act as isn't in the centre's file.")
    name = entity.value["contact"]
    contact = None if name is None else hub.entity(("contact", name))
    why = explained(hub.world, house.centre(user.tenant).agents[user.agent or ""])
    return {
        "seq": hub.seq,
        "agent": {**entity.seen(own=True), "why": why},
        "contact": None if contact is None else contact.seen(own=True),
        "why": why,
    }


def agent_of(house: House, identity: Identity) -> str:
    need(identity, Permission.DESK)
    name = identity.user.agent
    if name is None or name not in house.centre(identity.user.tenant).agents:
        raise Problem("NO-AGENT", "The agent that you act as isn't in the centre's file.")
    return name


def contact_of(house: House, identity: Identity, asked: str | None) -> str:
    """The contact that is meant. Raises Problem AGENT-REFUSED where there is none."""
    agent = agent_of(house, identity)
    name = asked or with_contact(house.centre(identity.user.tenant).agents[agent])
    if name is None:
        raise refused("You have no conversation now.")
    return clean(name)


async def do(
    house: House, identity: Identity, key: str | None, mark: bytes, prepare: Callable[[str], Sequence[Make]]
) -> Response:
    """Tell the facts that `prepare` makes for my agent, once per idempotency key; the answer is my desk."""
    agent = agent_of(house, identity)

    async def work() -> tuple[int, Any]:
        told = await house.tell(identity.user.tenant, agent, *prepare(agent))
        return 200, {**_desk(house, identity), "seq": told.seq, "stored": told.stored}

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


async def _tell(house: House, identity: Identity, key: str | None, mark: bytes, *make: Make) -> Response:
    return await do(house, identity, key, mark, lambda _: make)


async def about_mine(
    house: House,
    identity: Identity,
    body: OnContact | None,
    key: str | None,
    mark: bytes,
    kind: Callable[..., f.Fact],
    **more: Any,
) -> Response:
    """A fact about a contact of mine."""

    def prepare(_: str) -> list[Make]:
        contact = contact_of(house, identity, body.contact if body is not None else None)
        return [lambda at, name: kind(at=at, contact=contact, agent=name, **more)]

    return await do(house, identity, key, mark, prepare)


async def _towards(
    house: House, identity: Identity, body: To, key: str | None, mark: bytes, kind: Callable[..., f.Fact]
) -> Response:
    """A fact about a contact of mine that brings somebody else in."""

    def prepare(agent: str) -> list[Make]:
        tenant, contact = identity.user.tenant, contact_of(house, identity, body.contact)
        _may_reach_out(house, tenant, contact, agent)
        number, outside = house.settle(tenant, contact, clean(body.to))
        return [lambda at, name: kind(at=at, contact=contact, agent=name, number=number, outside=outside)]

    return await do(house, identity, key, mark, prepare)


def _may_reach_out(house: House, tenant: str, contact: str, agent: str) -> None:
    """Before the channel notes whom a contact is to reach: it must be the agent's own. Raises AGENT-REFUSED."""
    known = house.centre(tenant).contacts.get(contact)
    if known is None or all(party.agent != agent for party in known.parties.values()):
        raise refused("You are not in this conversation.")


CHANGES: Any = {
    "response_model": Desk,
    "responses": answers(*SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", "AGENT-REFUSED", "KEY-REUSED"),
}
READS: Any = {"responses": answers("SIGNED-OUT", "NOT-ALLOWED", "NO-AGENT")}


@router.get("", response_model=Desk, **READS)
async def my_desk(house: Here, identity: Who) -> Response:
    """My state, and whom I talk with or who rings, with number, queue, wait and why me."""
    agent_of(house, identity)
    return JSONResponse(_desk(house, identity))


# --- state ---


@router.post("/ready", **CHANGES)
async def ready(house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """I take contacts. Ends a rest after missed offers too."""
    return await _tell(house, identity, key, mark, f.AgentReady)


@router.post("/pause", **CHANGES)
async def pause(body: Pause, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """I take none, for this reason. In a conversation it takes effect after it; what rings goes on ringing."""
    agent = agent_of(house, identity)
    make: list[Make] = [lambda at, name: f.AgentPaused(at, name, clean(body.reason))]
    if house.centre(identity.user.tenant).agents[agent].intent == "logged_out":
        make.insert(0, f.AgentSignedIn)
    return await _tell(house, identity, key, mark, *make)


@router.post("/sign-out", **CHANGES)
async def sign_out(house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """I leave the queues. The browser's session goes on."""
    return await _tell(house, identity, key, mark, f.AgentSignedOut)


@router.post("/finish", **CHANGES)
async def finish(house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """The after-call work is done."""
    return await _tell(house, identity, key, mark, f.WrapUpFinished)


@router.post("/extend", **CHANGES)
async def extend(body: Extend, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """So many seconds more for the after-call work."""
    return await _tell(
        house, identity, key, mark, lambda at, name: f.WrapUpExtended(at, name, float(body.seconds))
    )


# --- the conversation ---


@router.post("/hold", **CHANGES)
async def hold(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """The customer hears music; in a consultation, I talk with the one I asked."""
    return await about_mine(house, identity, body, key, mark, f.HoldAsked)


@router.post("/resume", **CHANGES)
async def resume(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """Back to the customer."""
    return await about_mine(house, identity, body, key, mark, f.ResumeAsked)


@router.post("/mute", **CHANGES)
async def mute(body: Mute, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Nobody hears me, or they do again; for telephones without such a key."""
    return await about_mine(house, identity, body, key, mark, f.MuteAsked, muted=body.muted)


@router.post("/hang-up", **CHANGES)
async def hang_up(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """The end: for all if the contact is mine, else for me alone."""
    return await about_mine(house, identity, body, key, mark, f.HangUpAsked)


@router.post("/leave", **CHANGES)
async def leave(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """I leave the conference, they go on."""
    return await about_mine(house, identity, body, key, mark, f.LeaveAsked)


@router.post("/transfer", **CHANGES)
async def transfer(body: To, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Hand the customer over without asking first."""
    return await _towards(house, identity, body, key, mark, f.HandOverAsked)


@router.post("/consult", **CHANGES)
async def consult(body: To, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Ask somebody while the customer hears music."""
    return await _towards(house, identity, body, key, mark, f.ConsultAsked)


@router.post("/swap", **CHANGES)
async def swap(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """From the customer to the one I asked, and back."""
    return await about_mine(house, identity, body, key, mark, f.SwapAsked)


@router.post("/complete", **CHANGES)
async def complete(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """The customer goes on with the one I asked."""
    return await about_mine(house, identity, body, key, mark, f.CompleteAsked)


@router.post("/conference", **CHANGES)
async def conference(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """All three together."""
    return await about_mine(house, identity, body, key, mark, f.ConferenceAsked)


@router.post("/call-customer", **CHANGES)
async def call_customer(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """Call whoever left the message that I have: into this conversation."""
    return await about_mine(house, identity, body, key, mark, f.CallCustomerAsked)


@router.post("/drop", **CHANGES)
async def drop(body: Drop, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Let go of the one I asked, or of a member of the conference."""
    return await about_mine(house, identity, body, key, mark, f.DropAsked, leg=clean(body.leg))


@router.post("/dial", **CHANGES)
async def dial(body: Dial, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Call somebody: my phone is rung first, then theirs."""

    def prepare(_: str) -> list[Make]:
        if house.voice is None:
            raise refused("Nobody can be called from here.")
        contact = house.voice.new_contact(house.now())
        tenant, wanted = identity.user.tenant, clean(body.number)
        number, outside = house.settle(tenant, contact, wanted)
        caller = house.caller(tenant, wanted, outside)
        return [lambda at, name: f.DialAsked(at, contact, name, number, outside, caller)]

    return await do(house, identity, key, mark, prepare)


@router.post("/digits", **CHANGES)
async def digits(body: Digits, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Keys for the customer's side: menus of others."""
    agent = agent_of(house, identity)

    async def work() -> tuple[int, Any]:
        contact = contact_of(house, identity, body.contact)
        sent = house.voice is not None and house.voice.send_digits(
            identity.user.tenant, contact, agent, body.digits
        )
        if not sent:
            raise refused("Nobody is there who could hear them.")
        return 200, _desk(house, identity)

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


# --- what came of it ---


@router.post("/result", **CHANGES)
async def result(body: Result, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """The outcome of a contact of mine, as a code, and a note about it."""
    agent = agent_of(house, identity)

    async def work() -> tuple[int, Any]:
        tenant, contact = identity.user.tenant, clean(body.contact)
        answer = _desk(house, identity)
        if body.disposition is not None:
            disposition = clean(body.disposition)
            if disposition not in house.tenant(tenant).dispositions:
                raise refused("There is no such result in this centre.")
            told = await house.tell(
                tenant, agent, lambda at, name: f.ResultGiven(at, contact, name, disposition)
            )
            answer = {**_desk(house, identity), "seq": told.seq, "stored": told.stored}
        else:
            _is_mine(house, tenant, contact, agent)
        if body.note and body.note.strip():
            note, who = clean(body.note), identity.user.id
            try:
                await house.ask(
                    house.customers.put_note, tenant, contact, who, note, house.now(), agent=agent
                )
            except CustomerError as problem:
                raise Problem(problem.code, str(problem)) from None
        else:
            await house.ask(house.customers.drop_draft, tenant, agent, contact)
        return 200, answer

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


def _is_mine(house: House, tenant: str, contact: str, agent: str) -> None:
    """Whether the agent is in a contact, or in after-call work about it. Raises AGENT-REFUSED."""
    known = house.centre(tenant).contacts.get(contact)
    if known is None or agent not in agents_of(known, house.hubs[tenant].live.memory):
        raise refused("The contact isn't yours, or it is over.")


@router.put(
    "/draft",
    status_code=204,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", "AGENT-REFUSED"),
)
async def put_draft(body: DraftPut, house: Here, identity: Who) -> Response:
    """Keep what I typed so far about a contact of mine; I alone see it."""
    agent = agent_of(house, identity)
    contact = clean(body.contact)
    _is_mine(house, identity.user.tenant, contact, agent)
    disposition = None if body.disposition is None else clean(body.disposition)
    note = None if body.note is None else clean(body.note)
    await house.ask(
        house.customers.put_draft,
        identity.user.tenant,
        agent,
        contact,
        house.now(),
        disposition=disposition,
        note=note,
    )
    return Response(status_code=204)


@router.get("/draft", response_model=Draft, **READS)
async def get_draft(
    house: Here, identity: Who, contact: Annotated[str | None, Query(min_length=1, max_length=128)] = None
) -> Response:
    """What I typed so far about a contact; left out, the one I have."""
    agent = agent_of(house, identity)
    tenant = identity.user.tenant
    name = contact or with_contact(house.centre(tenant).agents[agent])
    kept = None
    if name is not None:
        name = clean(name)
        kept = await house.ask(house.customers.get_draft, tenant, agent, name)
    return JSONResponse(
        {
            "contact": name,
            "disposition": kept.disposition if kept is not None else None,
            "note": kept.note if kept is not None else None,
            "at": round(kept.at, 3) if kept is not None else None,
        }
    )


# --- whom, and how much ---

TARGETS = 50


@router.get("/targets", response_model=Targets, **READS)
async def targets(house: Here, identity: Who, q: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Colleagues and queues that I may transfer to, by name, id or number; those who are free first."""
    me = agent_of(house, identity)
    tenant, centre = house.tenant(identity.user.tenant), house.centre(identity.user.tenant)
    sought = clean(q).casefold().strip()
    reached: dict[tuple[str, str], list[str]] = {}
    if sought:
        for number, to in tenant.numbers.items():
            reached.setdefault((to.kind, to.target), []).append(number)
    found: list[dict[str, Any]] = []
    for name, queue in centre.queues.items():
        configured = tenant.queues.get(name)
        label = (configured.name if configured is not None else None) or name
        if _fits(sought, name, label, reached.get(("queue", name), ())):
            found.append(
                {"kind": "queue", "id": name, "name": label, "state": None, "free": bool(queue.idle)}
            )
    for name, agent in centre.agents.items():
        label = agent.spec.name or name
        if name != me and _fits(sought, name, label, reached.get(("agent", name), ())):
            found.append(
                {
                    "kind": "agent",
                    "id": name,
                    "name": label,
                    "state": state_of(centre, agent),
                    "free": agent.reachable and not (agent.calls or agent.offers),
                }
            )
    for expert in tenant.experts.values():
        shown = shown_expert(house, tenant, expert)
        if _fits(sought, expert.id, shown["name"], [expert.number or "", *expert.skills]):
            opens = None if shown["open"] else shown["opens"]
            kept = {one: shown[one] for one in ("kind", "name", "free", "tier", "authority")}
            found.append({**kept, "id": shown["to"], "state": None, "opens": opens})
    found.sort(key=lambda one: (not one["free"], one["kind"] != "queue", one["name"].casefold()))
    return JSONResponse({"items": found[:TARGETS]})


def _fits(sought: str, id: str, name: str, numbers: Any) -> bool:
    if not sought:
        return True
    return (
        sought in name.casefold()
        or id.casefold().startswith(sought)
        or any(number.lstrip("+").startswith(sought.lstrip("+")) for number in numbers)
    )


@router.get("/day", response_model=Day, **READS)
async def day(house: Here, identity: Who) -> Response:
    """My own figures of today."""
    agent = agent_of(house, identity)
    live = house.hubs[identity.user.tenant].live
    time = live.agent_day(agent, house.now())
    seconds = {
        f"{name}_s": round(time.seconds.get(state, 0.0), 1)
        for name, state in (
            ("talk", "on_contact"),
            ("hold", "held"),
            ("wrap_up", "wrap_up"),
            ("ready", "ready"),
            ("offered", "offered"),
            ("resting", "resting"),
            ("unreachable", "unreachable"),
        )
    }
    busy = occupancy(time)
    return JSONResponse(
        {
            "date": live.memory.day,
            "contacts": time.contacts,
            "missed": time.missed,
            "refused": time.refused,
            **seconds,
            "not_ready_s": {reason: round(spent, 1) for reason, spent in time.not_ready.items()},
            "results": time.results,
            "occupancy": None if busy is None else round(busy, 4),
        }
    )

"""Customers as the API takes and gives them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from centrala.customers import Brief, Change, Customer, Declared, Note
from centrala.customers.values import CONSENTS, LAST_MOMENT, MAX_NOTE
from centrala.web.house import House
from centrala.web.routes.people import Body

# --- what is sent ---

Text = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=32)]], Field(max_length=20)]
Stamp = Annotated[float, Field(ge=0, le=LAST_MOMENT, allow_inf_nan=False)]
CustomKey = Annotated[str, Field(max_length=32, pattern=r"^[a-z][a-z0-9_]*$")]
CustomValue = (
    Annotated[str, Field(max_length=500)] | bool | int | Annotated[float, Field(allow_inf_nan=False)] | None
)


class NewIdentity(Body):
    kind: Literal["phone", "email", "messenger", "address"]
    value: Annotated[str, Field(min_length=1, max_length=300)]
    "A number as people write it, an address of mail, telegram:@anna, a postal address."
    label: Annotated[str, Field(max_length=40)] = ""


class IdentityEdit(Body):
    id: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    "None adds one."
    kind: Literal["phone", "email", "messenger", "address"] | None = None
    value: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    label: Annotated[str, Field(max_length=40)] | None = None


class Consents(Body):
    calls: bool | None = None
    ads: bool | None = None


class Fields(Body):
    given: Text | None = None
    middle: Text | None = None
    family: Text | None = None
    name: Text | None = None
    "Of a company; of a person whose parts of the name aren't known."
    language: Annotated[str, Field(max_length=35, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    preferred_agent: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    "Id of the agent who is theirs; queues may keep their calls for that one."
    badges: (
        Annotated[list[Annotated[str, Field(min_length=1, max_length=32)]], Field(max_length=20)] | None
    ) = None
    companies: Ids | None = None
    "Ids of companies that a person works for."
    consents: Consents | None = None
    custom: Annotated[dict[CustomKey, CustomValue], Field(max_length=50)] | None = None


class NewCustomer(Fields):
    kind: Literal["person", "company"] = "person"
    identities: Annotated[list[NewIdentity], Field(max_length=50)] = []


class Edit(Fields):
    """What is left out stays; null takes away."""

    version: Annotated[int, Field(ge=1, le=2**53)]
    "The one that was edited."
    identities: Annotated[list[IdentityEdit], Field(max_length=50)] = []
    remove_identities: Ids = []


PromiseQueue = Annotated[str | None, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewNote(Body):
    text: Annotated[str, Field(min_length=1, max_length=MAX_NOTE)]
    contact: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    "Where the note is about one contact."


class NewPromise(Body):
    text: Annotated[str, Field(min_length=1, max_length=500)]
    due: Stamp | None = None
    "Unix seconds."
    queue: PromiseQueue = None
    "Whoever serves it keeps the promise; left out, I do."


class PromiseEdit(Body):
    version: Annotated[int, Field(ge=1, le=2**53)]
    "Of the customer."
    text: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    due: Stamp | None = None
    done: bool | None = None
    queue: PromiseQueue = None
    "Null: whoever gave it keeps it."


class Undo(Body):
    change: Annotated[int, Field(ge=1, le=2**53)]


class Merge(Body):
    other: Annotated[str, Field(min_length=1, max_length=32)]


class Tie(Body):
    contact: Annotated[str, Field(min_length=1, max_length=256)]


class FieldBody(Body):
    key: CustomKey
    label: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Literal["text", "number", "date", "flag", "choice"] = "text"
    choices: Annotated[list[Annotated[str, Field(min_length=1, max_length=80)]], Field(max_length=50)] = []


class FieldsBody(Body):
    fields: Annotated[list[FieldBody], Field(max_length=50)]


# --- what is answered ---


class Named(BaseModel):
    id: str
    name: str


class IdentityShown(BaseModel):
    id: str
    kind: str
    value: str | None
    "Null where it may not be seen."
    label: str


class ConsentShown(BaseModel):
    allowed: bool
    at: float
    by: str


class ConsentsShown(BaseModel):
    calls: ConsentShown | None
    "Null: nobody asked."
    ads: ConsentShown | None


class PromiseShown(BaseModel):
    id: str
    text: str
    due: float | None
    done: bool
    at: float
    by: str
    queue: str | None
    "Whoever serves it keeps the promise; null where `by` does."


class CustomerShown(BaseModel):
    id: str
    kind: str
    version: int
    name: str
    "As one says it; empty where only a number is known."
    given: str | None
    middle: str | None
    family: str | None
    language: str | None
    preferred_agent: str | None
    badges: list[str]
    companies: list[Named]
    people: list[Named]
    "Who works for this company; the first 100."
    identities: list[IdentityShown]
    consents: ConsentsShown
    promises: list[PromiseShown]
    custom: dict[str, str | bool | int | float]
    made_at: float
    changed_at: float


class Found(BaseModel):
    id: str
    kind: str
    name: str
    company: str | None
    badges: list[str]
    language: str | None
    number: str | None
    "The first one; null where it may not be seen, or there is none."
    calls: bool | None
    ads: bool | None


class FoundPage(BaseModel):
    items: list[Found]
    next: str | None
    "Cursor of the next page; null at the end. A page may be short and still have a next one."


class Lookup(BaseModel):
    items: list[Found]
    "Everybody who has the number."
    withheld: bool


class NoteShown(BaseModel):
    id: str
    author: str
    text: str
    at: float


class TimelineRow(BaseModel):
    kind: Literal["contact", "note"]
    id: str
    at: float
    contact: dict[str, Any] | None
    "As `GET /contacts/{id}`, with `disposition`; null for a note."
    notes: list[NoteShown]


class Timeline(BaseModel):
    items: list[TimelineRow]
    next: str | None


class ChangeShown(BaseModel):
    id: int
    version: int
    at: float
    by: str
    field: str
    before: Any
    after: Any


class HistoryPage(BaseModel):
    items: list[ChangeShown]
    next: str | None


class ErasedShown(BaseModel):
    customers: int
    contacts: int
    recordings: int
    notes: int
    shared: int


# --- how it is shown ---


async def card(house: House, customer: Customer, numbers: bool) -> dict[str, Any]:
    doc = customer.doc
    names = await names_of(house, customer.tenant)
    companies = await house.ask(house.customers.companies, customer) if doc.get("companies") else []
    people = await house.ask(house.customers.members, customer) if customer.kind == "company" else []
    consents = {one: doc.get(f"consent.{one}") for one in CONSENTS}
    return {
        "id": customer.id,
        "kind": customer.kind,
        "version": customer.version,
        "name": customer.name,
        **{one: doc.get(one) for one in ("given", "middle", "family", "language", "preferred_agent")},
        "badges": doc.get("badges") or [],
        "companies": [{"id": one.id, "name": one.name} for one in companies],
        "people": [{"id": one.id, "name": one.name} for one in people],
        "identities": [
            {"id": name, **(one if numbers else {**one, "value": None})}
            for name, one in customer.identities()
        ],
        "consents": {
            one: value and {**value, "by": names.get(value["by"], value["by"])}
            for one, value in consents.items()
        },
        "promises": [
            {"queue": None, "id": name[8:], **one, "by": names.get(one["by"], one["by"])}
            for name, one in doc.items()
            if name.startswith("promise.")
        ],
        "custom": {name[7:]: value for name, value in doc.items() if name.startswith("custom.")},
        "made_at": round(customer.made_at, 3),
        "changed_at": round(customer.changed_at, 3),
    }


def found_shown(customer: Customer, brief: Brief, numbers: bool) -> dict[str, Any]:
    phones = customer.identities("phone")
    return {
        **brief.shown(),
        "number": phones[0][1]["value"] if phones and numbers else None,
        "calls": brief.calls,
        "ads": brief.ads,
    }


def note_shown(note: Note, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": note.id,
        "author": names.get(note.author, note.author),
        "text": note.text,
        "at": round(note.at, 3),
    }


async def names_of(house: House, tenant: str) -> dict[str, str]:
    """User or agent → the name that people know, for `by` and `author`."""
    users = {one.id: one.name for one in await house.ask(house.people.users, tenant)}
    return {name: one.name or name for name, one in house.tenant(tenant).agents.items()} | users


def change_shown(change: Change, names: dict[str, str], numbers: bool) -> dict[str, Any]:
    def side(value: Any) -> Any:
        return with_names(value if numbers else veiled(change.field, value), names)

    return {
        "id": change.id,
        "version": change.version,
        "at": round(change.at, 3),
        "by": names.get(change.by, change.by),
        "field": change.field,
        "before": side(change.before),
        "after": side(change.after),
    }


def with_names(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict) and "by" in value:
        return {**value, "by": names.get(value["by"], value["by"])}
    return value


def veiled(field: str, value: Any) -> Any:
    return {**value, "value": None} if field.startswith("identity.") and value is not None else value


def fields_shown(declared: list[Declared]) -> dict[str, Any]:
    shown = [
        {"key": one.key, "label": one.label, "kind": one.kind, "choices": list(one.choices)}
        for one in declared
    ]
    return {"fields": shown}

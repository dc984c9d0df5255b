"""Every error as RFC 9457 says: `application/problem+json` with a stable code and a sentence for people."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from centrala.ledger import DataFolderError, LedgerUnavailable
from centrala.people import PeopleError
from centrala.web.refusals import code_of, sentence

CODES: dict[str, int] = {
    "BAD-INPUT": 422,
    "BAD-CURSOR": 422,
    "SIGNED-OUT": 401,
    "SIGN-IN-WRONG": 401,
    "CODE-NEEDED": 401,
    "CODE-WRONG": 403,
    "PASSWORD-WRONG": 403,
    "PASSWORD-NEEDED": 403,
    "PASSWORD-WEAK": 422,
    "PASSWORD-TEMPORARY": 403,
    "NAME-TAKEN": 409,
    "TOO-MANY": 409,
    "LAST-ADMINISTRATOR": 409,
    "EDIT-RACE": 409,
    "MERGED": 409,
    "NO-UNDO": 409,
    "IN-USE": 409,
    "SETTINGS-WRONG": 422,
    "SOUND-WRONG": 422,
    "FLOW-WRONG": 422,
    "FLOW-OF-FILE": 409,
    "FLOW-BUILT-IN": 409,
    "NO-SPEECH": 409,
    "REQUEST-WRONG": 422,
    "REQUEST-THERE": 409,
    "REQUEST-OVER": 409,
    "PLAN-CHANGED": 409,
    "PLAN-STATE": 409,
    "PLAN-INPUT": 422,
    "PLAN-NOBODY": 422,
    "PLAN-BREAKS-RULE": 422,
    "WORKFORCE-MISSING": 409,
    "PLANNER-DOWN": 503,
    "SIGN-IN-SLOW": 429,
    "BUSY": 503,
    "NOT-ALLOWED": 403,
    "SESSION-NEEDED": 403,
    "CROSS-SITE": 403,
    "NOT-FOUND": 404,
    "NO-AGENT": 404,
    "METHOD": 405,
    "AGENT-REFUSED": 409,
    "KEY-REUSED": 409,
    "TOO-BIG": 413,
    "RANGE": 416,
    "LEDGER-DOWN": 503,
    "INTERNAL": 500,
}
"Code → HTTP status. A code keeps its meaning for ever; new ones may come."

MEDIA_TYPE = "application/problem+json"
TEMPLATE = "#/components/schemas/{model}"


class ProblemBody(BaseModel):
    """RFC 9457. `code` is what programs look at; `detail` is a sentence for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    reason: str = ""
    "With AGENT-REFUSED: a code for the sentence in `detail`."
    errors: list[dict[str, str]] = Field(default_factory=list)
    conflicts: list[dict[str, Any]] = Field(default_factory=list)
    "With EDIT-RACE: what both wrote, `{field, yours, theirs, by, at}` each."


class Problem(Exception):
    """Raised anywhere below a route; becomes the answer. `more` are further members of it (RFC 9457, 3.2)."""

    def __init__(self, code: str, detail: str, /, more: dict[str, Any] | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.code = code
        self.more = more or {}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def refused(*said: str) -> Problem:
    """AGENT-REFUSED: what the core, or a route, says that it can't be, as a sentence and as its `reason`."""
    return Problem("AGENT-REFUSED", " ".join(map(sentence, said)), {"reason": code_of(said[0])})


NOT_FOUND = "There is nothing here, or nothing that you may see."


def response(
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
    more: dict[str, Any] | None = None,
) -> Response:
    status = CODES[code]
    body: dict[str, Any] = {
        "type": f"urn:centrala:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    body |= more or {}
    if code == "SIGNED-OUT":
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let the app answer with problems only."""

    @app.exception_handler(Problem)
    async def problem(_: Request, it: Problem) -> Response:
        return response(it.code, str(it), it.headers, more=it.more)

    @app.exception_handler(PeopleError)
    async def people(_: Request, it: PeopleError) -> Response:
        headers = {"Retry-After": str(int(it.retry_after) + 1)} if it.retry_after else None
        return response(it.code, str(it), headers)

    @app.exception_handler(LedgerUnavailable)
    async def ledger(_: Request, it: LedgerUnavailable) -> Response:
        return response("LEDGER-DOWN", "The data folder can't be used now: try again.", {"Retry-After": "2"})

    @app.exception_handler(DataFolderError)
    async def folder(_: Request, it: DataFolderError) -> Response:
        return response("LEDGER-DOWN", "The data folder can't be used now: try again.", {"Retry-After": "2"})

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, it: RequestValidationError) -> Response:
        # What was sent isn't said back: it may be a password.
        errors = [
            {
                "where": "/".join(str(part) for part in one["loc"])[:200].encode("utf-8", "replace").decode(),
                "what": str(one["type"]),
            }
            for one in it.errors()[:20]
        ]
        return response("BAD-INPUT", "Some of what was sent can't be taken: see `errors`.", None, errors)

    @app.exception_handler(HTTPException)
    async def http(_: Request, it: HTTPException) -> Response:
        match it.status_code:
            case 404:
                return response("NOT-FOUND", NOT_FOUND)
            case 405:
                return response("METHOD", "This can't be done here.", dict(it.headers or {}))
            case _:
                return response("BAD-INPUT", "The request can't be read.")

    @app.exception_handler(Exception)
    async def internal(_: Request, it: Exception) -> Response:
        return response("INTERNAL", "This is a fault of Centrala: the log tells more.")


def describe(schema: dict[str, Any]) -> None:
    """Add to OpenAPI what the `answers` of routes name."""
    schema["components"]["schemas"][ProblemBody.__name__] = ProblemBody.model_json_schema(
        ref_template=TEMPLATE
    )


def answers(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: which problems a route answers with, beside those that every route has."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, "BAD-INPUT", "LEDGER-DOWN", "METHOD", "TOO-BIG"):
        status = CODES[code]
        known = found.get(status, {}).get("description")
        found[status] = {
            "description": f"{known}, {code}" if known else code,
            # By name, as FastAPI would build a validator for every problem of every route at each start.
            "content": {MEDIA_TYPE: {"schema": {"$ref": TEMPLATE.format(model=ProblemBody.__name__)}}},
        }
    return found

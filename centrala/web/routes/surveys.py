"""What customers answered after their conversations, by queue and by agent."""

from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from centrala.core.flow.question import KEYS
from centrala.ledger.folding import Answer
from centrala.ledger.surveys import FEW, Tally, figure
from centrala.people import Permission
from centrala.web.board import reaches
from centrala.web.guard import Here, Who, need
from centrala.web.house import House
from centrala.web.problems import answers

router = APIRouter()

DAY = 86400.0
LONGEST = 366
"Days."
ROWS = 300_000
"Contacts; the newest."


class SurveyFigure(BaseModel):
    survey: str
    question: str
    scale: str
    queue: str | None
    agent: str | None
    "Null: the whole queue."
    counts: dict[str, int]
    "Answers by value."
    n: int
    mean: float | None
    share: float | None
    "0 to 1. 1-5: 4 and 5 (CSAT); 0-10: 9 and 10; yes_no: yes."
    low: float | None
    "Wilson's interval of it, 95 %."
    high: float | None
    nps: float | None
    "Of 0-10: −100 to 100."
    nps_low: float | None
    nps_high: float | None
    ranked: bool
    "Has answers enough to be compared with others."


class SurveyReport(BaseModel):
    begins: float
    ends: float
    few: int
    "Answers below which nothing is ranked."
    items: list[SurveyFigure]
    cut: bool
    "There were more contacts than are counted; the newest are."


@router.get("/floor/surveys", response_model=SurveyReport, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def surveys(house: Here, identity: Who, days: Annotated[int, Query(ge=1, le=LONGEST)] = 30) -> Response:
    """By queue, and by agent for who may see agents; only queues and agents that I may see."""
    need(identity, Permission.QUEUES)
    user, now = identity.user, house.now()
    hub, centre = house.hubs[user.tenant], house.centre(user.tenant)
    queues = {
        name
        for name in centre.queues
        if (entity := hub.entity(("queue", name))) is not None and reaches(user, Permission.QUEUES, entity)
    }
    agents = {
        name
        for name in centre.agents
        if (entity := hub.entity(("agent", name))) is not None and reaches(user, Permission.AGENTS, entity)
    }
    begins = now - days * DAY
    made = await house.ask_long(_report, house, user.tenant, queues, agents, begins, now)
    return JSONResponse(made)


Key = tuple[str, str, str, str, str | None]
"(survey, question, scale, queue, agent)"

_decode = msgspec.json.Decoder(list[Answer]).decode


def _report(
    house: House, tenant: str, queues: set[str], agents: set[str], begins: float, ends: float
) -> dict[str, Any]:
    tallies: dict[Key, Tally] = {}
    rows = house.rows(
        "SELECT answers FROM records WHERE tenant = ? AND arrived_at >= ? AND arrived_at < ? AND answers != '[]'"
        " ORDER BY arrived_at DESC LIMIT ?",
        (tenant, begins, ends, ROWS + 1),
    )
    for (text,) in rows[:ROWS]:
        for one in _decode(text):
            if one.queue not in queues or one.scale not in KEYS:
                continue
            whose = [None, *([one.agent] if one.agent in agents else [])]
            for agent in whose:
                key = (one.survey, one.question, one.scale, one.queue, agent)
                tallies.setdefault(key, Tally(one.scale)).add(one.value)  # type: ignore[arg-type]
    return {
        "begins": round(begins, 3),
        "ends": round(ends, 3),
        "few": FEW,
        "items": [
            {
                "survey": key[0],
                "question": key[1],
                "scale": key[2],
                "queue": key[3],
                "agent": key[4],
                "counts": {str(value): count for value, count in sorted(tally.counts.items())},
                **asdict(figure(tally)),
            }
            for key, tally in sorted(tallies.items(), key=lambda one: tuple(part or "" for part in one[0]))
        ],
        "cut": len(rows) > ROWS,
    }

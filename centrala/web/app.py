"""The application: `/api/v1` as OpenAPI 3.1, around a `House`."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from centrala import __version__
from centrala.web import problems
from centrala.web.desktop import Desktop
from centrala.web.guard import Shell
from centrala.web.house import House
from centrala.web.routes import (
    admin,
    balancing,
    callbacks,
    contacts,
    customers,
    desk,
    floor,
    flows,
    history,
    in_call,
    lending,
    live,
    owed,
    parking,
    people,
    planning,
    plans,
    promises,
    roster,
    settings,
    sip,
    sounds,
    surveys,
    tiers,
)

API = "/api/v1"


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        schema = super().openapi()
        problems.describe(schema)
        return schema


def make_app(house: House) -> FastAPI:
    """The routes alone, for OpenAPI and tests of routes."""
    app = _App(
        title="Centrala",
        version=__version__,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        webhooks=live.webhooks,
        separate_input_output_schemas=False,  # one TypeScript type for each thing
    )
    app.state.house = house
    problems.install(app)
    for one in (
        people,
        admin,
        settings,
        sounds,
        desk,
        parking,
        in_call,
        tiers,
        callbacks,
        floor,
        history,
        lending,
        balancing,
        live,
        owed,
        surveys,
        contacts,
        customers,
        promises,
        sip,
        flows,
        planning,
        plans,
        roster,
    ):
        app.include_router(one.router, prefix=API)
    return app


def make_asgi(house: House) -> ASGIApp:
    """What is served: the routes and the pages with the headers and bounds around them."""
    return Shell(Desktop(make_app(house)), house.settings.listen.trusted_proxies)

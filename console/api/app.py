"""The API as an application of its own, mounted in the console: its errors are problems, its door takes tokens only."""

from typing import Any

from fastapi import FastAPI

from console.api import deciding, looking, problems, steering
from console.api.problems import Problem
from console.house import House

_REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": what}
    for code, what in (
        (401, "No token, or none that is good"),
        (403, "The token may not do this"),
        (404, "There is no such thing"),
        (409, "It does not count, and why"),
        (422, "The request does not fit, and where"),
        (503, "Somebody who is needed does not answer: send the same again"),
    )
}


def create_api(house: House) -> FastAPI:
    """No pages and no CORS: a browser of another site is not served."""
    api = FastAPI(
        title="Steward",
        version="1",
        summary="State, events, memory, inbox, runs and switches of one company.",
        description="Errors are problem details (RFC 9457) whose `hint` says what to do. Every route names the scope it needs.",
        docs_url=None,
        redoc_url=None,
        responses=_REFUSALS,
        redirect_slashes=False,
    )
    api.state.house = house
    for router in (looking.router, deciding.router, steering.router):
        api.include_router(router)
    problems.handle(api)
    return api

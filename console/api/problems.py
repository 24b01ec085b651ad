"""Errors as problem details (RFC 9457): what happened in ``detail``, what to do in ``hint``, the error's name in ``kind``."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from console.callers import NotKnown
from console.guard import MOST_BYTES, TooLarge
from console.statuses import status_of
from domain.errors import AccessDenied, InvalidFields, Overtaken, Retryable, StewardError, TooManyTries
from domain.problems import in_words, path_of


class Problem(BaseModel):
    """RFC 9457. ``problems`` are messages by field; ``moved`` and ``asked_anew`` come with a question that was overtaken."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    kind: str
    problems: dict[str, str] | None = None
    moved: list[str] | None = None
    asked_anew: str | None = None


def handle(api: FastAPI) -> None:
    """Have every error of ``api`` answered as a problem."""
    api.add_exception_handler(StewardError, _steward)
    api.add_exception_handler(RequestValidationError, _not_valid)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(TooLarge, _too_large)


async def _steward(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StewardError)
    if isinstance(error, NotKnown):
        return _told(401, error, headers={"www-authenticate": 'Bearer realm="steward"'})
    return _told(status_of(error), error, headers=_headers(error))


async def _not_valid(_request: Request, error: Exception) -> JSONResponse:
    """Names the fields; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    problems = {path_of(one["loc"]): in_words(one) for one in error.errors()}
    return _told(422, InvalidFields("the request", problems))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, TooLarge):  # raised while the body was read
        return await _too_large(request, error.__cause__)
    what = "there is no such place" if error.status_code == 404 else str(error.detail)
    return _answer(error.status_code, what, "/api/v1/openapi.json lists what there is", "Http", headers=error.headers)


async def _too_large(_request: Request, _error: Exception) -> JSONResponse:
    return _answer(413, f"a request has at most {MOST_BYTES:,} bytes", "send less at once", "TooLarge")


def _told(status: int, error: StewardError, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    more: dict[str, Any] = {"problems": error.problems} if isinstance(error, InvalidFields) else {}
    if isinstance(error, Overtaken):
        more = {"moved": list(error.moved), "asked_anew": error.asked_anew}
    return _answer(status, error.message, error.hint, type(error).__name__, headers=headers, **more)


def _headers(error: StewardError) -> dict[str, str]:
    if isinstance(error, AccessDenied):
        return {"www-authenticate": 'Bearer realm="steward", error="insufficient_scope"'}
    if isinstance(error, TooManyTries):
        return {"x-retry-at": error.until.isoformat()}
    if isinstance(error, Retryable):
        return {"retry-after": str(int(error.retry_after.total_seconds()) if error.retry_after else 1)}
    return {}


def _answer(
    status: int, detail: str, hint: str, kind: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    problem = Problem(
        type=f"urn:steward:problem:{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        hint=hint,
        kind=kind,
        **more,
    )
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, status, headers=dict(headers or {}), media_type="application/problem+json")

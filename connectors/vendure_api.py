"""How Vendure's Admin API is called: a session that is begun when it is needed, or an API key.

A session comes back as a token in a header, or as a cookie, as the server is configured; both are taken. When it has run out
the server answers FORBIDDEN and does nothing: then a new one is begun, once.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.graphql import Answer, Graph
from connectors.http import Http
from domain.errors import EffectError, Permanent

_TOKEN, _KEY = "vendure-auth-token", "vendure-api-key"


_REFUSALS = {"USER_INPUT_ERROR", "BAD_USER_INPUT", "ENTITY_NOT_FOUND", "ILLEGAL_OPERATION_ERROR", "GRAPHQL_VALIDATION_FAILED"}
"""Codes of what Vendure would not even begin; whatever it began by then is rolled back with its transaction."""


class Outcome(BaseModel):
    """What a mutation answers: the thing, or why not."""

    model_config = ConfigDict(extra="ignore")

    kind: str = Field(alias="__typename")
    error_code: str = Field(default="", alias="errorCode")
    state: str = ""


class Settings(BaseModel):
    """How the shop counts: the digits of its money, its currency, and whether it counts stock by default."""

    channel: str
    currency: str
    digits: int
    counts: bool


class VendureGraph(Graph):
    """Without a ``username``, ``password`` is an API key."""

    def __init__(self, http: Http, *, path: str, username: str, password: str) -> None:
        super().__init__(http, path, folder="vendure")
        self._username = username
        self._password = password
        self._token: str | None = None  # empty where the session is a cookie
        self._settings: Settings | None = None

    async def settings(self) -> Settings:
        """Asked for once."""
        if self._settings is None:
            answer = await self.ask("settings", {})
            server, channel = answer.read("globalSettings", dict[str, Any]), answer.read("activeChannel", dict[str, str])
            self._settings = Settings(
                channel=channel["code"],
                currency=channel["defaultCurrencyCode"],
                digits=answer.read("globalSettings.serverConfig.moneyStrategyPrecision", int),
                counts=bool(server["trackInventory"]),
            )
        return self._settings

    async def _exchange(self, body: Mapping[str, Any], *, changes: bool) -> Answer:
        begun = self._token is not None or not self._username
        if not begun:
            await self._log_in()
        answer = await super()._exchange(body, changes=changes)
        if begun and self._username and any(fault.code == "FORBIDDEN" for fault in answer.errors):
            await self._log_in()
            answer = await super()._exchange(body, changes=changes)
        return answer

    def _fault(self, answer: Answer) -> EffectError:
        if (code := answer.errors[0].code) in _REFUSALS:
            return Permanent(f"{self.name} refused it ({code})", hint="the same request would be refused again")
        return super()._fault(answer)

    async def _headers(self) -> Mapping[str, str]:
        if not self._username:
            return {_KEY: self._password}
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    async def _log_in(self) -> None:
        given = {"username": self._username, "password": self._password}
        body = {"query": self._document("login"), "variables": given}
        reply = await self._http.send("POST", self._path, body=body, repeatable=True)
        answer = reply.parse(Answer).model_copy(update={"system": self.name})
        if answer.errors:
            raise self._fault(answer)
        if code := answer.read("login", Outcome).error_code:
            hint = f"its credentials are wrong: `./steward connect {self.name}`"
            raise Permanent(f"{self.name} let nobody in ({code[:60]})", hint=hint)
        self._token = reply.headers.get(_TOKEN, "")

"""Who may take a route. Every route names the one scope it needs, which is how it is documented too."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from console.callers import Caller, caller_of
from console.house import House
from domain.access import Scope
from domain.approvals import Via

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="a token of `steward token issue`: stw_…")


async def _enter(request: Request, needed: SecurityScopes, _shown: Annotated[object, Depends(_BEARER)]) -> Caller:
    """Raises NotKnown, AccessDenied. A route that names no scope is for nobody."""
    house: House = request.app.state.house
    caller = await caller_of(house, request, Via.API)
    for scope in needed.scopes or ("nothing",):
        caller.need(Scope(scope))
    return caller


Reader = Annotated[Caller, Security(_enter, scopes=[Scope.READ])]
Proposer = Annotated[Caller, Security(_enter, scopes=[Scope.PROPOSE])]
Decides = Annotated[Caller, Security(_enter, scopes=[Scope.DECIDE])]

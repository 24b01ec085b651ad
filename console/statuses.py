"""What each kind of error is in HTTP."""

from domain.errors import (
    AccessDenied,
    DecisionRefused,
    InvalidInput,
    NotFound,
    Permanent,
    Refused,
    Retryable,
    SetupError,
    Stale,
    StewardError,
    TooManyTries,
)

_STATUS: dict[type[StewardError], int] = {
    AccessDenied: 403,
    TooManyTries: 429,
    NotFound: 404,
    InvalidInput: 422,
    DecisionRefused: 409,
    Stale: 409,
    Refused: 409,
    Permanent: 502,
    Retryable: 503,
    SetupError: 503,
}


def status_of(error: StewardError) -> int:
    return next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)

"""What a failed step said, in the words it was raised with."""

from temporalio.exceptions import ActivityError, ApplicationError


def said_by(error: ActivityError) -> str:
    """Without the name of the error's class, which the SDK puts before it."""
    cause = error.cause
    return cause.message if isinstance(cause, ApplicationError) else str(cause or error)

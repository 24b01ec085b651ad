"""Short hands for findings."""

from domain.decisions import Finding, Severity


def hold(code: str, text: str) -> Finding:
    """A human has to look."""
    return Finding(code=code, severity=Severity.HOLD, text=text)


def block(code: str, text: str) -> Finding:
    """It must not happen as it is."""
    return Finding(code=code, severity=Severity.BLOCK, text=text)


def note(code: str, text: str) -> Finding:
    """Worth knowing."""
    return Finding(code=code, severity=Severity.NOTE, text=text)

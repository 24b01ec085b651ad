"""Commands of running workflows do not change unnoticed."""

import json

from tests.replay.fingerprints import COMMITTED, fingerprints


def test_workflow_commands_are_as_committed() -> None:
    """A difference breaks runs in flight unless it is guarded by workflow.patched; then write the fingerprints anew."""
    assert fingerprints() == json.loads(COMMITTED.read_text())

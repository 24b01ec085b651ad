"""Commands of running workflows do not change unnoticed."""

import json

from tests.replay.fingerprints import COMMITTED, fingerprints, sources


def test_workflow_commands_are_as_committed() -> None:
    """A difference breaks runs in flight unless it is guarded by workflow.patched; then write the fingerprints anew."""
    assert fingerprints() == json.loads(COMMITTED.read_text())


def test_every_module_a_workflow_takes_code_from_is_watched() -> None:
    """Also one that only helps; not what starts and wakes runs from outside."""
    assert {"support_triage", "governed_action", "undelivered", "shielding"} <= set(sources())
    assert not {"gateway", "relay", "schedules"} & set(sources())
    assert fingerprints()["undelivered.admit_undelivered"] == ["execute_activity_method NotifyActivities.admit_undelivered"]

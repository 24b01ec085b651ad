"""The ways in which a system that is called over HTTP goes wrong: what it answers, what that means for reading and for writing.

A connector's own tests go through them with one of its readings and one of its effects.
"""

import pytest

from domain.errors import Permanent, Retryable, Stale, Unknown
from tests.contract.scripted_http import Reply, as_json

TROUBLE = [
    pytest.param(as_json({}, status=401), Permanent, Permanent, id="wrong credentials"),
    pytest.param(as_json({}, status=403), Permanent, Permanent, id="forbidden"),
    pytest.param(as_json({}, status=404), Permanent, Permanent, id="not there"),
    pytest.param(as_json({}, status=302, location="http://127.0.0.1:1/"), Permanent, Permanent, id="redirect"),
    pytest.param(as_json({}, status=409), Stale, Stale, id="conflict"),
    pytest.param(as_json({}, status=429), Retryable, Retryable, id="rate limited"),
    pytest.param(as_json({}, status=500), Retryable, Unknown, id="broken"),
    pytest.param(as_json({}, status=503, retry_after="7"), Retryable, Retryable, id="closed for a while"),
    pytest.param(Reply(body=b"x" * 99, cut=True), Retryable, Unknown, id="cut in the body"),
    pytest.param(Reply(hang=True), Retryable, Unknown, id="hangs"),
    pytest.param(Reply(drip=True), Retryable, Unknown, id="drips"),
    pytest.param(Reply(body=b"x" * 2_000), Permanent, Unknown, id="huge"),
    pytest.param(Reply(body=b"x", headers={"content-encoding": "gzip"}), Permanent, Unknown, id="packed"),
]

"""Answers of the Messages API, for the scripted server."""

import json
from typing import Any

from tests.contract.scripted_http import Reply


def message(*content: dict[str, Any], stop_reason: str = "end_turn", usage: dict[str, int] | None = None) -> Reply:
    """A complete Messages API answer."""
    body = {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": list(content),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 100, "output_tokens": 20},
    }
    return Reply(body=json.dumps(body).encode())


def answer(value: dict[str, Any], *, confidence: float = 0.9, **more: Any) -> Reply:
    """A structured answer, as ``output_config.format`` makes the API give it: JSON in a text block."""
    return message({"type": "text", "text": json.dumps({"answer": value, "confidence": confidence})}, **more)


def failure(status: int, kind: str, **headers: str) -> Reply:
    body = {"type": "error", "error": {"type": kind, "message": f"scripted {kind}"}}
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers)

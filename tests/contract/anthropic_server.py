"""The engine against a scripted server, and answers of the Messages API for it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.contract.scripted_http import Reply, Server, serving

if TYPE_CHECKING:
    from models.anthropic import AnthropicModel


@asynccontextmanager
async def claude(*script: Reply, patience: float = 5.0, key: str = "test") -> AsyncIterator[tuple["AnthropicModel", Server]]:
    """The engine, which waits ``patience`` seconds for each of the answers."""
    from models.anthropic import AnthropicModel  # every process collects every test, and this import is a fifth of that

    async with serving(*script) as server:
        waits = timedelta(seconds=patience)
        model = AnthropicModel(api_key=key, model="claude-haiku-4-5", max_tokens=500, base_url=server.url, timeout=waits)
        try:
            yield model, server
        finally:
            await model.close()


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

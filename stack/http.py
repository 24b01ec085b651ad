"""One request over HTTP on loopback."""

import asyncio
import http.client
import json

from stack.ports import HOST

TIMEOUT = 2.0


async def get(port: int, path: str) -> bytes | None:
    """The body of a 200 answer, or None for anything else, silence included."""
    return await asyncio.to_thread(_request, port, "GET", path, None)


async def post(port: int, path: str, body: object) -> bytes | None:
    """Send ``body`` as JSON; the answer is as for ``get``."""
    return await asyncio.to_thread(_request, port, "POST", path, json.dumps(body))


def _request(port: int, method: str, path: str, body: str | None) -> bytes | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.read() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

"""RUN: the embedded PostgreSQL, Temporal and Chroma, and the worker on top; nothing else knows they can be embedded."""

from stack.control import endpoints, start, status, stop, worker_pid
from stack.endpoints import connected
from stack.errors import StackError
from stack.state import Endpoints, PartState, StackStatus

__all__ = [
    "Endpoints",
    "PartState",
    "StackError",
    "StackStatus",
    "connected",
    "endpoints",
    "start",
    "status",
    "stop",
    "worker_pid",
]

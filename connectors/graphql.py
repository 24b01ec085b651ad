"""GraphQL over HTTP: named documents in files, answers that may hold errors although the status is 200."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from connectors.http import Http
from domain.errors import EffectError, Permanent, Retryable, Unknown

T = TypeVar("T")
_QUERIES = Path(__file__).parent / "queries"


class Fault(BaseModel):
    """One of the errors of an answer. Its message is for developers, and never repeated."""

    extensions: dict[str, Any] = {}

    @property
    def code(self) -> str:
        return str(self.extensions.get("code", ""))


class Answer(BaseModel):
    """``changes`` says that the question was to change something, so that an answer nobody understands is Unknown."""

    model_config = ConfigDict(extra="ignore")

    data: dict[str, Any] | None = None
    errors: list[Fault] = []
    extensions: dict[str, Any] = {}
    system: str = ""
    changes: bool = False

    def read(self, path: str, wanted: type[T]) -> T:
        """What stands at ``path`` of the data (``orders.nodes``). Raises Permanent, or Unknown where something may have changed."""
        value: Any = self.data
        try:
            for name in path.split("."):
                value = value[name]
            return TypeAdapter(wanted).validate_python(value)
        except (ValidationError, LookupError, TypeError) as error:
            where = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else ""
            raise self.failure(f"answered something else than expected at {f'{path}.{where}'.rstrip('.')}") from None

    def failure(self, what: str, hint: str = "it may have been updated") -> EffectError:
        return Unknown(f"{self.system} {what}", hint=hint) if self.changes else Permanent(f"{self.system} {what}", hint=hint)


class Graph:
    """Questions to one endpoint. Raises as ``connectors.http`` does; subclasses know the codes of their system."""

    def __init__(self, http: Http, path: str, *, folder: str) -> None:
        self.name = http.name
        self._http = http
        self._path = path
        self._folder = folder

    async def ask(
        self, name: str, variables: Mapping[str, Any], *, fragments: tuple[str, ...] = (), changes: bool = False
    ) -> Answer:
        """The answer to the document ``name``. Raises also where the answer holds errors."""
        query = "\n".join(self._document(part) for part in (name, *fragments))
        answer = await self._exchange({"query": query, "variables": dict(variables)}, changes=changes)
        if answer.errors:
            raise self._fault(answer)
        return answer

    async def _exchange(self, body: Mapping[str, Any], *, changes: bool) -> Answer:
        reply = await self._http.send("POST", self._path, body=body, headers=await self._headers(), repeatable=not changes)
        return reply.parse(Answer).model_copy(update={"system": self.name, "changes": changes})

    def _document(self, name: str) -> str:
        return _document(self._folder, name)

    async def _headers(self) -> Mapping[str, str]:
        return {}

    def _fault(self, answer: Answer) -> EffectError:
        code = "".join(c for c in answer.errors[0].code[:60] if c.isalnum() or c == "_")
        if "INTERNAL" in code and not answer.changes:
            return Retryable(f"{self.name} answered an error ({code})", hint="it is tried again by itself")
        if code in {"FORBIDDEN", "ACCESS_DENIED", "UNAUTHENTICATED"}:
            hint = f"its credentials are wrong or may not do this: `./steward connect {self.name}`"
            return Permanent(f"{self.name} refused it ({code})", hint=hint)
        return answer.failure(f"answered an error ({code or 'without a code'})", hint="look before it is repeated")


@cache
def _document(folder: str, name: str) -> str:
    return (_QUERIES / folder / f"{name}.graphql").read_text()

"""Tools as a server describes them. All of it was written by whoever runs the server: it is data, and can change."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, JsonValue, ValidationError

from domain.errors import InvalidInput, NotFound
from domain.ids import digest
from domain.model import Value
from domain.problems import first_problem
from domain.tools import InverseTool, ToolTerms


class OfferedTool(Value):
    """A tool, with the JSON Schemas of what it takes and gives."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: dict[str, JsonValue] = Field(default_factory=dict)
    output_schema: dict[str, JsonValue] | None = None

    @property
    def digest(self) -> str:
        """Changes with anything that says what the tool does or takes."""
        return digest(self)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names it takes; those it needs come first."""
        known, needed = self.input_schema.get("properties"), self.input_schema.get("required")
        names = [str(name) for name in known] if isinstance(known, dict) else []
        first = [name for name in names if isinstance(needed, list) and name in needed]
        return tuple(dict.fromkeys((*first, *names)))

    def problem(self, arguments: Mapping[str, JsonValue]) -> str:
        """Why ``arguments`` do not fit its schema, or nothing. References to other documents are not followed."""
        from jsonschema.exceptions import SchemaError, best_match  # noqa: PLC0415 - few commands have use for it
        from jsonschema.validators import validator_for  # noqa: PLC0415 - as above
        from referencing import Registry  # noqa: PLC0415 - as above
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - as above

        checker: Any = validator_for(self.input_schema)
        try:
            checker.check_schema(self.input_schema)
            error = best_match(checker(self.input_schema, registry=Registry()).iter_errors(dict(arguments)))
        except (SchemaError, Unresolvable, RecursionError):
            return "its schema is not one that can be checked"
        if error is None:
            return ""
        where = ".".join(map(str, error.absolute_path))
        return f"{where or 'they'}: {error.message[:300]}"


def terms_for(offered: Sequence[OfferedTool], name: str, **wish: Any) -> ToolTerms:
    """The terms of a tool in the words it has now; ``undo`` names the tool that takes it back. Raises InvalidInput, NotFound."""
    tool, undo = one_of(offered, name), wish.pop("undo", None)
    key, sources = wish.get("key_argument", ""), wish.pop("undo_arguments", {})
    if key and key not in tool.arguments:
        raise InvalidInput(f"{name} takes no argument {key!r}", hint=f"it takes {', '.join(tool.arguments) or 'none'}")
    try:
        if undo is not None:
            back = one_of(offered, undo)
            if strange := sorted(sources.keys() - set(back.arguments)):
                raise InvalidInput(f"{undo} takes no argument {strange[0]!r}", hint=f"it takes {', '.join(back.arguments)}")
            wish["inverse"] = InverseTool(tool=undo, digest=back.digest, arguments=sources)
        return ToolTerms(digest=tool.digest, **wish)
    except ValidationError as error:
        field, problem = first_problem(error)
        raise InvalidInput(f"{field or name}: {problem}", hint="see `./steward tools --help`") from None


def one_of(offered: Sequence[OfferedTool], name: str) -> OfferedTool:
    """Raises NotFound, and InvalidInput where several have the name."""
    found = [tool for tool in offered if tool.name == name]
    if not found:
        raise NotFound(f"there is no tool {name!r}", hint="`./steward tools NAME` lists them")
    if len(found) > 1:
        raise InvalidInput(f"{name} is offered {len(found)} times", hint="whoever runs the server has to say which it is")
    return found[0]

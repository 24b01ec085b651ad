"""Cuts a slice out of the introspection of a GraphQL API: what the documents of a connector reach, and nothing else.

A field is in it where a document selects it, with the arguments that a document gives and those that are required. Inputs,
enums and scalars are whole. Descriptions are left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    concat_ast,
    get_named_type,
    is_required_argument,
    parse,
    print_schema,
    validate,
    visit,
)

_OWN = {"String", "Int", "Float", "Boolean", "ID"}  # scalars of the language itself


def slice_of(introspection: dict[str, Any], folder: Path) -> str:
    """The SDL of what the documents in ``folder`` reach. Raises AssertionError where one of them does not fit."""
    schema = build_client_schema(introspection, assume_valid=True)  # type: ignore[arg-type]  # a file's JSON
    whole = concat_ast([parse(path.read_text()) for path in sorted(folder.glob("*.graphql"))])
    assert not (faults := validate(schema, whole)), faults
    used = _Used(schema)
    used.look_through(whole)
    return print_schema(build_client_schema(used.cut(introspection), assume_valid=True))


class _Used:
    """``fields`` by type, each with its arguments; ``types`` are all that are needed to say so."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._fields: dict[str, dict[str, set[str]]] = {}
        self._types: set[str] = set()
        self._named: set[str] = set()  # only by a fragment: some of its types are in a union
        self._directives: set[str] = set()

    def look_through(self, document: DocumentNode) -> None:
        info = TypeInfo(self._schema)
        visit(document, TypeInfoVisitor(info, _Looking(self, info)))
        for name in ("query_type", "mutation_type"):
            self._need(getattr(self._schema, name))
        for name in self._named - self._types:
            self._need(self._schema.type_map[name])
        self._fill()

    def select(self, of: GraphQLNamedType, name: str, arguments: set[str]) -> None:
        assert isinstance(of, GraphQLObjectType | GraphQLInterfaceType)
        required = {key for key, argument in of.fields[name].args.items() if is_required_argument(argument)}
        self._fields.setdefault(of.name, {}).setdefault(name, set()).update(arguments | required)

    def name(self, of: GraphQLNamedType | None) -> None:
        if isinstance(of, GraphQLInterfaceType):
            self._named.add(of.name)

    def direct(self, name: str) -> None:
        self._directives.add(name)

    def _need(self, wanted: GraphQLNamedType) -> None:
        if wanted.name in self._types or wanted.name in _OWN:
            return
        self._types.add(wanted.name)
        for other in self._behind(wanted):
            self._need(other)

    def _behind(self, wanted: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
        if isinstance(wanted, GraphQLInputObjectType):
            yield from (get_named_type(field.type) for field in wanted.fields.values())
        if isinstance(wanted, GraphQLObjectType | GraphQLInterfaceType):
            for name, arguments in self._fields.get(wanted.name, {}).items():
                field = wanted.fields[name]
                yield get_named_type(field.type)
                yield from (get_named_type(field.args[argument].type) for argument in arguments)
        if isinstance(wanted, GraphQLInterfaceType | GraphQLUnionType) and wanted.name not in self._named:
            yield from self._schema.get_possible_types(wanted)

    def _fill(self) -> None:
        """What is selected of an interface all its types have; one of which nothing is selected has its first field."""
        for name in sorted(self._types):
            one = self._schema.type_map[name]
            if not isinstance(one, GraphQLObjectType):
                continue
            for interface in one.interfaces:
                for field, arguments in self._fields.get(interface.name, {}).items():
                    self.select(one, field, arguments)
            if name not in self._fields:
                self.select(one, "id" if "id" in one.fields else next(iter(one.fields)), set())
            for other in self._behind(one):
                self._need(other)

    def cut(self, introspection: dict[str, Any]) -> Any:
        told = introspection["__schema"]
        types = [self._cut(one) for one in told["types"] if one["name"] in self._types | _OWN]
        directives = [_plain(one) for one in told["directives"] if one["name"] in self._directives]
        return {"__schema": {**told, "description": None, "subscriptionType": None, "types": types, "directives": directives}}

    def _cut(self, one: dict[str, Any]) -> dict[str, Any]:
        kept = {**one, "description": None, "specifiedByURL": None}
        if one.get("fields"):
            fields = self._fields[one["name"]]
            kept["fields"] = [_plain(f, fields[f["name"]]) for f in one["fields"] if f["name"] in fields]
        for part in ("inputFields", "enumValues"):
            kept[part] = [_plain(value) for value in one[part]] if one.get(part) else one.get(part)
        for part in ("interfaces", "possibleTypes"):
            kept[part] = [other for other in one[part] if other["name"] in self._types] if one.get(part) else one.get(part)
        return kept


def _plain(told: dict[str, Any], arguments: set[str] | None = None) -> dict[str, Any]:
    """Without words, and with these ``arguments`` only."""
    kept = {**told, "description": None, "isDeprecated": False, "deprecationReason": None}
    if "args" in told:
        kept["args"] = [_plain(one) for one in told["args"] if arguments is None or one["name"] in arguments]
    return kept


class _Looking(Visitor):
    def __init__(self, used: _Used, info: TypeInfo) -> None:
        super().__init__()
        self._used = used
        self._info = info

    def enter_field(self, node: Any, *_: Any) -> None:
        of = self._info.get_parent_type()
        if of is not None and node.name.value != "__typename":
            self._used.select(of, node.name.value, {argument.name.value for argument in node.arguments or ()})

    def enter_inline_fragment(self, node: Any, *_: Any) -> None:
        self._used.name(get_named_type(self._info.get_type()))

    def enter_directive(self, node: Any, *_: Any) -> None:
        self._used.direct(node.name.value)

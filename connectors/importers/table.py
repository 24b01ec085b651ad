"""CSV as it is found in the wild: gzip, encodings, delimiters, and columns that go by other names."""

import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from connectors.importers.cells import CellFormat, Cells
from connectors.importers.report import BadCell, Rejection
from domain.errors import InvalidInput
from domain.problems import in_words

T = TypeVar("T")
MAX_BYTES = 512 * 1024 * 1024  # unpacked
_DELIMITERS = ",;\t|"
_SHOWN = 80  # characters of a rejected value that are repeated in the report
_END = "\x1a the end \x1a"
"""A line behind the last one: where a quote is still open, it does not stand alone."""
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Column:
    """``name`` is ours; ``about`` is one line of documentation."""

    name: str
    about: str
    required: bool = False


@dataclass(frozen=True)
class TableOptions:
    """``mapping`` is ours -> theirs. The rest says how cells are written where that is not plain from the file."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    date_format: str = ""
    decimal: str = ""
    currency: str = "EUR"


@dataclass(frozen=True)
class Table:
    """``header`` maps our column names to the file's; ``lines`` are (line number, cells by our name).

    ``misfits`` are the cells of lines that have more of them than the header, by line number: which is which nobody knows.
    """

    header: Mapping[str, str]
    lines: tuple[tuple[int, Mapping[str, str]], ...]
    misfits: Mapping[int, Sequence[str]]
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many lines say something."""
        return len(self.lines) + len(self.misfits)


def read_table(raw: bytes, columns: Sequence[Column], options: TableOptions) -> Table:
    """Raises ``InvalidInput`` where the file as a whole cannot be read: not text, no header, a required column missing."""
    text = decode(unpack(raw))
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise InvalidInput("the file is empty", hint=f"the first line names the columns: {_names(columns)}")
    delimiter = max(_DELIMITERS, key=first.count)
    records = _records(text, delimiter)
    _, names = next(records)
    header = _match_header([n.strip() for n in names], columns, options.mapping)
    position = {ours: [n.strip() for n in names].index(theirs) for ours, theirs in header.items()}
    lines, misfits, rejected = [], dict[int, Sequence[str]](), []
    for number, cells in records:
        if len(cells) > len(names) and any(c.strip() for c in cells[len(names) :]):
            why = f"has {len(cells)} cells, the header has {len(names)}; a value with a {delimiter!r} in it needs quotes"
            rejected.append(Rejection(number, "", _short(delimiter.join(cells)), why))
            misfits[number] = cells
        elif any(c.strip() for c in cells):
            lines.append((number, {o: cells[i].strip() if i < len(cells) else "" for o, i in position.items()}))
    unread = [n.strip() for n in names if n.strip() and n.strip() not in header.values()]
    notes = (f"columns not read: {', '.join(unread)}",) if unread else ()
    return Table(header, tuple(lines), misfits, tuple(rejected), notes)


def parse_rows(table: Table, parse: Callable[[Cells], T], options: TableOptions) -> tuple[list[tuple[int, T]], list[Rejection]]:
    """Apply ``parse`` to every line; what raises BadCell or breaks a model's rule becomes a Rejection."""
    how = CellFormat(date_format=options.date_format, decimal=options.decimal, currency=options.currency)
    parsed: list[tuple[int, T]] = []
    rejected = list(table.rejected)
    for number, values in table.lines:
        try:
            parsed.append((number, parse(Cells(values, how))))
        except BadCell as bad:
            rejected.append(Rejection(number, table.header.get(bad.column, bad.column), _short(bad.value), bad.why))
        except ValidationError as error:
            rejected.append(_broken_rule(number, error, values, table.header))
    return parsed, rejected


def unpack(raw: bytes, *, limit: int = MAX_BYTES) -> bytes:
    """Plain bytes of a file that may be gzipped. Raises ``InvalidInput`` where it is damaged or unreasonably large."""
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            plain = packed.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"the gzip file is damaged: {error}", hint="export or download it again") from error
    if len(plain) > limit:
        raise InvalidInput(f"the file unpacks to more than {limit // 2**20} MB", hint="split it")
    return plain


def decode(raw: bytes) -> str:
    """Text of a file: UTF-16 and UTF-8 by their marks, UTF-8, else Windows' western code page."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(raw, "utf-16")
    if b"\x00" in raw[:65536]:
        raise InvalidInput("this is not a text file", hint="save the spreadsheet as CSV")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded(raw, "cp1252")


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the text is neither UTF-8 nor {encoding}", hint="save it as UTF-8") from error


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of every record; a quoted cell may span lines. Raises InvalidInput for a quote that is never closed."""
    taken: list[str] = []
    reader = csv.reader(_remembered(itertools.chain(io.StringIO(text, newline=""), [_END]), taken), delimiter=delimiter)
    while True:
        begins = reader.line_num + 1
        taken.clear()
        try:
            cells = next(reader)
        except csv.Error as error:
            raise _too_long(begins) if "field limit" in str(error) else _unclosed(begins) from error
        if cells == [_END]:
            return
        if cells and cells[-1].endswith(_END):
            raise _unclosed(begins + sum(len(_NEWLINE.findall(cell)) for cell in cells[:-1]))
        if len(taken) > 1:
            _check_quotes(taken, begins, delimiter)
        if cells:
            yield begins, cells


def _remembered(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _check_quotes(lines: Sequence[str], begins: int, delimiter: str) -> None:
    """A cell over several lines whose closing quote stands before more text was closed by the quote of another cell."""
    try:
        next(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _unclosed(begins) from error


def _too_long(line: int) -> InvalidInput:
    most = f"{csv.field_size_limit():,}"
    return InvalidInput(
        f"a cell of the record that begins on line {line} has more than {most} characters",
        hint="shorten it; where it was not meant to be so long, a quote before it is never closed",
    )


def _unclosed(line: int) -> InvalidInput:
    return InvalidInput(
        f"the quote that begins on line {line} is never closed", hint="close it, or write a quote that is meant as one twice"
    )


def _match_header(names: Sequence[str], columns: Sequence[Column], mapping: Mapping[str, str]) -> dict[str, str]:
    ours = {c.name for c in columns}
    if wrong := [m for m in mapping if m not in ours]:
        raise InvalidInput(f"--map names a column there is not: {', '.join(wrong)}", hint=f"there are {_names(columns)}")
    if absent := [theirs for theirs in mapping.values() if theirs not in names]:
        raise InvalidInput(f"the file has no column {', '.join(absent)}", hint=f"it has {', '.join(names)}")
    plain = {n.lower(): n for n in reversed(names)}
    header = {c.name: mapping.get(c.name) or plain.get(c.name) for c in columns}
    if missing := [c.name for c in columns if c.required and not header[c.name]]:
        hint = f"it has {', '.join(names)}; rename the column, or import the file with --map {missing[0]}=THEIRS"
        raise InvalidInput(f"the file has no column {', '.join(missing)}", hint=hint)
    found = {our: theirs for our, theirs in header.items() if theirs}
    if twice := sorted({n for n in found.values() if names.count(n) > 1}):
        raise InvalidInput(f"two columns are called {', '.join(twice)}", hint="rename one of them")
    return found


def _broken_rule(line: int, error: ValidationError, values: Mapping[str, str], header: Mapping[str, str]) -> Rejection:
    first = error.errors(include_url=False)[0]
    column = next((str(part) for part in first["loc"] if part in values), str(first["loc"][-1]) if first["loc"] else "")
    return Rejection(line, header.get(column, column), _short(values.get(column, str(first["input"]))), in_words(first))


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(c.name if c.required else f"[{c.name}]" for c in columns)


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"

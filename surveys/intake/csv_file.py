"""A CSV file read row by row, after one pass has made sure that all of it can be read."""

import codecs
import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

LARGEST_FILE = 20 * 1024 * 1024
LARGEST_CELL = 32 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
BLOCK = 64 * 1024
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Tried only to say what would fit; which one is right is for a person who can read the words.
LIKELY_ENCODINGS = ("utf-8", "windows-1252", "gb18030", "latin-1")


class FileProblem(ValueError):
    """The file as a whole cannot be imported; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its number (1 is the first after the heading) and the line of the file it ends on."""

    number: int
    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file that was read through once: it decodes, and it is within the limits."""

    path: Path
    encoding: str
    delimiter: str
    heading: list[str]
    rows: int

    def __iter__(self) -> Iterator[Row]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            yield from itertools.islice(_records(file, self.delimiter), 1, None)


def open_csv(path: Path, *, encoding: str = "", delimiter: str = ",") -> CsvFile:
    """Raise FileProblem. Without an encoding: the byte-order mark's, else UTF-8, and nothing is guessed."""
    _check_kind_and_size(path)
    encoding = _encoding(path, encoding)
    _check_encoding(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        heading, rows = _count(file, delimiter)
    return CsvFile(path, encoding, delimiter, heading, rows)


def normal(heading: str) -> str:
    """Headings differ between exports by line breaks and spaces only."""
    return " ".join(heading.replace("\ufeff", "").split())


def _check_kind_and_size(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise FileProblem(
            _("%(file)s cannot be read: %(why)s.") % {"file": path, "why": error.strerror}
        ) from error
    if path.suffix.lower() in (".xlsx", ".xls", ".ods") or start[:4] == b"PK\x03\x04":
        raise FileProblem(
            _("%(file)s is a workbook. Save its sheet as CSV UTF-8 first.") % {"file": path.name}
        )
    if size > LARGEST_FILE:
        raise FileProblem(
            _("The file is larger than 20 MB. Split it, and import the parts one after another.")
        )
    if not size:
        raise FileProblem(_("The file is empty."))


def _encoding(path: Path, wanted: str) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), None)
    try:
        known = codecs.lookup(wanted or marked or "utf-8").name
        "".encode(known)
    except LookupError:
        raise FileProblem(
            _("There is no encoding “%(name)s”. Try one of: %(names)s.")
            % {"name": wanted, "names": ", ".join(LIKELY_ENCODINGS)}
        ) from None
    return "utf-8-sig" if known == "utf-8" and marked == "utf-8-sig" else known


def _check_encoding(path: Path, encoding: str) -> None:
    bad = _first_bad_byte(path, encoding)
    if bad is None:
        return
    line, raw = _line_at(path, bad)
    fitting = [each for each in LIKELY_ENCODINGS if each != encoding and _first_bad_byte(path, each) is None]
    shown = "\n".join(f"  {each}: {raw.decode(each, 'replace').strip()[:100]}" for each in fitting)
    raise FileProblem(
        _("Byte %(offset)s, on line %(line)s, is not %(encoding)s.")
        % {"offset": bad, "line": line, "encoding": encoding}
        + "\n"
        + _(
            "Say the right “encoding” in the mapping. The same line in the encodings that fit the whole file:"
        )
        + "\n"
        + shown
    )


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    """Its offset in the file; None if every byte decodes."""
    # The decoder of "utf-8-sig" counts from behind the mark.
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))()
    before = 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return before - pending + error.start
            if not block:
                return None
            before += len(block)


def _line_at(path: Path, offset: int) -> tuple[int, bytes]:
    """The number and the bytes of the line that holds this byte."""
    start = number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if offset < start + len(line):
                return number, line
            start += len(line)
    return number, b""


def _count(file: IO[str], delimiter: str) -> tuple[list[str], int]:
    records = _records(file, delimiter)
    heading = [normal(each) for each in next(records, Row(0, 0, [])).cells]
    if not any(heading):
        raise FileProblem(_("The file has no heading."))
    if len(heading) > MOST_COLUMNS:
        raise FileProblem(
            _("The file has %(count)s columns; at most 200 are read. Leave out those that are not needed.")
            % {"count": len(heading)}
        )
    rows = 0
    for rows, _row in enumerate(records, 1):
        if rows > MOST_ROWS:
            raise FileProblem(
                _("The file has more than 50,000 rows. Split it, and import the parts one after another.")
            )
    return heading, rows


def _records(file: IO[str], delimiter: str) -> Iterator[Row]:
    """The heading is record 0. Empty lines are no records."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(cells for cells in reader if cells):
            yield Row(number, reader.line_num, cells)
    except csv.Error as error:
        raise FileProblem(
            _("Line %(line)s cannot be read (%(why)s). Look for a quotation mark that is not closed.")
            % {"line": reader.line_num, "why": error}
        ) from error

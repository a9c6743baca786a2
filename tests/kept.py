"""The cast, made once in each process and put back for every further test by one round trip.

Making it through the models takes some fifty statements. What they wrote is kept as the database's own
text, the objects as a pickle: each test gets its own rows and its own objects. The rows keep the numbers
they were first given; those come from sequences, which never go back, so nothing made later meets them.
"""

from __future__ import annotations

import pickle
from typing import NamedTuple

from django.db import connection
from psycopg import sql

from tests.make import Cast


class Kept(NamedTuple):
    inserts: str
    cast: bytes


_kept: Kept | None = None


def the_cast() -> Cast:
    """The cast in its places, as `Cast()` makes it. It may stand only once in a database."""
    global _kept
    if _kept is None:
        before = everything()
        cast = Cast()
        _kept = Kept(inserts(before, everything()), pickle.dumps(cast))
        return cast
    with connection.cursor() as cursor:
        cursor.execute(_kept.inserts)
    cast = pickle.loads(_kept.cast)
    assert isinstance(cast, Cast)
    return cast


Rows = dict[str, list[str]]


def everything() -> Rows:
    """The rows of every table in their order, as the database writes them."""
    with connection.cursor() as cursor:
        rows: Rows = {table: [] for table in sorted(connection.introspection.table_names(cursor))}
        each = [
            sql.SQL("SELECT {}, t::text FROM {} t").format(table, sql.Identifier(table)) for table in rows
        ]
        cursor.execute(sql.SQL(" UNION ALL ").join(each))
        for table, row in cursor.fetchall():
            rows[table].append(row)
    return rows


def inserts(before: Rows, after: Rows) -> str:
    """One statement for each table that has rows more. Raises ValueError where a row that was there before
    is not there now: that could not be put back."""
    statements = []
    for table, rows in after.items():
        known = set(before[table])
        if not known.issubset(rows):
            raise ValueError(f"Making the cast changes rows of {table}")
        if added := [row for row in rows if row not in known]:
            statements.append(insert(table, added))
    return ";".join(statements)


def insert(table: str, rows: list[str]) -> str:
    name = sql.Identifier(table)
    statement = sql.SQL("INSERT INTO {name} SELECT * FROM unnest({rows}::{name}[])")
    return statement.format(name=name, rows=rows).as_string(connection.connection)

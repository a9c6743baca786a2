"""The cast, and what long stories leave behind, made once in each process and put back for further tests.

Making the cast through the models takes some fifty statements, a long story thousands. What they wrote is
kept as the database's own text and put back by one round trip; each test gets objects of its own. The rows
keep the numbers they were first given; those come from sequences, which never go back, so nothing made later
meets them.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

from django.db import connection, transaction
from psycopg import sql

from tests.make import Cast


class Kept(NamedTuple):
    inserts: str
    cast: bytes


_kept: Kept | None = None


def the_cast() -> Cast:
    """The cast in its places, as `Cast()` makes it. It may stand only once in a database.

    Raises ValueError where making it changed rows that were there: that could not be put back.
    """
    global _kept
    if _kept is None:
        before = everything()
        cast = Cast()
        after = everything()
        if changed := lacking(before, after):
            raise ValueError(f"Making the cast changes rows of {', '.join(changed)}")
        _kept = Kept(inserts(lacking(after, before)), pickle.dumps(cast))
        return cast
    with connection.cursor() as cursor:
        cursor.execute(_kept.inserts)
    cast = pickle.loads(_kept.cast)
    assert isinstance(cast, Cast)
    return cast


def kept(tell: Callable[[Cast], None]) -> Callable[[Cast], None]:
    """A story that depends on nothing but the cast is told by the real acts once in each process. What it
    changed is put back where the rooms hold what they held before it; else it is told again."""
    told: dict[str, str] = {}

    @wraps(tell)
    def put_back_or_tell(cast: Cast) -> None:
        before = everything(ROOMS)
        world = repr(before)
        if world in told:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(told[world])
            return
        tell(cast)
        if may_leave_triggers_out():
            told[world] = changes(before, everything(ROOMS))

    return put_back_or_tell


Rows = dict[str, list[str]]
ROOMS = ("dispatch_", "surveys_", "recovery_")


def may_leave_triggers_out() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def changes(before: Rows, after: Rows) -> str:
    """Statements that lead from the one to the other. What triggers wrote is among it, so none fires."""
    gone = [delete(table, rows) for table, rows in lacking(before, after).items()]
    role = "SET LOCAL session_replication_role = {}".format
    return ";".join([role("replica"), *gone, inserts(lacking(after, before)), role("origin")])


def lacking(some: Rows, others: Rows) -> Rows:
    """The rows of some that the others lack."""
    known = {table: set(rows) for table, rows in others.items()}
    found = {table: [row for row in rows if row not in known[table]] for table, rows in some.items()}
    return {table: rows for table, rows in found.items() if rows}


def delete(table: str, rows: list[str]) -> str:
    statement = sql.SQL("DELETE FROM {name} t WHERE t::text = ANY({rows})")
    return statement.format(name=sql.Identifier(table), rows=rows).as_string(connection.connection)


def everything(beginning: tuple[str, ...] = ("",)) -> Rows:
    """The rows of every table with such a name in their order, as the database writes them."""
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        rows: Rows = {table: [] for table in tables if table.startswith(beginning)}
        each = [
            sql.SQL("SELECT {}, t::text FROM {} t").format(table, sql.Identifier(table)) for table in rows
        ]
        cursor.execute(sql.SQL(" UNION ALL ").join(each))
        for table, row in cursor.fetchall():
            rows[table].append(row)
    return rows


def inserts(rows: Rows) -> str:
    """One statement for each table."""
    return ";".join(insert(table, each) for table, each in rows.items())


def insert(table: str, rows: list[str]) -> str:
    name = sql.Identifier(table)
    statement = sql.SQL("INSERT INTO {name} SELECT * FROM unnest({rows}::{name}[])")
    return statement.format(name=name, rows=rows).as_string(connection.connection)

"""A table of the rig's own, written by triggers: what was changed, when by the database's clock, and by whom
(the connection's application name)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

# What is worth knowing of each change, as SQL over `row` (the new row, or the old one of a DELETE).
WATCHED = {
    "dispatch_claim": ("row.kind || ':' || row.subject", "row.attempts::text"),
    "surveys_invitation": ("row.id::text", "row.state"),
    "surveys_message": ("row.id::text", "row.state"),
    "surveys_deliveryattempt": ("row.id::text", "row.result"),
    "recovery_callback": ("row.id::text", "row.state || ':' || coalesce(row.announced_at::text, '')"),
    "recovery_deadline": ("row.id::text", "row.level::text"),
    "recovery_wait": ("row.id::text", "coalesce(row.ends_at::text, '')"),
    "recovery_resurvey": ("row.id::text", "row.state"),
    "recovery_ticketevent": ("row.id::text", "row.kind"),
    "recovery_escalation": ("row.id::text", "row.level::text"),
}
TABLE = """
CREATE TABLE IF NOT EXISTS faults_audit (
    id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL DEFAULT current_setting('application_name'),
    tbl text NOT NULL, pk text NOT NULL, op text NOT NULL, was text, now text
)
"""
FUNCTION = """
CREATE OR REPLACE FUNCTION faults_audit_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was text; became text; which text;
BEGIN
    IF TG_OP <> 'INSERT' THEN SELECT {pk}, {state} INTO which, was FROM (SELECT OLD.*) AS row; END IF;
    IF TG_OP <> 'DELETE' THEN SELECT {pk}, {state} INTO which, became FROM (SELECT NEW.*) AS row; END IF;
    INSERT INTO faults_audit (tbl, pk, op, was, now) VALUES (TG_TABLE_NAME, which, TG_OP, was, became);
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE OR REPLACE TRIGGER faults_audit AFTER INSERT OR UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION faults_audit_{table}()
"""


def watch(tables: Iterable[str] = WATCHED) -> None:
    """Write down every change to these tables from now on."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        cursor.execute("CREATE INDEX IF NOT EXISTS faults_audit_row ON faults_audit (tbl, pk, id)")
        for table in tables:
            pk, state = WATCHED[table]
            cursor.execute(FUNCTION.format(table=table, pk=pk, state=state))
            cursor.execute(TRIGGER.format(table=table))

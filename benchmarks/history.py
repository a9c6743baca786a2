"""A long history made by SQL: as many low scores as are asked for, and what became of each.

One in ten is still in work, half of the others answered again, two in three were reached; four teams, six
touchpoints, three tiers, two causes. Ids begin far above any other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection

from surveys.models import Source
from tests.make import Cast, make_team

FIRST: Final = 100_000_000
SECOND: Final = 200_000_000

CUSTOMERS: Final = """
INSERT INTO surveys_customer (id, name, tier, locale, time_zone, preferred_channel, preferred_time,
    attributes, lost_reason, created_at)
SELECT %(first)s + n, 'Customer ' || n, (ARRAY['Gold', 'Silver', ''])[1 + n %% 3], 'en', '', '', '',
    '{}'::jsonb, '', %(start)s
FROM generate_series(1, %(size)s) AS n
"""

# The score that opened the ticket, and in every second case one after it was put right.
ANSWERS: Final = """
INSERT INTO surveys_response (id, survey_id, source_id, external_id, customer_id, state, score, band, comment,
    touchpoint, channel, locale, contact_me, contact_channel, contact_time, received_at, answered_at,
    payload_hash, triaged_at, triage_note)
SELECT %(first)s + n, %(survey)s, %(source)s, 'low-' || n, %(first)s + n, 'complete', n %% 7, 'detractor', '',
    'Branch ' || n %% 6, '', '', false, '', '', given, given, '', given, '{}'::jsonb
FROM generate_series(1, %(size)s) AS n, LATERAL (SELECT %(start)s + n * %(apart)s AS given) AS times
UNION ALL
SELECT %(second)s + n, %(survey)s, %(source)s, 'next-' || n, %(first)s + n, 'complete', score,
    CASE WHEN score < 7 THEN 'detractor' WHEN score < 9 THEN 'passive' ELSE 'promoter' END, '',
    'Branch ' || n %% 6, '', '', false, '', '', given, given, '', given, '{}'::jsonb
FROM generate_series(1, %(size)s) AS n,
    LATERAL (SELECT %(start)s + n * %(apart)s + interval '6 days' AS given, (n / 7) %% 11 AS score) AS answer
WHERE n %% 2 = 1
"""

TICKETS: Final = """
INSERT INTO recovery_ticket (id, number, customer_id, response_id, line, touchpoint, status, cycle, priority,
    severity_reasons, team_id, owner_id, assigned_because, awaits_room, skill, policy_id, escalation_level,
    opened_at, cycle_started_at, resolved_at, closed_at, outcome, cause_found_id, cause_said_id,
    what_was_done, version)
SELECT %(first)s + n, 'B-' || n, %(first)s + n, %(first)s + n, %(line)s, 'Branch ' || n %% 6,
    CASE WHEN n %% 10 = 0 THEN 'open' ELSE 'closed' END, 1, 3, '[]'::jsonb,
    (%(teams)s::bigint[])[1 + n / 3 %% 4], %(owner)s, '{}'::jsonb, false, '', %(policy)s, 0, given, given,
    CASE WHEN n %% 10 > 0 THEN given + interval '2 days' END,
    CASE WHEN n %% 10 > 0 THEN given + interval '8 days' END, '',
    CASE WHEN n %% 10 > 0 THEN (%(causes)s::bigint[])[1 + n / 2 %% 2] END,
    CASE WHEN n %% 4 = 0 THEN (%(causes)s::bigint[])[1 + n / 8 %% 2] END, '', 2
FROM generate_series(1, %(size)s) AS n, LATERAL (SELECT %(start)s + n * %(apart)s AS given) AS times
"""

# They tell what the rows say, so that past days are counted from kept stories.
EVENTS: Final = """
INSERT INTO recovery_ticketevent (ticket_id, kind, cycle, at, by_name, version, data, text)
SELECT id, kind, 1, at, '', told.version, data, '' FROM recovery_ticket
LEFT JOIN (SELECT id AS found_id, code AS found FROM recovery_cause) AS f ON found_id = cause_found_id
LEFT JOIN (SELECT id AS said_id, code AS said FROM recovery_cause) AS s ON said_id = cause_said_id,
LATERAL (VALUES
    ('opened', opened_at, 1, true, '{"band": "detractor"}'::jsonb),
    ('cause_named', opened_at, 2, said IS NOT NULL AND resolved_at IS NULL,
        jsonb_build_object('cause', said)),
    ('resolved', resolved_at, 2, resolved_at IS NOT NULL,
        jsonb_build_object('cause_said', coalesce(said, ''), 'cause_found', coalesce(found, ''))),
    ('resurvey_asked', opened_at + interval '5 days', 3, resolved_at IS NOT NULL AND id %% 8 > 0, '{}'),
    ('outcome', opened_at + interval '8 days', 4, resolved_at IS NOT NULL,
        CASE WHEN id %% 8 = 0 THEN '{"outcome": "not_asked", "reason": "no_address"}'::jsonb
        ELSE '{"outcome": "no_answer", "reason": ""}' END),
    ('closed', closed_at, 5, closed_at IS NOT NULL, '{}')
) AS told (kind, at, version, is_told, data)
WHERE id > %(first)s AND is_told
"""

CONTACTS: Final = """
INSERT INTO recovery_contact (ticket_id, cycle, at, by_name, channel, outcome, note)
SELECT id, 1, opened_at + id %% 90 * interval '1 hour', '', 'phone', 'reached', '' FROM recovery_ticket
WHERE id > %(first)s AND id %% 3 > 0
"""

RESURVEYS: Final = """
INSERT INTO recovery_resurvey (ticket_id, cycle, customer_id, state, due_at, reason, asked_at, outcome,
    outcome_at)
SELECT id, 1, customer_id, 'ended', opened_at + interval '5 days',
    CASE WHEN id %% 8 = 0 THEN 'no_address' ELSE '' END,
    CASE WHEN id %% 8 > 0 THEN opened_at + interval '5 days' END,
    CASE WHEN id %% 8 = 0 THEN 'not_asked' ELSE 'no_answer' END, opened_at + interval '8 days'
FROM recovery_ticket WHERE id > %(first)s AND resolved_at IS NOT NULL
"""


def make_history(cast: Cast, size: int, *, start: datetime, end: datetime) -> None:
    """Low scores from `start` to `end`, evenly; on a database where nothing has been made so yet."""
    source, _new = Source.objects.get_or_create(slug="history", defaults={"name": "History", "kind": "file"})
    more = [
        make_team(name, supervisor=cast.bob, calendar=cast.calendar, policy=cast.policy)
        for name in ("North", "South")
    ]
    values: dict[str, Any] = {
        "first": FIRST,
        "second": SECOND,
        "size": size,
        "start": start,
        "apart": (end - start) / size,
        "survey": cast.survey.pk,
        "line": cast.survey.line,
        "source": source.pk,
        "teams": [team.pk for team in (cast.east, cast.west, *more)],
        "causes": [cast.late.pk, cast.rude.pk],
        "owner": cast.lina.pk,
        "policy": cast.policy.pk,
    }
    with connection.cursor() as cursor:
        for statement in (CUSTOMERS, ANSWERS, TICKETS, EVENTS, CONTACTS, RESURVEYS):
            cursor.execute(statement, values)
        cursor.execute("ANALYZE")

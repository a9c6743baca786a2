"""Two beats, five dispatchers, eight workers and a great many rows due at once: each is done once."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection

from dispatch.clock import now
from surveys.models import Invitation
from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.stage import Stage, say

TABLES = ("dispatch_claim", "surveys_invitation")
LEAST_A_SECOND = 500
PATIENCE = 900.0


def play(stage: Stage) -> None:
    rows = stage.options.rows
    say(f"{rows} invitations whose time is over")
    at = now() - timedelta(hours=1)
    Load(stage.world, Journal(stage.rig.journal("ledger")), at, now(), stage.chance).expiries(rows)
    stage.start()
    began, left, told = time.monotonic(), rows, time.monotonic()
    waiting = Invitation.objects.filter(state=Invitation.SENT)
    while left and time.monotonic() - began < PATIENCE:
        time.sleep(0.5)
        left = waiting.count()
        if time.monotonic() - told > 10:
            say(f"{left} left")
            told = time.monotonic()
    judge(stage, rows, left)


def judge(stage: Stage, rows: int, left: int) -> None:
    report = stage.report
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE times > 1) FROM (
                SELECT pk, count(*) AS times FROM faults_audit
                WHERE tbl = 'surveys_invitation' AND now = 'expired' GROUP BY pk
            ) AS done
            """
        )
        done, twice = cursor.fetchone()
        # The middle 80 %: neither the start of the processes nor the last few rows.
        cursor.execute(
            """
            SELECT count(*), extract(epoch FROM max(at) - min(at))::float8 FROM (
                SELECT at, percent_rank() OVER (ORDER BY at) AS place FROM faults_audit
                WHERE tbl = 'dispatch_claim' AND op = 'INSERT'
            ) AS taken WHERE place BETWEEN 0.1 AND 0.9
            """
        )
        taken, seconds = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM faults_audit WHERE tbl = 'dispatch_claim' AND op = 'INSERT'")
        claims = cursor.fetchone()[0]
    rate = taken / seconds if seconds else 0.0
    report.add("due rows", rows)
    report.must("rows not done", rows - done, 0)
    report.must("rows done twice", twice, 0)
    report.add("claims", claims)
    report.add("claims per second", f"{rate:.0f}", f"≥ {LEAST_A_SECOND}")
    if rate < LEAST_A_SECOND:
        report.faults.append(f"{rate:.0f} claims per second, expected {LEAST_A_SECOND}")
    if left:
        report.faults.append(f"{left} rows were left over")

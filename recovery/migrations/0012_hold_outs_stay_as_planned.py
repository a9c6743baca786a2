from typing import Any

from django.db import migrations, models

# What the plan of a hold-out consists of, and what a draw says: fixed from the start, and from the draw.
FROZEN = (
    "CREATE FUNCTION recovery_hold_out_frozen() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN RAISE EXCEPTION 'the plan of a hold-out is fixed from its start, and a draw for ever'"
    " USING ERRCODE = 'check_violation'; END $$"
)
PLAN = (
    "survey_id, share, days, difference, power, expected_recovered, expected_response, spared_value,"
    " spared_tiers, spared_priority, key, planned_later, planned_now, started_at, started_by"
)
DRAW = "hold_out_id, ticket_id, side, why, at, ask_at"


def each(row: str, columns: str) -> str:
    return ", ".join(f"{row}.{name.strip()}" for name in columns.split(","))


def differs(columns: str) -> str:
    return f"({each('OLD', columns)}) IS DISTINCT FROM ({each('NEW', columns)})"


class Migration(migrations.Migration):
    """What a hold-out does is told on its tickets; its plan and its draws cannot be changed afterwards."""

    dependencies = [("recovery", "0011_told_stories_know_what_changed")]

    operations: list[Any] = [
        migrations.AlterField(
            model_name="ticketevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "opened"),
                    ("absorbed", "another low score joined"),
                    ("updated", "answer changed"),
                    ("assigned", "assigned"),
                    ("contacted", "contact"),
                    ("callback_booked", "callback booked"),
                    ("callback_moved", "callback moved"),
                    ("callback_cancelled", "callback cancelled"),
                    ("callback_due", "callback due"),
                    ("waiting", "waiting"),
                    ("resumed", "resumed"),
                    ("noted", "note"),
                    ("priority_changed", "priority changed"),
                    ("extended", "deadline extended"),
                    ("escalated", "escalated"),
                    ("breached", "deadline passed"),
                    ("resolved", "resolved"),
                    ("resurvey_planned", "resurvey planned"),
                    ("resurvey_held", "resurvey held"),
                    ("resurvey_asked", "asked again"),
                    ("outcome", "outcome"),
                    ("reopened", "reopened"),
                    ("closed", "closed"),
                    ("merged", "merged"),
                    ("cause_named", "cause named"),
                    ("reply_sent", "reply to the customer"),
                    ("reply_taken_back", "reply taken back"),
                    ("customer_wrote", "the customer wrote"),
                    ("unreachable", "given up reaching them"),
                    ("nudged", "nudged"),
                    ("request_sent", "request to a department"),
                    ("request_answered", "request answered"),
                    ("request_late", "request late"),
                    ("request_cancelled", "request cancelled"),
                    ("goodwill_proposed", "goodwill proposed"),
                    ("goodwill_given", "goodwill given"),
                    ("goodwill_refused", "goodwill refused"),
                    ("goodwill_withdrawn", "goodwill withdrawn"),
                    ("recomputed", "deadlines recomputed"),
                    ("held_out", "followed up later, by lot"),
                    ("held_out_asked", "asked for the hold-out"),
                    ("held_out_answer", "answered for the hold-out"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.RunSQL(FROZEN, "DROP FUNCTION recovery_hold_out_frozen()"),
        migrations.RunSQL(
            "CREATE TRIGGER hold_out_plan_is_fixed BEFORE UPDATE ON recovery_holdout FOR EACH ROW"
            " WHEN (OLD.state <> 'draft' AND (NEW.state = 'draft'"
            f" OR OLD.state = 'ended' AND NEW.state <> 'ended' OR {differs(PLAN)}))"
            " EXECUTE FUNCTION recovery_hold_out_frozen()",
            "DROP TRIGGER hold_out_plan_is_fixed ON recovery_holdout",
        ),
        migrations.RunSQL(
            "CREATE TRIGGER hold_out_draw_is_fixed BEFORE UPDATE ON recovery_holdoutdraw FOR EACH ROW"
            f" WHEN ({differs(DRAW)}) EXECUTE FUNCTION recovery_hold_out_frozen()",
            "DROP TRIGGER hold_out_draw_is_fixed ON recovery_holdoutdraw",
        ),
    ]

"""A kept story says from when on it is steady, so that past days are counted from it, too; and whether what was
sent to ask again arrived. Whatever may change either marks the ticket, as before.
"""

from django.db import migrations, models

TELLING = (
    *("opened", "cause_named", "resolved", "reopened", "closed", "merged"),
    *("resurvey_planned", "resurvey_held", "resurvey_asked", "held_out_asked", "outcome"),
)
BEFORE = ("opened", "resolved")
READ = ("customer_id", "survey_id", "state", "score", "band", "answered_at")
READ_THEN = (*READ, "received_at", "submitted_at")


def of_events(kinds: tuple[str, ...]) -> str:
    return (
        "CREATE OR REPLACE TRIGGER untold_insert AFTER INSERT ON recovery_ticketevent FOR EACH ROW"
        f" WHEN (NEW.kind IN {kinds}) EXECUTE FUNCTION recovery_untold_ticket()"
    )


def of_answers(columns: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return (
        "CREATE OR REPLACE TRIGGER untold_update AFTER UPDATE ON surveys_response FOR EACH ROW"
        f" WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION recovery_untold_answer()"
    )


# An earlier version of an answer is one of its customer's.
OF_VERSIONS = """
CREATE FUNCTION recovery_untold_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (customer)
    SELECT customer_id FROM surveys_response
    WHERE id IN (OLD.response_id, NEW.response_id) AND customer_id IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_change AFTER INSERT OR UPDATE OR DELETE ON surveys_responseversion FOR EACH ROW
    EXECUTE FUNCTION recovery_untold_version();
"""

# What was sent to ask again; a message that is taken up or put back is on its way all the same.
OF_SENDING = """
CREATE FUNCTION recovery_untold_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (ticket)
    SELECT ticket_id FROM recovery_resurvey WHERE invitation_id IN (OLD.invitation_id, NEW.invitation_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_insert AFTER INSERT ON surveys_message FOR EACH ROW
    WHEN (NEW.invitation_id IS NOT NULL) EXECUTE FUNCTION recovery_untold_message();
CREATE TRIGGER untold_delete AFTER DELETE ON surveys_message FOR EACH ROW
    WHEN (OLD.invitation_id IS NOT NULL) EXECUTE FUNCTION recovery_untold_message();
CREATE TRIGGER untold_update AFTER UPDATE ON surveys_message FOR EACH ROW
    WHEN (
        (OLD.invitation_id, OLD.state, OLD.reason, OLD.finished_at)
        IS DISTINCT FROM (NEW.invitation_id, NEW.state, NEW.reason, NEW.finished_at)
        AND NOT (
            OLD.invitation_id IS NOT DISTINCT FROM NEW.invitation_id
            AND OLD.state IN ('queued', 'sending') AND NEW.state IN ('queued', 'sending')
            AND OLD.finished_at IS NOT DISTINCT FROM NEW.finished_at
        )
    ) EXECUTE FUNCTION recovery_untold_message();

CREATE FUNCTION recovery_untold_invitation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (ticket)
    SELECT ticket_id FROM recovery_resurvey WHERE invitation_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_update AFTER UPDATE ON surveys_invitation FOR EACH ROW
    WHEN ((OLD.state, OLD.reason) IS DISTINCT FROM (NEW.state, NEW.reason))
    EXECUTE FUNCTION recovery_untold_invitation();
"""

# Events name a cause by its code.
OF_CAUSES = """
CREATE FUNCTION recovery_untold_cause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (ticket)
    SELECT id FROM recovery_ticket WHERE cause_found_id = NEW.id OR cause_said_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_update AFTER UPDATE OF code ON recovery_cause FOR EACH ROW
    WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION recovery_untold_cause();
"""

FUNCTIONS = ("version", "message", "invitation", "cause")
WITHOUT = "".join(f"DROP FUNCTION recovery_untold_{name}() CASCADE;\n" for name in FUNCTIONS)

# Until a story is told anew, its numbers come from the ticket's own rows. Marked first: answers and events
# are locked only for the moment their triggers take.
ALL_UNTOLD = "INSERT INTO recovery_untoldchange (ticket) SELECT id FROM recovery_ticket"


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0011_numbers_that_hold"),
        ("recovery", "0013_planner_knows_the_shapes_of_stories"),
    ]

    operations = [
        migrations.RunSQL(ALL_UNTOLD, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="toldticket",
            name="undelivered",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="toldticket", name="steady_since", field=models.DateTimeField(null=True)
        ),
        migrations.AddIndex(
            model_name="toldticket",
            index=models.Index(fields=["steady_since"], name="told_by_steadiness"),
        ),
        migrations.RunSQL(of_events(TELLING), of_events(BEFORE)),
        migrations.RunSQL(of_answers(READ_THEN), of_answers(READ)),
        migrations.RunSQL(OF_VERSIONS + OF_SENDING + OF_CAUSES, WITHOUT),
    ]

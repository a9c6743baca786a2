"""Whatever changes what became of a low score says so itself, in the same transaction: triggers catch every
writer, be it an act, the admin, an import or plain SQL.

A change is marked before it is known whether it matters; the mark costs the writer one row.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# NEW is null where a row is deleted, OLD where it is inserted.
BY_TICKET = """
CREATE FUNCTION recovery_untold_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ticket_id IS NOT NULL THEN
        INSERT INTO recovery_untoldchange (ticket) VALUES (OLD.ticket_id);
    END IF;
    IF NEW.ticket_id IS NOT NULL AND NEW.ticket_id IS DISTINCT FROM OLD.ticket_id THEN
        INSERT INTO recovery_untoldchange (ticket) VALUES (NEW.ticket_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_insert AFTER INSERT ON recovery_ticketevent FOR EACH ROW
    WHEN (NEW.kind IN ('opened', 'resolved')) EXECUTE FUNCTION recovery_untold_ticket();
CREATE TRIGGER untold_change AFTER UPDATE OR DELETE ON recovery_ticketevent FOR EACH ROW
    EXECUTE FUNCTION recovery_untold_ticket();
CREATE TRIGGER untold_change AFTER INSERT OR UPDATE OR DELETE ON recovery_contact FOR EACH ROW
    EXECUTE FUNCTION recovery_untold_ticket();
CREATE TRIGGER untold_change AFTER INSERT OR UPDATE OR DELETE ON recovery_resurvey FOR EACH ROW
    EXECUTE FUNCTION recovery_untold_ticket();
"""

OF_TICKET = """
CREATE FUNCTION recovery_untold_itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (ticket) VALUES (OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_update AFTER UPDATE ON recovery_ticket FOR EACH ROW
    WHEN (
        (OLD.status, OLD.cycle, OLD.merged_into_id, OLD.opened_at, OLD.team_id, OLD.touchpoint, OLD.line,
         OLD.cause_found_id, OLD.cause_said_id, OLD.customer_id, OLD.response_id)
        IS DISTINCT FROM
        (NEW.status, NEW.cycle, NEW.merged_into_id, NEW.opened_at, NEW.team_id, NEW.touchpoint, NEW.line,
         NEW.cause_found_id, NEW.cause_said_id, NEW.customer_id, NEW.response_id)
    ) EXECUTE FUNCTION recovery_untold_itself();
CREATE TRIGGER untold_delete AFTER DELETE ON recovery_ticket FOR EACH ROW
    EXECUTE FUNCTION recovery_untold_itself();
"""

# By the customer, not by their tickets: a ticket another transaction is just opening or moving cannot be seen.
OF_ANSWERS = """
CREATE FUNCTION recovery_untold_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.customer_id IS NOT NULL THEN
        INSERT INTO recovery_untoldchange (customer) VALUES (OLD.customer_id);
    END IF;
    IF NEW.customer_id IS NOT NULL AND NEW.customer_id IS DISTINCT FROM OLD.customer_id THEN
        INSERT INTO recovery_untoldchange (customer) VALUES (NEW.customer_id);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO recovery_untoldchange (ticket) SELECT id FROM recovery_ticket WHERE response_id = OLD.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_insert AFTER INSERT ON surveys_response FOR EACH ROW
    WHEN (NEW.customer_id IS NOT NULL AND NEW.score IS NOT NULL) EXECUTE FUNCTION recovery_untold_answer();
CREATE TRIGGER untold_update AFTER UPDATE ON surveys_response FOR EACH ROW
    WHEN (
        (OLD.customer_id, OLD.survey_id, OLD.state, OLD.score, OLD.band, OLD.answered_at)
        IS DISTINCT FROM
        (NEW.customer_id, NEW.survey_id, NEW.state, NEW.score, NEW.band, NEW.answered_at)
    ) EXECUTE FUNCTION recovery_untold_answer();
CREATE TRIGGER untold_delete AFTER DELETE ON surveys_response FOR EACH ROW
    EXECUTE FUNCTION recovery_untold_answer();
"""

OF_OTHERS = """
CREATE FUNCTION recovery_untold_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (customer) VALUES (OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_update AFTER UPDATE OF tier ON surveys_customer FOR EACH ROW
    WHEN (OLD.tier IS DISTINCT FROM NEW.tier) EXECUTE FUNCTION recovery_untold_customer();

CREATE FUNCTION recovery_untold_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recovery_untoldchange (ticket)
    SELECT id FROM recovery_ticket WHERE line IN (OLD.line, NEW.line);
    RETURN NULL;
END
$$;

CREATE TRIGGER untold_update AFTER UPDATE OF line ON surveys_survey FOR EACH ROW
    WHEN (OLD.line IS DISTINCT FROM NEW.line) EXECUTE FUNCTION recovery_untold_line();
"""

FUNCTIONS = ("ticket", "itself", "answer", "customer", "line")
WITHOUT = "".join(f"DROP FUNCTION recovery_untold_{name}() CASCADE;\n" for name in FUNCTIONS)

# Nothing has been told yet: until it is, the numbers come from the tickets' own rows as before.
ALL_UNTOLD = "INSERT INTO recovery_untoldchange (ticket) SELECT id FROM recovery_ticket"


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0011_numbers_that_hold"),
        ("recovery", "0010_numbers_that_hold"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="toldticket", name="told_stale"),
        migrations.RemoveField(model_name="toldticket", name="stale"),
        migrations.RemoveField(model_name="toldticket", name="seconds_to_contact"),
        migrations.AddField(
            model_name="toldticket", name="to_contact", field=models.DurationField(null=True)
        ),
        migrations.AlterField(
            model_name="toldticket",
            name="ticket",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="told",
                serialize=False,
                to="recovery.ticket",
            ),
        ),
        migrations.CreateModel(
            name="UntoldChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ticket", models.BigIntegerField(null=True)),
                ("customer", models.BigIntegerField(null=True)),
                (
                    "marked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "change to tell",
                "verbose_name_plural": "changes to tell",
                "ordering": ["id"],
            },
        ),
        migrations.RunSQL(BY_TICKET + OF_TICKET + OF_ANSWERS + OF_OTHERS, WITHOUT),
        migrations.RunSQL(ALL_UNTOLD, migrations.RunSQL.noop),
    ]

from typing import Any

from django.db import migrations, models
from django.db.models import Q

# Those that have started counted by what their survey gives to answer; from now on it stays at that.
AS_IT_WAS = (
    "UPDATE recovery_holdout AS planned SET answer_days = survey.answer_days FROM surveys_survey AS survey"
    " WHERE survey.id = planned.survey_id AND planned.state <> 'draft'"
)
BEFORE = (
    *("survey_id", "share", "days", "difference", "power", "expected_recovered", "expected_response"),
    *("spared_value", "spared_tiers", "spared_priority", "key", "planned_later", "planned_now"),
    *("started_at", "started_by"),
)
PLAN = (*BEFORE, "answer_days")
DROP = "DROP TRIGGER hold_out_plan_is_fixed ON recovery_holdout"


def trigger(plan: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in plan) for row in ("OLD", "NEW"))
    return (
        "CREATE TRIGGER hold_out_plan_is_fixed BEFORE UPDATE ON recovery_holdout FOR EACH ROW"
        " WHEN (OLD.state <> 'draft' AND (NEW.state = 'draft'"
        f" OR OLD.state = 'ended' AND NEW.state <> 'ended' OR ({old}) IS DISTINCT FROM ({new})))"
        " EXECUTE FUNCTION recovery_hold_out_frozen()"
    )


class Migration(migrations.Migration):
    """For how long an answer counts is part of the plan: who changes the survey changes no measure midway."""

    dependencies = [("recovery", "0014_told_stories_know_since_when")]

    operations: list[Any] = [
        migrations.AddField(
            model_name="holdout",
            name="answer_days",
            field=models.PositiveSmallIntegerField(
                editable=False,
                help_text="What the survey gave when it started; a later change of the survey changes nothing.",
                null=True,
                verbose_name="days in which an answer counts",
            ),
        ),
        migrations.RunSQL(AS_IT_WAS, migrations.RunSQL.noop),
        migrations.RunSQL(DROP, trigger(BEFORE)),
        migrations.RunSQL(trigger(PLAN), DROP),
        migrations.RemoveConstraint(model_name="holdout", name="started_hold_out_has_its_plan"),
        migrations.AddConstraint(
            model_name="holdout",
            constraint=models.CheckConstraint(
                condition=Q(state="draft")
                | (
                    ~Q(key="")
                    & Q(started_at__isnull=False, planned_later__isnull=False, planned_now__isnull=False)
                    & Q(answer_days__isnull=False)
                ),
                name="started_hold_out_has_its_plan",
            ),
        ),
    ]

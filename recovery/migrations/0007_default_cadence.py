from django.db import migrations

# (outcome, from which attempt in a row on, when, minutes)
STEPS = [
    ("no_answer", 1, "afternoon", None),
    ("no_answer", 2, "morning", None),
    ("no_answer", 3, "evening", None),
    ("no_answer", 4, "morning", None),
    ("no_answer", 5, "monday", None),
    ("voicemail", 1, "morning", None),
    ("voicemail", 2, "afternoon", None),
    ("voicemail", 4, "morning", None),
    ("wrong_number", 1, "minutes", 30),
    ("wrong_number", 2, "morning", None),
    ("refused", 1, "monday", None),
]


def keep_a_default(apps, schema_editor):
    """Calls that reach nobody propose the next one from the first day; an administrator's own default stays."""
    Cadence, CadenceStep = (apps.get_model("recovery", name) for name in ("Cadence", "CadenceStep"))
    if Cadence.objects.filter(is_default=True).exists():
        return
    cadence = Cadence.objects.create(
        name="Usual attempts",
        name_zh="常规联系节奏",
        is_default=True,
        other_channel_after=3,
        unreachable_after=6,
    )
    CadenceStep.objects.bulk_create(
        CadenceStep(cadence=cadence, outcome=outcome, attempt=attempt, when=when, minutes=minutes)
        for outcome, attempt, when, minutes in STEPS
    )


class Migration(migrations.Migration):
    dependencies = [("recovery", "0006_turns")]

    operations = [migrations.RunPython(keep_a_default, migrations.RunPython.noop)]

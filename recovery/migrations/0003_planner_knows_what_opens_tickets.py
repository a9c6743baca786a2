from django.db import migrations


class Migration(migrations.Migration):
    """Without these, PostgreSQL takes the cohort of low scores for a handful and reads it row by row."""

    dependencies = [("recovery", "0002_lists_and_sweeps_at_a_million_tickets")]

    operations = [
        migrations.RunSQL(
            "CREATE STATISTICS event_kind_and_band (mcv)"
            " ON kind, version, (data -> 'band') FROM recovery_ticketevent",
            "DROP STATISTICS event_kind_and_band",
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """The board asks what was met of late, and what was broken before."""

    dependencies = [("recovery", "0007_default_cadence")]

    operations = [
        migrations.AddIndex(
            model_name="deadline",
            index=models.Index(
                condition=models.Q(("met_at__isnull", False)), fields=["met_at"], name="deadline_met"
            ),
        ),
        migrations.AddIndex(
            model_name="deadline",
            index=models.Index(
                condition=models.Q(("breached_at__isnull", False)),
                fields=["ticket"],
                name="deadline_breached",
            ),
        ),
    ]

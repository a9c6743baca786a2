from django.db import migrations

from recovery.models.default_cadence import keep_a_default


class Migration(migrations.Migration):
    """Calls that reach nobody propose the next one from the first day."""

    dependencies = [("recovery", "0006_turns")]

    operations = [migrations.RunPython(keep_a_default, migrations.RunPython.noop)]

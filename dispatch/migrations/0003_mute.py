from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0002_behind")]

    operations = [
        migrations.AddField(
            model_name="pulse",
            name="mute",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
    ]

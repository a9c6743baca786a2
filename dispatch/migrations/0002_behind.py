from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="pulse",
            name="behind",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
    ]

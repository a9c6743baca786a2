from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0005_the_desk"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="turn",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
    ]

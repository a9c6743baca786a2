from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("surveys", "0005_messages_to_customers_by_time")]

    operations = [
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("channel", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=40)),
                ("words", models.CharField(blank=True, max_length=300)),
                ("since", models.DateTimeField()),
                ("tried_at", models.DateTimeField()),
                ("in_a_row", models.PositiveIntegerField(default=1)),
            ],
        ),
    ]

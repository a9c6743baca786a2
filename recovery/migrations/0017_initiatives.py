import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0016_targets_for_times"),
        ("surveys", "0012_what_was_expected"),
    ]

    operations = [
        migrations.CreateModel(
            name="Initiative",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                (
                    "since",
                    models.DateField(
                        help_text=(
                            "The first day on which customers met the change, not the day it was decided."
                        ),
                        verbose_name="took effect on",
                    ),
                ),
                ("note", models.TextField(blank=True, max_length=2000, verbose_name="note")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="entered")),
                (
                    "cause",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="initiatives",
                        to="recovery.cause",
                        verbose_name="cause",
                    ),
                ),
                (
                    "survey",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: all surveys.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="initiatives",
                        to="surveys.survey",
                        verbose_name="survey",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        help_text=(
                            "Empty: everybody. With a team, low scores are counted among its own tickets only."
                        ),
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="initiatives",
                        to="recovery.team",
                        verbose_name="team",
                    ),
                ),
            ],
            options={
                "verbose_name": "initiative",
                "verbose_name_plural": "initiatives",
                "ordering": ["-since", "-id"],
            },
        ),
    ]

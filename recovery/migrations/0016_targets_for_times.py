from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0015_answer_window_of_a_hold_out_is_planned"),
    ]

    operations = [
        migrations.AlterField(
            model_name="target",
            name="metric",
            field=models.CharField(
                choices=[
                    ("nps", "NPS"),
                    ("csat", "satisfied"),
                    ("ces", "made it easy"),
                    ("reached", "reached"),
                    ("contacted_in_time", "contacted in time"),
                    ("resolved_in_time", "resolved in time"),
                    ("responded", "answers when asked again"),
                    ("recovered", "recovered"),
                    ("converted", "converted"),
                    ("repeat_contact", "repeat contact"),
                    ("first_contact_half", "half of the customers heard"),
                    ("resolution_half", "half of the tickets resolved"),
                ],
                max_length=20,
                verbose_name="number",
            ),
        ),
        migrations.AlterField(
            model_name="target",
            name="value",
            field=models.DecimalField(
                decimal_places=1,
                help_text=(
                    "NPS in points from -100 to 100, times in hours of working time up to 100, everything else"
                    " in percent from 0 to 100."
                ),
                max_digits=5,
                verbose_name="value",
            ),
        ),
    ]

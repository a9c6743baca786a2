from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0011_numbers_that_hold"),
    ]

    operations = [
        migrations.AddField(
            model_name="question",
            name="asks",
            field=models.CharField(
                choices=[
                    ("perceived", "how it was"),
                    ("expected", "what was expected"),
                    ("importance", "how important it is"),
                ],
                default="perceived",
                help_text=(
                    "For ratings: how it was, what was expected, or how important it is. All are from 1 to 5,"
                    " so that what was and what was expected can be compared."
                ),
                max_length=10,
                verbose_name="asks",
            ),
        ),
        migrations.AddField(
            model_name="question",
            name="driver",
            field=models.SlugField(
                blank=True,
                db_index=False,
                help_text=(
                    "The short name that ratings of one matter share, such as speed. Empty, a rating of how"
                    " it was is a driver by its key."
                ),
                max_length=40,
                verbose_name="driver",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=Q(kind="rating") | Q(driver="", asks="perceived"),
                name="only_a_rating_is_of_a_driver",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=Q(asks="perceived") | ~Q(driver=""), name="what_is_asked_beside_has_a_driver"
            ),
        ),
    ]

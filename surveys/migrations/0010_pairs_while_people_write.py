"""The indexes of 0008's pairs, built while customers and answers go on being written.

A build that was interrupted leaves a broken index behind: it is dropped, and built anew.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

import surveys.models.lookup


class Migration(migrations.Migration):
    # PostgreSQL builds no index concurrently inside a transaction.
    atomic = False

    dependencies = [
        ("surveys", "0009_inside"),
    ]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS customer_name_pairs", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="customer",
            index=GinIndex(surveys.models.lookup.CharacterPairs("name"), name="customer_name_pairs"),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS response_comment_pairs", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="response",
            index=GinIndex(surveys.models.lookup.CharacterPairs("comment"), name="response_comment_pairs"),
        ),
    ]

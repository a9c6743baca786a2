"""A trigram index finds nothing shorter than three characters, and most Chinese words and names have two.

The indexes of these pairs are built in 0010, while people go on writing.
"""

from django.db import migrations

# Every two neighbours among ideographs, kana and hangul. Dear on purpose: the planner must prefer the index.
CREATE = r"""
CREATE FUNCTION character_pairs(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5000 AS $$
    SELECT array_agg(DISTINCT first || second)
    FROM (
        SELECT character AS first, lead(character) OVER (ORDER BY place) AS second
        FROM unnest(string_to_array(words, NULL)) WITH ORDINALITY AS characters(character, place)
    ) AS pairs
    WHERE first COLLATE "C" BETWEEN U&'\3040' AND U&'\FDFF'
      AND second COLLATE "C" BETWEEN U&'\3040' AND U&'\FDFF'
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0007_links_for_requests"),
    ]

    operations = [
        migrations.RunSQL(CREATE, "DROP FUNCTION character_pairs(text)"),
    ]

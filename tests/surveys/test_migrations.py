"""Changes of the tables customers and their answers are written to, while they are."""

from importlib import import_module

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex, Migration


def migration(name: str) -> type[Migration]:
    found: type[Migration] = import_module(f"surveys.migrations.{name}").Migration
    return found


def test_the_indexes_of_pairs_are_built_while_people_write() -> None:
    words = migration("0008_words_of_two_characters")
    assert not [each for each in words.operations if isinstance(each, AddIndex)]
    built = migration("0010_pairs_while_people_write")
    indexes = [each for each in built.operations if isinstance(each, AddIndex)]
    assert len(indexes) == 2
    assert all(isinstance(each, AddIndexConcurrently) for each in indexes)
    assert not built.atomic

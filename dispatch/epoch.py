"""Whether this database is behind what is remembered outside it."""

from datetime import datetime


def is_behind() -> bool:
    return False


def tick(at: datetime) -> None:
    """Note in the database that it is dispatching."""

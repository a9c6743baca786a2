"""What falls due, for tests: ids by the kind's name, one step, or everything at a time."""

from datetime import datetime

from dispatch import engine, kinds
from dispatch.kinds import Kind


def kind(name: str) -> Kind:
    found = kinds.find(name)
    assert found is not None, name
    return found


def due(name: str, at: datetime) -> list[int]:
    return kind(name).ids(at)


def take_step(name: str, pk: int, at: datetime) -> None:
    kind(name).step(pk, at)


def fail(kind: Kind, pk: int, error: Exception) -> None:
    raise AssertionError(f"{kind.name} {pk}") from error


def run_all(at: datetime) -> int:
    """Everything due; a step that fails fails the test."""
    return engine.run_all(at, on_error=fail)

"""A believable history, made through the same acts at past times."""

from recovery.management.simulation.run import NotEmpty, Summary, simulate

__all__ = ["NotEmpty", "Summary", "simulate"]

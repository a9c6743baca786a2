"""Joins the rooms: a recorded response is triaged at once, and a customer is told who will call."""


def listen() -> None:
    """Connect to what the surveys room announces."""

"""Configuration of surveys and sources, the people we know, and what came in and went out to look at."""

from surveys.admin import intake, links, outbox, people, sending, surveys

__all__ = ["intake", "links", "outbox", "people", "sending", "surveys"]

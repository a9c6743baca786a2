"""The Celery app and the whole timetable. A tick only wakes a sweep; what is due stands in PostgreSQL."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def every(seconds: int, task: str) -> dict[str, Any]:
    # A tick nobody took before the next one is worth nothing: it expires.
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}


app = Celery("redress")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {"tick": every(10, "dispatch.tasks.tick")}

"""A process that does the toys: `python -m tests.dispatch.child` and the words of the dispatch command."""

from __future__ import annotations

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

    from django.core.management import call_command

    from dispatch import kinds
    from tests.dispatch.toys import TOYS

    kinds._kinds.clear()
    kinds.register(TOYS)
    call_command("dispatch", *sys.argv[1:])

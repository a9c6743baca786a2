"""What every staff page shows around its content: the menu with live counts."""

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"menu": []}

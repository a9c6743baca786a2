"""What a phone needs to keep the desk on its home screen."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from surveys.messages.compose import brand

ACCENT, GROUND = "#2a4fae", "#ffffff"


@require_safe
@cache_control(max_age=3600)
@vary_on_headers("Accept-Language", "Cookie")
def manifest(request: HttpRequest) -> JsonResponse:
    name = brand() or "Redress"
    facts = {
        "id": "/desk/",
        "name": name,
        "short_name": name[:12],
        "description": _("Low scores, owned until they are put right."),
        "lang": get_language() or "en",
        "start_url": "/desk/",
        "scope": "/",
        "display": "standalone",
        "theme_color": ACCENT,
        "background_color": GROUND,
        "icons": [
            icon("icon-192.png", "192x192"),
            icon("icon-512.png", "512x512"),
            {**icon("icon-maskable.png", "512x512"), "purpose": "maskable"},
        ],
        "shortcuts": [
            {"name": _("My work"), "url": "/desk/"},
            {"name": _("Callbacks"), "url": "/callbacks/"},
        ],
    }
    return JsonResponse(facts, content_type="application/manifest+json")


def icon(name: str, sizes: str) -> dict[str, str]:
    return {"src": static(f"site/{name}"), "sizes": sizes, "type": "image/png"}

from csp.decorators import csp_update
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import health, manifest

# Swagger's page carries a style element of its own; its script comes from a second request to the same URL.
swagger_page = csp_update({"style-src": ["'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema")
)

handler500 = "config.errors.unexpected"

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/dispatch", health.dispatching, name="health-dispatch"),
    path("metrics", ExportToDjangoView, name="metrics"),
    path("manifest.webmanifest", manifest.manifest, name="manifest"),
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("set-language/", set_language, name="set_language"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/v1/docs/", swagger_page, name="api-docs"),
    path("", include("dispatch.urls")),
    path("", include("surveys.urls")),
    path("", include("recovery.urls")),
]

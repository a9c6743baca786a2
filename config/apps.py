from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class SiteConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from django.contrib import admin

        from config import checks, metrics  # noqa: F401 - the checks register themselves

        admin.site.site_header = admin.site.site_title = _("Redress administration")
        metrics.register()
        apps.get_app_config("axes").verbose_name = _("Sign-in attempts")

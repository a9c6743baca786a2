from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveysConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "surveys"
    verbose_name = _("Surveys")

    def ready(self) -> None:
        from dispatch import kinds, watch
        from surveys import due
        from surveys.messages import breaker

        kinds.register(*due.KINDS)
        watch.at_each_canary(breaker.look)

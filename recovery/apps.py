from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# What the list of messages calls the notices of this room.
NOTICES = {
    "ticket_assigned": _("ticket assigned"),
    "ticket_absorbed": _("another low score"),
    "callback_due": _("callback due"),
    "ticket_escalated": _("ticket escalated"),
    "ticket_reopened": _("ticket reopened"),
    "digest": _("what came late"),
}


class RecoveryConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "recovery"
    verbose_name = _("Service recovery")

    def ready(self) -> None:
        from dispatch.kinds import register
        from recovery import nudges, sweeps
        from surveys.messages import kinds

        nudges.listen()
        register(*sweeps.KINDS)
        kinds.NAMES.update(NOTICES)

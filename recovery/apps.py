from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# What the list of messages calls the notices of this room.
NOTICES = {
    "ticket_assigned": _("ticket assigned"),
    "ticket_absorbed": _("another low score"),
    "callback_due": _("callback due"),
    "ticket_escalated": _("ticket escalated"),
    "ticket_reopened": _("ticket reopened"),
    "ticket_nudged": _("nudge"),
    "attention": _("waits for a person"),
    "digest": _("what came late"),
    "weekly": _("the week"),
    "report": _("report by mail"),
    "unreachable": _("last message to somebody we could not reach"),
    "ticket_reply": _("reply to the customer"),
    "customer_wrote": _("the customer wrote"),
    "goodwill_to_approve": _("goodwill to approve"),
    "goodwill_decided": _("goodwill decided"),
    "request_asked": _("request to a department"),
    "request_reminder": _("reminder of a request"),
    "request_cancelled": _("request cancelled"),
    "request_answered": _("request answered"),
    "request_late": _("request late"),
}


class RecoveryConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "recovery"
    verbose_name = _("Service recovery")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from dispatch import watch
        from dispatch.kinds import register
        from recovery import alarms, nudges, subjects, sweeps
        from recovery.models.default_cadence import keep_a_default
        from surveys.messages import kinds

        # Also sent when a database was emptied.
        post_migrate.connect(keep_a_default, sender=self, dispatch_uid="recovery.default_cadence")
        nudges.listen()
        register(*sweeps.KINDS)
        watch.NAMES.update(subjects.NAMES)
        watch.describe_by(subjects.describe)
        watch.at_each_canary(alarms.look)
        kinds.NAMES.update(NOTICES)

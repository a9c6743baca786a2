from django.contrib import admin

from surveys.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from surveys.models import DeliveryAttempt, Message


class AttemptInline(ReadOnlyInline[DeliveryAttempt, Message]):
    model = DeliveryAttempt


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    list_display = ("to_address", "kind", "state", "reason", "send_at", "finished_at", "attempts")
    list_filter = ("state", "kind", "channel")
    search_fields = ("to_address", "to_name", "subject", "about")
    date_hierarchy = "send_at"
    inlines = (AttemptInline,)

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Another room adds the names of its own kinds when it starts.
NAMES: dict[str, str | Promise] = {
    "invitation": _("survey invitation"),
    "resurvey_invitation": _("resurvey invitation"),
    "sending_held": _("sending held"),
}


def name_of(kind: str) -> str:
    return str(NAMES.get(kind) or kind.replace("_", " "))

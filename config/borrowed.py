"""Words of Django and other packages that have no Chinese, or a longer one, for our catalogues to hold.

Nothing needs to import this: the catalogue is made from the source, and ours comes before theirs.
"""

from typing import Final

from django.utils.translation import gettext_noop as _

# Django's Chinese knows only the long names of the days, too long beside a date.
SHORT_DAYS: Final = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))

# Django's admin site.
ADMIN: Final = (
    _("Add link"),
    _("After you’ve created a user, you’ll be able to edit more user options."),
    _("Change or view list link"),
    _("Model name"),
)

# django-axes, in the admin site.
SIGN_IN_ATTEMPTS: Final = (
    _("access attempt"),
    _("access attempts"),
    _("access failure"),
    _("access failures"),
    _("access log"),
    _("access logs"),
    _("Access lock out"),
    _("Attempt Remaining"),
    _("Attempt Time"),
    _("Clean up expired attempts"),
    _("Expires At"),
    _("Failed Logins"),
    _("Form Data"),
    _("GET Data"),
    _("HTTP Accept"),
    _("IP Address"),
    _("Locked Out"),
    _("Logout Time"),
    _("Meta Data"),
    _("Not set"),
    _("POST Data"),
    _("Path"),
    _("Session key hash (sha256)"),
    _("User Agent"),
    _("Username"),
)

"""What the staff pages ask for. A form checks its shape; whether an act may happen, the act itself says."""

from recovery.forms.acts import ACT_FORMS, ActForm, in_table
from recovery.forms.bulk import BulkForm
from recovery.forms.given import GIVEN_FORMS
from recovery.forms.reaching import REACHING_FORMS
from recovery.forms.reply import REPLY_FORMS

ACT_FORMS.update(GIVEN_FORMS)
ACT_FORMS.update(REACHING_FORMS)
ACT_FORMS.update(REPLY_FORMS)

__all__ = ["ACT_FORMS", "ActForm", "BulkForm", "in_table"]

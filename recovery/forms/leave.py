"""When somebody is away, and who covers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recovery.assignment.leave import check_leave, who_may_cover
from recovery.forms.acts import ColleagueField, LocalMinutes
from recovery.models import Leave

MORNING = time(9)


def tomorrow(at: datetime) -> dict[str, datetime]:
    """All of the coming day on the reader's clock, and back on the morning after."""
    here = timezone.get_current_timezone()
    day = timezone.localtime(at).date() + timedelta(days=1)
    return {
        "starts_at": datetime.combine(day, time(), tzinfo=here),
        "ends_at": datetime.combine(day + timedelta(days=1), MORNING, tzinfo=here),
    }


class LeaveForm(forms.ModelForm[Leave]):
    """`people` are those whose leave the reader may enter; of one alone, nobody need be chosen."""

    user = ColleagueField(label=_("Who is away"), queryset=User.objects.none())
    cover = ColleagueField(
        label=_("Covered by"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("The supervisor"),
    )

    class Meta:
        model = Leave
        fields = ("user", "starts_at", "ends_at", "cover", "note")
        widgets = {"starts_at": LocalMinutes(), "ends_at": LocalMinutes()}
        labels = {"ends_at": _("Back at")}

    def __init__(
        self, reader: User, people: QuerySet[User], at: datetime, data: QueryDict | None = None
    ) -> None:
        super().__init__(data, initial={"user": reader.pk, **tomorrow(at)}, auto_id="leave-%s")
        self.at = at
        user, cover = self.fields["user"], self.fields["cover"]
        assert isinstance(user, forms.ModelChoiceField)
        assert isinstance(cover, forms.ModelChoiceField)
        user.queryset, cover.queryset = people, who_may_cover(people)
        user.empty_label = None
        if len(people) == 1:
            user.widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and values["ends_at"] <= self.at:
            self.add_error("ends_at", _("This time is over. Choose one that is still ahead."))
        return values

    def _post_clean(self) -> None:
        """What the leave as a whole must keep to is asked once its fields are right."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            check_leave(self.instance)
        except forms.ValidationError as refused:
            self.add_error(None, refused)

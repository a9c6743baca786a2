"""Hold-outs: planned here, begun and ended on a page of their own that says what it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dispatch.clock import now
from recovery.lifecycle import Refused, hold_out
from recovery.lifecycle.hold_out import FULL, HoldOutPlan, plan_of
from recovery.models import HoldOut

PLANNED: Final = (
    *("name", "survey", "share", "days", "difference", "power", "expected_recovered", "expected_response"),
    *("spared_priority", "spared_value", "spared_tiers"),
)
KEPT: Final = (
    *("planned_later", "planned_now", "answer_days"),
    *("started_at", "started_by", "ended_at", "why_ended"),
)


class HoldOutForm(forms.ModelForm[HoldOut]):
    class Meta:
        model = HoldOut
        fields = PLANNED

    def clean_spared_tiers(self) -> list[str]:
        tiers = self.cleaned_data["spared_tiers"] or []
        if not isinstance(tiers, list) or not all(isinstance(tier, str) for tier in tiers):
            raise ValidationError(_('Write a list of names such as ["Gold", "Silver"].'))
        return tiers

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        expected, difference = values.get("expected_recovered"), values.get("difference")
        if expected and difference and expected + difference >= 100:
            self.add_error(
                "difference",
                _("More than all cannot recover: make the difference or the expected share smaller."),
            )
        return values


@admin.register(HoldOut)
class HoldOutAdmin(admin.ModelAdmin[HoldOut]):
    """A draft may be changed; once it has begun, its plan stays as it is."""

    form = HoldOutForm
    list_display = ("name", "survey", "state", "share", "planned_later", "taken", "started_at", "ended_at")
    list_select_related = ("survey",)
    list_filter = ("state", "survey")
    search_fields = ("name",)
    change_form_template = "recovery/admin/hold_out.html"
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "survey"),
                "description": _(
                    "A small share of the low scores of one survey is followed up later instead of at once,"
                    " by lot. Both sides are asked the same question after the same number of days. Only so"
                    " can anybody say what following up adds to what people do by themselves."
                ),
            },
        ),
        (_("How many, and for how long"), {"fields": ("share", "days", "difference", "power")}),
        (
            _("What you expect"),
            {
                "fields": ("expected_recovered", "expected_response"),
                "description": _("Its size follows from these. If you expect too much, it shows too little."),
            },
        ),
        (
            _("Always followed up at once"),
            {
                "fields": ("spared_priority", "spared_value", "spared_tiers"),
                "description": _(
                    "Besides these: complaints, whoever asks to be contacted, severe words, unknown"
                    " customers, people who may not be written to, and whoever was drawn before."
                ),
            },
        ),
        (_("Its size"), {"fields": ("size",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: HoldOut | None = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        if obj is None or obj.state == HoldOut.DRAFT:
            return shown if obj else shown[:-1]
        return [*shown[:-1], (_("How it runs"), {"fields": ("state", "taken", *KEPT)})]

    def get_readonly_fields(self, request: HttpRequest, obj: HoldOut | None = None) -> Any:
        if obj is None or obj.state == HoldOut.DRAFT:
            return ("size",)
        return (*(name for name in PLANNED if name != "name"), "state", "taken", *KEPT)

    def has_delete_permission(self, request: HttpRequest, obj: HoldOut | None = None) -> bool:
        if obj is not None and obj.state != HoldOut.DRAFT:
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: act for name, act in super().get_actions(request).items() if name != "delete_selected"}

    @admin.display(description=_("its size"))
    def size(self, row: HoldOut) -> SafeString | str:
        try:
            return format_html("<p>{}</p>", " ".join(plan_words(row, plan_of(row, now()))))
        except Refused as refused:
            return str(refused)

    @admin.display(description=_("drawn for later so far"))
    def taken(self, row: HoldOut) -> str:
        if row.state == HoldOut.DRAFT:
            return "-"
        return str(row.draws.filter(side="later").count())

    @admin.display(description=_("why it ended"))
    def why_ended(self, row: HoldOut) -> str:
        return gettext("as many as planned were drawn") if row.ended_why == FULL else row.ended_why or "-"

    # --- begun and ended on purpose ---

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [
            path("<int:pk>/start/", guarded(self.start), name="recovery_holdout_start"),
            path("<int:pk>/end/", guarded(self.end), name="recovery_holdout_end"),
        ]
        return [*own, *super().get_urls()]

    def start(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.changeable(request, pk)
        if request.method == "POST":
            return self.done(request, row, lambda: hold_out.start(row, by=staff(request), at=now()), STARTED)
        try:
            words = plan_words(row, plan_of(row, now()))
        except Refused as refused:
            return self.refused(request, row, refused)
        return self.ask(request, row, gettext("Start the hold-out?"), words, starting=True)

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.changeable(request, pk)
        why = request.POST.get("why", "").replace("\0", "")
        if request.method == "POST" and why.strip():
            return self.done(
                request, row, lambda: hold_out.end(row, by=staff(request), at=now(), why=why), ENDED
            )
        words = [
            gettext(
                "Nobody is drawn any more. Who was drawn stays on their side and is still asked. The report"
                " says for ever that it was ended by hand before its size was reached."
            )
        ]
        wrong = gettext("Say why it ends before its size is reached.") if request.method == "POST" else ""
        return self.ask(request, row, gettext("End the hold-out?"), words, wrong=wrong)

    def changeable(self, request: HttpRequest, pk: int) -> HoldOut:
        row = get_object_or_404(HoldOut.objects.select_related("survey"), pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def done(
        self, request: HttpRequest, row: HoldOut, act: Callable[[], object], words: str | Promise
    ) -> HttpResponse:
        try:
            act()
        except Refused as refused:
            return self.refused(request, row, refused)
        self.log_change(request, row, str(words))
        self.message_user(request, str(words))
        return self.back(row)

    def refused(self, request: HttpRequest, row: HoldOut, refused: Refused) -> HttpResponse:
        self.message_user(request, str(refused), messages.ERROR)
        return self.back(row)

    def back(self, row: HoldOut) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:recovery_holdout_change", args=[row.pk]))

    def ask(
        self, request: HttpRequest, row: HoldOut, title: str, words: list[str], **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "row": row,
            "words": words,
            **more,
        }
        status = 400 if more.get("wrong") else 200
        return render(request, "recovery/admin/hold_out_ask.html", context, status=status)


def staff(request: HttpRequest) -> User:
    """Nobody else comes through the door of the admin site."""
    assert isinstance(request.user, User)
    return request.user


STARTED = _("The hold-out runs. Its plan is fixed from now on.")
ENDED = _("The hold-out has ended.")


def plan_words(row: HoldOut, plan: HoldOutPlan) -> list[str]:
    """What it will take, and how long that is at the present rate."""
    needed = gettext(
        "It takes {low} low scores: {later} followed up later and {now} at once. So {later_answers} and"
        " {now_answers} answers come in, if {response} % answer. A difference of {difference} points is then"
        " seen in {power} of 100 cases."
    ).format(
        low=f"{plan.low_scores:,}",
        later=f"{plan.later:,}",
        now=f"{plan.now:,}",
        later_answers=f"{plan.later_answers:,}",
        now_answers=f"{plan.now_answers:,}",
        response=row.expected_response,
        difference=row.difference,
        power=row.power,
    )
    return [needed, duration_words(row, plan)]


TWO_YEARS: Final = 104  # in weeks


def duration_words(row: HoldOut, plan: HoldOutPlan) -> str:
    if plan.weeks is None:
        return gettext("In the last 90 days no low score came in that could have been drawn.")
    rate = f"{plan.a_week:,.1f}" if plan.a_week < 10 else f"{plan.a_week:,.0f}"
    if plan.weeks > TWO_YEARS:
        return gettext(
            "At the present rate of {rate} such low scores a week that would take about {years} years: look"
            " for a larger difference, or hold out a larger share."
        ).format(rate=rate, years=round(plan.weeks / 52))
    return ngettext(
        "At the present rate of {rate} such low scores a week that is about {weeks} week, and {days} days"
        " more until the last are asked.",
        "At the present rate of {rate} such low scores a week that is about {weeks} weeks, and {days} days"
        " more until the last are asked.",
        plan.weeks,
    ).format(rate=rate, weeks=f"{plan.weeks:,}", days=row.days)

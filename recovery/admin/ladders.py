"""The escalation steps of a policy, as an administrator enters them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.ladder import out_of_order, used
from recovery.models import EscalationStep, PolicyTarget, SlaPolicy
from recovery.models.policy import DEADLINE_KINDS

if TYPE_CHECKING:
    StepFormSet = forms.BaseInlineFormSet[EscalationStep, SlaPolicy, forms.ModelForm[EscalationStep]]
else:
    StepFormSet = forms.BaseInlineFormSet


class StepForm(forms.ModelForm[EscalationStep]):
    """Refuses what contradicts itself, beside the field."""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        recipient = values.get("recipient")
        if values.get("share") is not None and values.get("minutes_after"):
            self.add_error("share", _("Give a share or minutes, not both."))
        if values.get("team") and recipient != EscalationStep.TEAM:
            self.add_error("team", _("A team is told only by “everybody in a team”."))
        if values.get("action") == EscalationStep.REASSIGN and recipient in CANNOT_TAKE_IT:
            self.add_error("action", str(CANNOT_TAKE_IT[recipient]))
        return values


CANNOT_TAKE_IT: dict[str, str | Promise] = {
    EscalationStep.OWNER: _("The owner has it already: tell somebody else to hand it over."),
    EscalationStep.TEAM: _("A ticket has one owner: tell one person to hand it over."),
}


class LadderFormSet(StepFormSet):
    """Refuses a ladder whose levels do not rise with time, whatever the priority."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        for kind, _name in DEADLINE_KINDS:
            steps = [step for step in self.steps() if step.kind == kind]
            for target in self.targets():
                refuse_out_of_order(steps, target, kind)

    def steps(self) -> Iterator[EscalationStep]:
        for form in self.forms:
            if form not in self.deleted_forms and form.cleaned_data:
                yield form.instance

    def targets(self) -> list[PolicyTarget]:
        """As they are in the same submission; none where they are in error themselves."""
        targets = TargetFormSet(self.data, instance=self.instance, prefix="targets")
        if not targets.is_valid():
            return []
        kept = [form for form in targets.forms if form not in targets.deleted_forms and form.cleaned_data]
        return [form.instance for form in kept]


TargetFormSet = forms.inlineformset_factory(
    SlaPolicy, PolicyTarget, fields=("priority", "first_contact_minutes", "resolution_minutes"), extra=0
)


def refuse_out_of_order(steps: list[EscalationStep], target: PolicyTarget, kind: str) -> None:
    minutes = target.minutes(kind)
    wrong = out_of_order(steps, minutes)
    if wrong is None:
        return
    lower, higher = wrong
    words = _(
        "Levels must rise with time: of %(deadline)s for %(priority)s, level %(lower)s falls due after "
        "%(first)s working minutes and level %(higher)s after %(second)s."
    )
    facts = {
        "deadline": dict(DEADLINE_KINDS)[kind],
        "priority": target.get_priority_display(),
        "lower": lower.level,
        "higher": higher.level,
        "first": f"{used(lower, minutes):g}",
        "second": f"{used(higher, minutes):g}",
    }
    raise ValidationError(words, code="levels_out_of_order", params=facts)


class EscalationStepInline(admin.TabularInline[EscalationStep, SlaPolicy]):
    model = EscalationStep
    form = StepForm
    formset = LadderFormSet
    extra = 0

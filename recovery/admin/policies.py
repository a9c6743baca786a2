from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from recovery.admin.ladders import EscalationStepInline
from recovery.admin.widgets import Suggested, bands_field
from recovery.models import Cause, PolicyTarget, RuleCondition, SlaPolicy, TriageRule
from recovery.rules import check, known_fields


class PolicyTargetInline(admin.TabularInline[PolicyTarget, SlaPolicy]):
    model = PolicyTarget
    extra = 0
    min_num = 1
    validate_min = True


@admin.register(SlaPolicy)
class SlaPolicyAdmin(admin.ModelAdmin[SlaPolicy]):
    list_display = ("name", "version")
    search_fields = ("name",)
    readonly_fields = ("version",)
    inlines = (PolicyTargetInline, EscalationStepInline)

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        """A changed policy is a new version: running deadlines are reckoned anew within seconds."""
        super().save_related(request, form, formsets, change)
        if change and any(formset.has_changed() for formset in formsets):
            SlaPolicy.objects.filter(pk=form.instance.pk).update(version=F("version") + 1)


class ConditionForm(forms.ModelForm[RuleCondition]):
    """Refuses what could never be asked, and says what can."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].widget = Suggested(known_fields)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not values.get("DELETE"):
            check(values["field"], values["operator"], values.get("value") or "")
        return values


class ConditionInline(admin.TabularInline[RuleCondition, TriageRule]):
    model = RuleCondition
    form = ConditionForm
    extra = 1


@admin.register(TriageRule)
class TriageRuleAdmin(admin.ModelAdmin[TriageRule]):
    list_display = ("position", "name", "active", "opens_ticket", "team", "policy", "priority")
    list_display_links = ("name",)
    list_filter = ("active", "team")
    list_select_related = ("team", "policy")
    search_fields = ("name", "keywords")
    filter_horizontal = ("surveys",)
    fieldsets = (
        (None, {"fields": ("position", "name", "name_zh", "active")}),
        (
            _("When all of these hold"),
            {
                "fields": (
                    "bands",
                    "surveys",
                    "touchpoint",
                    "tier",
                    "keywords",
                    "contact_me",
                    "dropped_from_promoter",
                    "account_known",
                ),
                "description": _("What is left empty is not asked. The first rule that holds decides."),
            },
        ),
        (_("Then"), {"fields": ("opens_ticket", "team", "policy", "priority", "playbook", "skill")}),
    )
    inlines = (ConditionInline,)
    # Where the rules are tried on the latest answers.
    change_list_template = "recovery/admin/rules.html"

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "bands":
            return bands_field(db_field)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Cause)
class CauseAdmin(admin.ModelAdmin[Cause]):
    list_display = ("position", "code", "name", "name_zh", "active")
    list_display_links = ("code",)
    search_fields = ("code", "name", "name_zh")
    list_filter = ("active",)

"""A ticket as JSON: a row of a list, and everything about one. Codes and names, never translated words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from recovery.lifecycle.act import name_of
from recovery.models import (
    Callback,
    Contact,
    Deadline,
    Goodwill,
    Reply,
    Request,
    Resurvey,
    Team,
    Ticket,
    TicketEvent,
    TicketResponse,
)
from surveys.api.serializers import CustomerShown
from surveys.models import Response

PARTS = (
    "ticket_responses__response__survey",
    "ticket_responses__response__source",
    "ticket_responses__response__answers__question",
    "contacts",
    "events",
    "resurveys",
    "goodwill__kind",
    "requests__department",
    "replies",
)


class PersonShown(serializers.ModelSerializer[User]):
    name = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "username", "name"]
        read_only_fields = fields

    def get_name(self, user: User) -> str:
        return name_of(user)


class TeamShown(serializers.ModelSerializer[Team]):
    class Meta:
        model = Team
        fields = ["id", "name", "name_zh"]
        read_only_fields = fields


class CustomerNamed(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(source="__str__", read_only=True)


class DeadlineShown(serializers.ModelSerializer[Deadline]):
    breached_at = serializers.SerializerMethodField(help_text="When it passed unmet; else null.")
    paused = serializers.BooleanField(source="is_paused", read_only=True)

    class Meta:
        model = Deadline
        fields = ["kind", "cycle", "due_at", "met_at", "breached_at", "ended_at", "paused"]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_breached_at(self, row: Deadline) -> str | None:
        """Late is late, also before the sweep has written it down."""
        is_late = row.is_running and row.due_at is not None and row.due_at <= self.context["at"]
        moment = row.breached_at or (row.due_at if is_late else None)
        return serializers.DateTimeField().to_representation(moment) if moment else None


LEDGER_LINE = inline_serializer(
    name="LedgerLine",
    fields={
        "from": serializers.DateTimeField(),
        "to": serializers.DateTimeField(),
        "minutes": serializers.FloatField(help_text="Only `working` has minutes."),
        "why": serializers.ChoiceField(choices=["working", "closed", "holiday", "waiting"]),
        "name": serializers.CharField(required=False, help_text="The holiday's name."),
    },
    many=True,
)


@extend_schema_field(LEDGER_LINE)
class Ledger(serializers.JSONField):
    """Line by line why a deadline falls when it does; lines are half-open and touch."""


class DeadlineExplained(DeadlineShown):
    ledger = Ledger(read_only=True)

    class Meta(DeadlineShown.Meta):
        fields = [
            *DeadlineShown.Meta.fields,
            "minutes",
            "extra_minutes",
            "starts_at",
            "policy_version",
            "ledger",
        ]
        read_only_fields = fields


class CallbackShown(serializers.ModelSerializer[Callback]):
    class Meta:
        model = Callback
        fields = ["id", "cycle", "local_time", "time_zone", "due_at", "channel", "state", "note"]
        read_only_fields = fields


class CallbackListed(CallbackShown):
    """With whose it is, for a list over many tickets."""

    ticket = serializers.CharField(source="ticket.number", read_only=True)
    owner = PersonShown(source="ticket.owner", read_only=True)
    customer = CustomerNamed(source="ticket.customer", read_only=True, allow_null=True)

    class Meta(CallbackShown.Meta):
        fields = [*CallbackShown.Meta.fields, "ticket", "owner", "customer"]
        read_only_fields = fields


class ContactShown(serializers.ModelSerializer[Contact]):
    by = serializers.CharField(source="by_name", read_only=True)

    class Meta:
        model = Contact
        fields = ["at", "cycle", "by", "channel", "outcome", "note"]
        read_only_fields = fields


class ResponseJoined(serializers.ModelSerializer[TicketResponse]):
    """An answer the ticket holds, and as what."""

    id = serializers.IntegerField(source="response.pk", read_only=True)
    survey = serializers.SlugField(source="response.survey.slug", read_only=True)
    source = serializers.SlugField(source="response.source.slug", read_only=True)  # type: ignore[assignment]
    external_id = serializers.CharField(source="response.external_id", read_only=True)
    score = serializers.IntegerField(source="response.score", allow_null=True, read_only=True)
    band = serializers.CharField(source="response.band", read_only=True)
    state = serializers.CharField(source="response.state", read_only=True)
    comment = serializers.CharField(source="response.comment", read_only=True)
    touchpoint = serializers.CharField(source="response.touchpoint", read_only=True)
    channel = serializers.CharField(source="response.channel", read_only=True)
    contact_me = serializers.BooleanField(source="response.contact_me", read_only=True)
    answered_at = serializers.DateTimeField(source="response.answered_at", read_only=True)
    answers = serializers.SerializerMethodField()

    class Meta:
        model = TicketResponse
        fields = [
            *("id", "role", "cycle", "survey", "source", "external_id", "score", "band", "state", "comment"),
            *("touchpoint", "channel", "contact_me", "answered_at", "answers"),
        ]
        read_only_fields = fields

    def get_answers(self, link: TicketResponse) -> dict[str, Any]:
        return answers_of(link.response)


def answers_of(response: Response) -> dict[str, Any]:
    return {answer.question.key: answer.value for answer in response.answers.all()}


class ResurveyShown(serializers.ModelSerializer[Resurvey]):
    class Meta:
        model = Resurvey
        fields = [
            *("cycle", "state", "due_at", "reason", "earliest_at", "asked_at", "outcome", "outcome_at"),
            "response",
        ]
        read_only_fields = fields


class EventShown(serializers.ModelSerializer[TicketEvent]):
    by = serializers.CharField(source="by_name", read_only=True, help_text="Empty: the system.")

    class Meta:
        model = TicketEvent
        fields = ["kind", "cycle", "at", "by", "version", "data", "text"]
        read_only_fields = fields


class ReadOrNull(serializers.CharField):
    """A value of something that may be missing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default=None, allow_null=True, read_only=True, **options)


class TicketRow(serializers.ModelSerializer[Ticket]):
    owner = PersonShown(read_only=True)
    team = TeamShown(read_only=True)
    customer = CustomerNamed(read_only=True, allow_null=True)
    survey = serializers.SlugField(source="response.survey.slug", read_only=True)
    score = serializers.IntegerField(source="response.score", allow_null=True, read_only=True)
    band = serializers.CharField(source="response.band", read_only=True)
    cause_said = ReadOrNull(source="cause_said.code")
    cause_found = ReadOrNull(source="cause_found.code")
    deadlines = serializers.SerializerMethodField(help_text="Those of the present cycle.")
    overdue = serializers.SerializerMethodField()

    class Meta:
        model = Ticket
        fields = [
            *(
                "number",
                "status",
                "cycle",
                "priority",
                "severity_reasons",
                "escalation_level",
                "owner",
                "team",
            ),
            *("customer", "survey", "line", "touchpoint", "score", "band", "deadlines", "overdue"),
            *("cause_said", "cause_found", "outcome", "opened_at", "resolved_at", "closed_at", "version"),
        ]
        read_only_fields = fields

    @extend_schema_field(DeadlineShown(many=True))
    def get_deadlines(self, ticket: Ticket) -> list[Any]:
        present = [row for row in ticket.deadlines.all() if row.cycle == ticket.cycle]
        return list(DeadlineShown(present, many=True, context=self.context).data)

    def get_overdue(self, ticket: Ticket) -> bool:
        at = self.context["at"]
        running = (row for row in ticket.deadlines.all() if row.cycle == ticket.cycle and row.is_running)
        return any(row.due_at is not None and row.due_at <= at for row in running)


class TicketHandedOn(serializers.ModelSerializer[Ticket]):
    """What is said of a ticket to somebody who may not see it: who has it now."""

    owner = PersonShown(read_only=True)
    team = TeamShown(read_only=True)

    class Meta:
        model = Ticket
        fields = ["number", "owner", "team"]
        read_only_fields = fields


class GoodwillShown(serializers.ModelSerializer[Goodwill]):
    kind = serializers.CharField(source="kind.name", read_only=True)

    class Meta:
        model = Goodwill
        fields = ["id", "cycle", "kind", "cost", "note", "state", "at", "by_name", "decided_at"]
        fields += ["decided_by_name", "reason"]
        read_only_fields = fields


class RequestShown(serializers.ModelSerializer[Request]):
    department = serializers.CharField(source="department.name", read_only=True)

    class Meta:
        model = Request
        fields = ["id", "cycle", "department", "title", "text", "owner_name", "state", "holds_ticket"]
        fields += ["asked_at", "asked_by_name", "due_at", "answered_at", "answer"]
        read_only_fields = fields


class ReplyShown(serializers.ModelSerializer[Reply]):
    class Meta:
        model = Reply
        fields = ["id", "cycle", "direction", "channel", "subject", "text", "state", "at", "by_name"]
        read_only_fields = fields


class TicketWhole(TicketRow):
    customer = CustomerShown(read_only=True, allow_null=True)  # type: ignore[assignment]  # more than its name
    responses = ResponseJoined(source="ticket_responses", many=True, read_only=True)
    deadlines = DeadlineExplained(many=True, read_only=True)  # type: ignore[assignment]
    callbacks = CallbackShown(many=True, read_only=True)
    contacts = ContactShown(many=True, read_only=True)
    goodwill = GoodwillShown(many=True, read_only=True, help_text="What was given or proposed.")
    requests = RequestShown(many=True, read_only=True, help_text="Asked of other departments.")
    replies = ReplyShown(many=True, read_only=True, help_text="Written with the customer, both ways.")
    resurvey = serializers.SerializerMethodField(help_text="Of the present cycle; null until resolved.")
    events = EventShown(many=True, read_only=True)
    merged_into = ReadOrNull(source="merged_into.number")

    class Meta(TicketRow.Meta):
        fields = [
            *TicketRow.Meta.fields,
            *("responses", "callbacks", "contacts", "goodwill", "requests", "replies"),
            *("resurvey", "events"),
            *("assigned_because", "what_was_done", "merged_into"),
        ]
        read_only_fields = fields

    @extend_schema_field(ResurveyShown(allow_null=True))
    def get_resurvey(self, ticket: Ticket) -> dict[str, Any] | None:
        present = next((row for row in ticket.resurveys.all() if row.cycle == ticket.cycle), None)
        return ResurveyShown(present).data if present else None


def whole(ticket: Ticket, at: datetime) -> dict[str, Any]:
    """Everything about a ticket, read afresh in a fixed number of queries."""
    rows = Ticket.objects.for_lists().select_related("cause_said", "cause_found", "merged_into")
    fresh = rows.prefetch_related(*PARTS).get(pk=ticket.pk)
    return TicketWhole(fresh, context={"at": at}).data

"""What a list of tickets or callbacks can be narrowed by."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django_filters import rest_framework as filters

from dispatch import clock
from recovery.models import Callback, Deadline, Ticket
from recovery.models.policy import PRIORITIES
from recovery.models.ticket import IN_WORK, STATUSES
from surveys.api.filters import CodesFilter, InstantFilter, YesNoFilter
from surveys.models import CustomerIdentity, Response
from surveys.models.lookup import any_of, is_pair


def running_deadlines() -> QuerySet[Deadline]:
    """Of a ticket's present cycle, for a subquery; a clock that stands has no due time."""
    rows = Deadline.objects.filter(ticket=OuterRef("pk"), cycle=OuterRef("cycle"))
    return rows.filter(met_at=None, ended_at=None, due_at__isnull=False)


def with_due_at(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Each with `due_at`, the earliest of its running deadlines."""
    earliest = Subquery(running_deadlines().order_by("due_at").values("due_at")[:1])
    return tickets.annotate(due_at=Case(When(status__in=IN_WORK, then=earliest)))


def due_before(moment: datetime) -> Q:
    return Q(Exists(running_deadlines().filter(due_at__lt=moment)), status__in=IN_WORK)


def overdue(at: datetime) -> Q:
    return Q(Exists(running_deadlines().filter(due_at__lte=at)), status__in=IN_WORK)


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def owned_by(text: str, path: str = "owner") -> Q:
    return Q(**{f"{path}__username": text}) | (Q(**{path: int(text)}) if is_id(text) else Q())


def of_customer(text: str) -> Q:
    """Looked up first: an OR with a subquery would read every row."""
    kinds = [kind for kind, _name in CustomerIdentity.KINDS]
    known = set(
        CustomerIdentity.objects.filter(kind__in=kinds, value=text).values_list("customer", flat=True)
    )
    return Q(customer__in=known | {int(text)} if is_id(text) else known)


class TicketFilter(filters.FilterSet):  # type: ignore[misc]  # the package has no types
    status = CodesFilter(choices=STATUSES)
    owner = filters.CharFilter(method="by_owner", label="Username or id; `me` is whoever asks")
    team = filters.CharFilter(method="by_team", label="Name or id")
    priority = CodesFilter(choices=PRIORITIES)
    overdue = YesNoFilter(method="by_overdue", label="A running deadline of the present cycle has passed")
    due_before = InstantFilter(method="by_due", label="A running deadline falls due before this time")
    customer = filters.CharFilter(method="by_customer", label="Id, external id or e-mail address")
    survey = filters.CharFilter(field_name="response__survey__slug", label="Slug")
    cause = filters.CharFilter(method="by_cause", label="Code of the cause found or said")
    q = filters.CharFilter(method="search", label="Number, or part of a name, address or comment")

    class Meta:
        model = Ticket
        fields: list[str] = []

    def by_owner(self, rows: QuerySet[Ticket], _name: str, text: str) -> QuerySet[Ticket]:
        return rows.filter(owner=self.request.user) if text == "me" else rows.filter(owned_by(text))

    def by_team(self, rows: QuerySet[Ticket], _name: str, text: str) -> QuerySet[Ticket]:
        return rows.filter(team=int(text)) if is_id(text) else rows.filter(team__name=text)

    def by_overdue(self, rows: QuerySet[Ticket], _name: str, yes: str) -> QuerySet[Ticket]:
        late = overdue(clock.now())
        return rows.filter(late) if yes == "true" else rows.exclude(late)

    def by_due(self, rows: QuerySet[Ticket], _name: str, moment: datetime) -> QuerySet[Ticket]:
        return rows.filter(due_before(moment))

    def by_customer(self, rows: QuerySet[Ticket], _name: str, text: str) -> QuerySet[Ticket]:
        return rows.filter(of_customer(text))

    def by_cause(self, rows: QuerySet[Ticket], _name: str, code: str) -> QuerySet[Ticket]:
        return rows.filter(Q(cause_found__code=code) | Q(cause_said__code=code))

    def search(self, rows: QuerySet[Ticket], _name: str, text: str) -> QuerySet[Ticket]:
        said = [
            Q(number__iexact=text),
            Q(customer__name__holds=text),
            Q(ticket_responses__response__comment__holds=text),
        ]
        # no phone number or address is a word of two Chinese characters
        written = [] if is_pair(text) else [Q(customer__identities__value__icontains=text)]
        return any_of(rows, *said, *written, most=None)


class CallbackFilter(filters.FilterSet):  # type: ignore[misc]
    due_before = InstantFilter(field_name="due_at", lookup_expr="lt")
    owner = filters.CharFilter(method="by_owner", label="Username or id; `me` is whoever asks")
    state = CodesFilter(choices=Callback.STATES)

    class Meta:
        model = Callback
        fields: list[str] = []

    def by_owner(self, rows: QuerySet[Callback], _name: str, text: str) -> QuerySet[Callback]:
        mine = Q(ticket__owner=self.request.user)
        return rows.filter(mine if text == "me" else owned_by(text, "ticket__owner"))


class ResponseFilter(filters.FilterSet):  # type: ignore[misc]
    survey = filters.CharFilter(field_name="survey__slug", label="Slug")
    band = CodesFilter(choices=Response.BANDS)
    customer = filters.CharFilter(method="by_customer", label="Id, external id or e-mail address")

    class Meta:
        model = Response
        fields: list[str] = []

    def by_customer(self, rows: QuerySet[Response], _name: str, text: str) -> QuerySet[Response]:
        return rows.filter(of_customer(text))

"""Customers and invitations of the surveys room, narrowed to whom this person may see."""

from django.db.models import QuerySet

from recovery.access import visible_customers
from surveys.api import views
from surveys.models import Customer


class Seen(views.People):
    def people(self) -> QuerySet[Customer]:
        return visible_customers(self.request.user)


class Customers(Seen, views.Customers):
    pass


class OneCustomer(Seen, views.OneCustomer):
    pass


class Invitations(Seen, views.Invitations):
    pass


class OneInvitation(Seen, views.OneInvitation):
    pass

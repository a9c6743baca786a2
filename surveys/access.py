"""What a colleague may see of surveys and answers. Customers have no login: whoever has one may look."""

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from surveys.models import Response, Survey


def visible_surveys(user: User | AnonymousUser) -> QuerySet[Survey]:
    return Survey.objects.all() if user.is_active else Survey.objects.none()


def visible_responses(user: User | AnonymousUser) -> QuerySet[Response]:
    return Response.objects.all() if user.is_active else Response.objects.none()

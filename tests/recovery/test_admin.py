"""The admin site as an administrator finds it."""

from datetime import date, time
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from recovery.models import ApiToken, Calendar, CalendarDay, Deadline, SlaPolicy
from recovery.models.calendar import fill_public_holidays
from recovery.sweeps import recompute
from tests.due import due
from tests.make import HOUR, MONDAY, Cast

OURS = [model for room in ("surveys", "recovery") for model in apps.get_app_config(room).get_models()]
REGISTERED = [model for model in OURS if admin.site.is_registered(model)]


@pytest.fixture
def admin_page(cast: Cast, client: Client) -> Client:
    cast.admin.is_staff = cast.admin.is_superuser = True
    cast.admin.save()
    client.force_login(cast.admin)
    return client


def calendar_form(windows: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    data = {
        "name": "London",
        "time_zone": "Europe/London",
        "country": "",
        "hours-TOTAL_FORMS": len(windows),
        "hours-INITIAL_FORMS": 0,
        "days-TOTAL_FORMS": 0,
        "days-INITIAL_FORMS": 0,
        **fields,
    }
    for number, window in enumerate(windows):
        data |= {f"hours-{number}-{name}": value for name, value in window.items()}
    return data


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_each_table_opens_lists_and_searches(cast: Cast, admin_page: Client, model: Any) -> None:
    cast.ticket()
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    # Where there is only one row, the list leads to it.
    assert admin_page.get(reverse(f"{base}_changelist"), follow=True).status_code == 200
    if admin.site.get_model_admin(model).search_fields:
        assert admin_page.get(reverse(f"{base}_changelist"), {"q": "Li"}).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert admin_page.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
    added = admin_page.get(reverse(f"{base}_add"))
    assert added.status_code == (
        200 if admin.site.get_model_admin(model).has_add_permission(added.wsgi_request) else 403
    )


def test_a_calendar_is_saved_with_its_hours(admin_page: Client) -> None:
    form = calendar_form([{"days": [0, 1], "opens": "09:00", "closes": "17:00"}])
    assert admin_page.post(reverse("admin:recovery_calendar_add"), form).status_code == 302
    hours = Calendar.objects.get(name="London").hours.get()
    assert (hours.days, hours.opens, hours.closes) == ([0, 1], time(9), time(17))


@pytest.mark.parametrize(
    "windows", [[], [{"days": [], "opens": "09:00", "closes": "17:00"}]], ids=["none", "no days"]
)
def test_a_calendar_with_no_open_time_is_refused(admin_page: Client, windows: list[dict[str, Any]]) -> None:
    page = admin_page.post(reverse("admin:recovery_calendar_add"), calendar_form(windows))
    assert page.status_code == 200
    assert not Calendar.objects.filter(name="London").exists()
    if not windows:
        assert "no open time" in page.content.decode()


def test_hours_that_open_and_close_at_once_are_refused(admin_page: Client) -> None:
    form = calendar_form([{"days": [0], "opens": "09:00", "closes": "09:00"}])
    assert "must differ" in admin_page.post(reverse("admin:recovery_calendar_add"), form).content.decode()


def test_a_changed_calendar_moves_running_deadlines_and_says_so(cast: Cast, admin_page: Client) -> None:
    ticket = cast.ticket()
    hours = cast.calendar.hours.get()
    form = calendar_form(
        [{"id": hours.pk, "days": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "12:00"}],
        name="Shanghai",
        time_zone="Asia/Shanghai",
        **{"hours-INITIAL_FORMS": 1},
    )
    url = reverse("admin:recovery_calendar_change", args=[cast.calendar.pk])
    assert admin_page.post(url, form).status_code == 302
    assert due("recompute", MONDAY) == [ticket.pk]
    recompute(ticket.pk, MONDAY)
    assert Deadline.objects.get(kind="first_contact").due_at == MONDAY + 25 * HOUR
    event = ticket.events.get(kind="recomputed")
    assert event.data["deadlines"][0]["from"] != event.data["deadlines"][0]["to"]
    assert due("recompute", MONDAY) == []


def test_a_changed_policy_is_a_new_version(cast: Cast, admin_page: Client) -> None:
    targets, steps = list(cast.policy.targets.all()), list(cast.policy.steps.all())
    form: dict[str, Any] = {"name": "Standard"}
    for prefix, rows in (("targets", targets), ("steps", steps)):
        form |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": len(rows)}
    for number, target in enumerate(targets):
        form |= {
            f"targets-{number}-id": target.pk,
            f"targets-{number}-priority": target.priority,
            f"targets-{number}-first_contact_minutes": 30,
            f"targets-{number}-resolution_minutes": target.resolution_minutes,
        }
    for number, step in enumerate(steps):
        names = ("kind", "level", "minutes_after", "recipient")
        form |= {f"steps-{number}-{name}": getattr(step, name) for name in names} | {
            f"steps-{number}-id": step.pk
        }
    ticket = cast.ticket()
    url = reverse("admin:recovery_slapolicy_change", args=[cast.policy.pk])
    assert admin_page.post(url, form).status_code == 302
    assert SlaPolicy.objects.get(pk=cast.policy.pk).version == 2
    assert due("recompute", MONDAY) == [ticket.pk]


def test_public_holidays_are_filled_in_and_days_edited_by_hand_are_kept(cast: Cast) -> None:
    cast.calendar.country = "CN"
    CalendarDay.objects.create(
        calendar=cast.calendar,
        date=date(2026, 2, 17),
        name="Half day",
        kind="hours",
        opens=time(9),
        closes=time(12),
    )
    assert fill_public_holidays(cast.calendar, [2026]) > 10
    days = {day.date: day for day in cast.calendar.days.all()}
    assert days[date(2026, 2, 17)].name == "Half day"
    assert days[date(2026, 2, 18)].from_library
    assert days[date(2026, 2, 14)].kind == CalendarDay.WORKING
    assert fill_public_holidays(cast.calendar, [2026]) == 0


def test_an_unknown_country_is_said_plainly(cast: Cast, admin_page: Client) -> None:
    Calendar.objects.update(country="ZZ")
    data = {"action": "fill_holidays", "_selected_action": [cast.calendar.pk]}
    page = admin_page.post(reverse("admin:recovery_calendar_changelist"), data, follow=True)
    assert "No public holidays are known for “ZZ”" in page.content.decode()


def test_a_new_token_is_shown_once_and_kept_hashed(cast: Cast, admin_page: Client) -> None:
    form = {"name": "Shop", "user": cast.admin.pk}
    page = admin_page.post(reverse("admin:recovery_apitoken_add"), form, follow=True)
    row = ApiToken.objects.get()
    shown = page.content.decode().split("The token is ")[1].split(".")[0]
    assert ApiToken.hash_of(shown) == row.token_hash
    assert (
        shown not in admin_page.get(reverse("admin:recovery_apitoken_change", args=[row.pk])).content.decode()
    )


def test_a_token_is_revoked(cast: Cast, admin_page: Client) -> None:
    row, _text = ApiToken.issue(cast.admin.pk, "Shop")
    data = {"action": "revoke", "_selected_action": [row.pk]}
    admin_page.post(reverse("admin:recovery_apitoken_changelist"), data)
    row.refresh_from_db()
    assert row.revoked_at is not None

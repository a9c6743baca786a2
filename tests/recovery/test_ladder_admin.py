"""A ladder as an administrator enters it: what contradicts itself is refused, with what to change."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from recovery.models import EscalationStep, SlaPolicy
from tests.make import Cast

Step = dict[str, Any]
HOUR_AND_DAY = {"priority": 3, "first_contact_minutes": 60, "resolution_minutes": 480}
TWO_HOURS = {"priority": 4, "first_contact_minutes": 120, "resolution_minutes": 960}


def step(level: int, recipient: str = "owner", **fields: Any) -> Step:
    return {"kind": "first_contact", "level": level, "minutes_after": 0, "recipient": recipient, **fields}


@pytest.fixture
def page(cast: Cast, client: Client) -> Client:
    cast.admin.is_staff = cast.admin.is_superuser = True
    cast.admin.save()
    client.force_login(cast.admin)
    return client


def add(page: Client, steps: list[Step], targets: tuple[Step, ...] = (HOUR_AND_DAY,)) -> str:
    """What the form says where it is refused; '' where it was saved."""
    data: dict[str, Any] = {"name": "Gold", "cadence": ""}
    for prefix, rows in (("targets", targets), ("steps", steps)):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        for number, row in enumerate(rows):
            data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    answer = page.post(reverse("admin:recovery_slapolicy_add"), data)
    assert (answer.status_code == 302) == SlaPolicy.objects.filter(name="Gold").exists()
    return "" if answer.status_code == 302 else answer.content.decode()


def test_a_ladder_that_rises_is_kept(page: Client) -> None:
    steps = [
        step(0, share=50),
        step(1, minutes_after=-15, recipient="team"),
        step(2, share=100, recipient="supervisor", action="reassign", urgent="on"),
        step(3, minutes_after=60, recipient="manager", action="raise"),
    ]
    assert add(page, steps) == ""
    kept = EscalationStep.objects.filter(policy__name="Gold").order_by("level")
    assert [(each.level, each.share, each.minutes_after) for each in kept] == [
        (0, 50, 0),
        (1, None, -15),
        (2, 100, 0),
        (3, None, 60),
    ]


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([step(0, minutes_after=-10), step(1, share=50)], ("level 0", "50", "level 1", "30")),
        ([step(0, share=75), step(1, minutes_after=-15)], ("level 0", "45", "level 1", "45")),
        ([step(2, share=50), step(5, share=40)], ("level 2", "30", "level 5", "24")),
        ([step(1, minutes_after=60), step(0, minutes_after=90)], ("level 0", "150", "level 1", "120")),
    ],
    ids=["minutes then share", "at the same time", "two shares", "in any order of rows"],
)
def test_levels_that_do_not_rise_are_named(page: Client, steps: list[Step], says: tuple[str, ...]) -> None:
    text = add(page, steps)
    assert "Levels must rise with time: of first contact for P3 normal" in text
    told = text[text.index("Levels must rise") :][:250]
    assert [word for word in says if word not in told] == []


def test_each_target_is_held_against_the_ladder(page: Client) -> None:
    """Ten minutes before the end come after three quarters of an hour, and before nine tenths of two."""
    steps = [step(0, minutes_after=-10), step(1, share=90)]
    assert add(page, steps) == ""
    SlaPolicy.objects.filter(name="Gold").delete()
    text = add(page, steps, (HOUR_AND_DAY, TWO_HOURS))
    assert "first contact for P4 low" in text
    assert "first contact for P3" not in text


def test_the_other_deadline_has_a_ladder_of_its_own(page: Client) -> None:
    assert add(page, [step(0, minutes_after=60), step(1, kind="resolution", minutes_after=-60)]) == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (step(0, share=75, minutes_after=-10), "Give a share or minutes, not both."),
        (step(0, team="{team}"), "A team is told only by"),
        (step(0, action="reassign"), "The owner has it already"),
        (step(0, recipient="team", action="reassign"), "A ticket has one owner"),
    ],
    ids=["share and minutes", "team without its recipient", "handed to the owner", "handed to a team"],
)
def test_a_step_that_contradicts_itself_is_refused(page: Client, cast: Cast, wrong: Step, says: str) -> None:
    wrong = {name: cast.west.pk if value == "{team}" else value for name, value in wrong.items()}
    assert says in add(page, [wrong])

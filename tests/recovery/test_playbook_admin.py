"""Canned texts in the admin site: a blank nobody can fill in is refused at saving."""

import pytest

from recovery.admin.playbooks import CannedTextForm

LINE = {"name": "Sorry", "text": "Dear {customer}", "active": "on"}


@pytest.mark.django_db
def test_it_saves_a_text_whose_blanks_are_known() -> None:
    form = CannedTextForm({**LINE, "text_zh": "{customer}您好，{agent}"})
    assert form.is_valid(), form.errors


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["text", "text_zh"])
def test_it_refuses_a_blank_nobody_can_fill_in_beside_its_field(field: str) -> None:
    form = CannedTextForm({**LINE, field: "Dear {name}"})
    assert list(form.errors) == [field]
    assert "“{name}” cannot be filled in. These can: {customer} {agent}" in str(form.errors[field])

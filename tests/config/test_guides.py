"""What README and the guides point at is there."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

PAGES = [settings.BASE_DIR / "README.md", *sorted((settings.BASE_DIR / "docs").glob("*.md"))]
NAMED = re.compile(r"`(/[a-z][^`]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_address_is_answered(page: Path) -> None:
    """A `…` stands for a token."""
    for address in NAMED.findall(page.read_text()):
        assert resolve(address.replace("…", "token/")), address

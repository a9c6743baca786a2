"""The desk on the home screen of a phone."""

import struct

import pytest
from django.contrib.staticfiles import finders
from django.test import Client


@pytest.fixture
def facts(client: Client) -> dict[str, object]:
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    return dict(answer.json())


def test_it_opens_my_work_in_a_window_of_its_own(facts: dict[str, object]) -> None:
    assert (facts["start_url"], facts["display"], facts["scope"]) == ("/desk/", "standalone", "/")


def test_each_icon_has_the_size_it_claims(facts: dict[str, object]) -> None:
    icons = facts["icons"]
    assert isinstance(icons, list)
    for icon in icons:
        path = finders.find(f"site/{icon['src'].rsplit('/', 1)[-1].split('.')[0]}.png")
        assert isinstance(path, str)
        with open(path, "rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:])
        assert icon["sizes"] == f"{width}x{height}"
    assert {icon["sizes"] for icon in icons} >= {"192x192", "512x512"}


def test_it_speaks_the_readers_language(client: Client) -> None:
    answer = client.get("/manifest.webmanifest", headers={"Accept-Language": "zh-CN"})
    assert answer.json()["lang"] == "zh-hans"


@pytest.mark.django_db
def test_every_page_names_it(client: Client) -> None:
    assert 'rel="manifest" href="/manifest.webmanifest"' in client.get("/login/").content.decode()

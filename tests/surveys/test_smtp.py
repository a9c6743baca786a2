import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from surveys.messages.smtp import Watched


@contextmanager
def server() -> Iterator[int]:
    """A port that says hello as a mail server does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *args: object, **kwargs: object) -> object:
        return found if host == "mail.example" else real(host, port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_it_tries_the_next_address_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as port:
        resolve_to(monkeypatch, "127.0.0.9", "127.0.0.1")
        connected = Watched()._get_socket("mail.example", port, 5)
        assert connected.getpeername() == ("127.0.0.1", port)
        connected.close()


def test_all_addresses_together_have_one_limit(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.DISPATCH_LEASE_SECONDS = 2  # so that the limit is half a second
    resolve_to(monkeypatch, *(f"127.0.1.{number}" for number in range(1, 6)))
    shares: list[float] = []

    def swallowed(self: Watched, host: str, address: str, port: int, seconds: float) -> object:
        shares.append(seconds)
        time.sleep(seconds)
        raise TimeoutError(address)

    monkeypatch.setattr(Watched, "_open", swallowed)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"127\.0\.1\.5"):
        Watched()._get_socket("mail.example", 25, 15)
    assert len(shares) == 5
    assert time.monotonic() - began < 2

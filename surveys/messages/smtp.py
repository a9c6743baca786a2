"""SMTP that knows how far the conversation came, and that ends in time however slowly the server talks."""

import contextlib
import smtplib
import socket
import threading
import time
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

from dispatch.failpoints import failpoint
from surveys.messages.providers.base import total_seconds


class Watched(smtplib.SMTP):
    data_began = False

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        ends = time.monotonic() + total_seconds()
        connected = self._reach(host, port, ends)
        left = max(0.1, ends - time.monotonic())
        connected.settimeout(timeout)
        # A timeout of the socket bounds one read; a server that drips a byte at a time would never reach it.
        self._alarm = threading.Timer(left, self._hang_up)
        self._alarm.daemon = True
        self._alarm.start()
        return connected

    def _reach(self, host: str, port: int, ends: float) -> Any:
        """One address after the other within one limit, each with its share of what is left."""
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(place[4][0] for place in places))
        trouble = OSError("no address")
        for number, address in enumerate(addresses):
            share = max(0.1, (ends - time.monotonic()) / (len(addresses) - number))
            try:
                return self._open(host, str(address), port, share)
            except OSError as error:
                trouble = error
        raise trouble

    def _open(self, host: str, address: str, port: int, seconds: float) -> Any:
        return super()._get_socket(address, port, seconds)  # type: ignore[misc]

    def _hang_up(self) -> None:
        if self.sock:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def data(self, msg: Any) -> Any:
        self.data_began = True
        return super().data(msg)

    def send(self, s: Any) -> None:
        """Commands are text; what comes in bytes is the message itself."""
        if not (self.data_began and isinstance(s, bytes)):
            super().send(s)
            return
        half = len(s) // 2
        super().send(s[:half])
        failpoint("request_half_sent")
        super().send(s[half:])

    def close(self) -> None:
        if hasattr(self, "_alarm"):
            self._alarm.cancel()
        super().close()


class WatchedOverTLS(Watched, smtplib.SMTP_SSL):
    pass


class WatchedBackend(EmailBackend):
    @property
    def connection_class(self) -> type[Watched]:
        return WatchedOverTLS if self.use_ssl else Watched

    @property
    def data_began(self) -> bool:
        return isinstance(self.connection, Watched) and self.connection.data_began

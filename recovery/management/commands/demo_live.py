from __future__ import annotations

import logging
import time
from random import Random
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from dispatch.clock import now
from recovery.demo import mailbox, visitor
from recovery.management.simulation.live import SECONDS, Town

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Receives the demo's mail where EMAIL_URL points, and lets customers and colleagues live."

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        town = Town(settings.PUBLIC_URL, Random(time.time_ns()))
        receiver = Controller(Receiver(town), hostname=settings.EMAIL_HOST, port=settings.EMAIL_PORT)
        receiver.start()
        try:
            visitor.ask(now())
            self.live(town)
        finally:
            receiver.stop()

    def live(self, town: Town) -> None:
        while True:
            time.sleep(SECONDS * town.rng.uniform(0.7, 1.3))
            close_old_connections()
            try:
                town.round(now())
            except OSError as error:
                log.info("the web process is not there: %s", error)
            except Exception:
                log.exception("a round of the demo failed")


class Receiver:
    """Takes every mail, keeps it as a file, and shows it to the town."""

    def __init__(self, town: Town) -> None:
        self.town = town

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        mail_id = mailbox.keep(content)
        mailbox.forget_the_oldest()
        opened = mailbox.open_mail(mail_id)
        if opened:
            self.town.received(opened.mail.address, opened.text)
        return "250 Kept"

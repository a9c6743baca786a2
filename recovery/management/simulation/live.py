"""The demo while it runs: customers answer by the page and the API, colleagues work, both slowly."""

from __future__ import annotations

import http.client
import json
import re
from collections import deque
from datetime import datetime, timedelta
from html import unescape
from random import Random
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.models import User

from recovery import lifecycle
from recovery.demo import facts, mailbox, visitor
from recovery.lifecycle import Refused
from recovery.management.simulation import words
from recovery.management.simulation.people import cause_at, pick
from recovery.management.simulation.world import TOUCHPOINTS
from recovery.models import Cause, Contact, StaffProfile, Ticket
from recovery.models.contact import HEARD
from recovery.models.ticket import WAITING
from surveys import invitations, scoring
from surveys.models import Customer, Invitation, Response, Survey

SECONDS = 8
PATIENCE = 5
MOST_OPEN, ENOUGH_OPEN, MOST_LOW_A_MINUTE = 60, 25, 3
# As in the history, in per cent: who opens the demo on another day sees no sudden change.
USUAL = {scoring.PROMOTER: 54, scoring.PASSIVE: 29, scoring.DETRACTOR: 17}
# Whoever opened the demo works as one of these: their tickets are left alone.
PLAYED = ("lina", "chen", "admin")
NONCE = re.compile(r'name="nonce" value="([^"]+)"')
SURVEYS = {"store": "relationship", "app": "relationship", "delivery": "delivery", "support": "support"}


class Town:
    """Customers and colleagues, a little of each at every `round`."""

    def __init__(self, base_url: str, rng: Random) -> None:
        self.base = urlsplit(base_url)
        self.rng = rng
        self.unanswered: deque[str] = deque(maxlen=50)
        self.low_at: deque[datetime] = deque()
        self.rounds = 0

    def received(self, address: str, content: str) -> None:
        """A mail came: other customers than the visitor will answer what it asks."""
        link = mailbox.survey_link(content)
        if link and not visitor.is_visitor(address):
            self.unanswered.append(link)

    def round(self, at: datetime) -> None:
        self.rounds += 1
        if self.rounds % 2:
            self.somebody_answers(at)
        else:
            self.somebody_is_asked(at)
        self.somebody_works(at)

    # --- Customers ---

    def somebody_answers(self, at: datetime) -> None:
        if self.unanswered and self.rng.random() < 0.75:
            self.answer_on_the_page(self.unanswered.popleft(), at)
        else:
            self.answer_by_api(at)

    def may_complain(self, at: datetime) -> bool:
        """Enough work, but no flood."""
        while self.low_at and self.low_at[0] < at - timedelta(minutes=1):
            self.low_at.popleft()
        return len(self.low_at) < MOST_LOW_A_MINUTE and Ticket.objects.in_work().count() < MOST_OPEN

    def band(self, at: datetime) -> str:
        band = pick(self.rng, USUAL)
        if band != scoring.DETRACTOR:
            return band
        if not self.may_complain(at):
            return scoring.PASSIVE
        self.low_at.append(at)
        return band

    def comment(self, band: str, touchpoint: str, lang: str) -> str:
        if band == scoring.DETRACTOR:
            return self.rng.choice(words.BY_CODE[cause_at(self.rng, touchpoint)].said[lang])
        pool = words.HIGH if band == scoring.PROMOTER else words.MIDDLE
        return self.rng.choice(pool[lang]) if self.rng.random() < 0.6 else ""

    def score(self, survey: Survey, band: str) -> int:
        scores = [each for each in range(survey.lowest, survey.highest + 1) if survey.band(each) == band]
        return self.rng.choice(scores)

    def answer_on_the_page(self, link: str, at: datetime) -> None:
        """Open the page a mail led to, and send it, as a browser would."""
        path = urlsplit(link).path
        page = self.http("GET", path)
        nonce = NONCE.search(page)
        scores = re.findall(r'name="score" value="(-?\d+)"', page)
        if nonce is None or not scores:
            return
        band = self.band(at)
        chosen = self.score_among([int(each) for each in scores], band)
        lang = words.ZH if 'lang="zh' in page else words.EN
        typed = {
            "nonce": unescape(nonce.group(1)),
            "score": str(chosen),
            "comment": self.comment(band, self.rng.choice(TOUCHPOINTS), lang),
        }
        self.http("POST", path, urlencode(typed), "application/x-www-form-urlencoded")

    def score_among(self, scores: list[int], band: str) -> int:
        """A score of about this band, from a page that names no bands."""
        lowest, highest = min(scores), max(scores)
        share = {scoring.DETRACTOR: (0.0, 0.35), scoring.PASSIVE: (0.7, 0.75), scoring.PROMOTER: (0.92, 1.0)}[
            band
        ]
        return round(lowest + (highest - lowest) * self.rng.uniform(*share))

    def answer_by_api(self, at: datetime) -> None:
        customer = self.any_customer()
        known = facts.read()
        if customer is None or known is None:
            return
        touchpoint = self.rng.choice(sorted(SURVEYS))
        survey = Survey.objects.filter(slug=SURVEYS[touchpoint]).first()
        if survey is None:
            return
        band = self.band(at)
        body = {
            "survey": survey.slug,
            "external_id": f"live-{at:%Y%m%d%H%M%S}-{self.rng.randrange(10_000)}",
            "customer": {"external_id": customer.external_id},
            "score": self.score(survey, band),
            "comment": self.comment(band, touchpoint, customer.locale),
            "touchpoint": touchpoint,
            "contact_me": band == scoring.DETRACTOR and self.rng.random() < 0.3,
        }
        self.http("POST", "/api/v1/responses/", json.dumps(body), "application/json", known.api_token)

    def somebody_is_asked(self, at: datetime) -> None:
        customer = self.any_customer()
        touchpoint = self.rng.choice(sorted(SURVEYS))
        survey = Survey.objects.filter(slug=SURVEYS[touchpoint]).first()
        if customer is not None and survey is not None:
            invitations.ask(customer, survey, at=at, purpose=Invitation.SURVEY, touchpoint=touchpoint)

    def any_customer(self) -> Customer | None:
        known = Customer.objects.filter(identities__kind="external_id", identities__value__startswith="C-")
        ids = list(known.order_by("pk").values_list("pk", flat=True))
        return Customer.objects.get(pk=self.rng.choice(ids)) if ids else None

    def http(self, method: str, path: str, body: str = "", kind: str = "", token: str = "") -> str:
        """The page's text. Raises OSError while the web process is not there."""
        secure = self.base.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        headers = {"Content-Type": kind} if kind else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = connect(self.base.hostname or "localhost", self.base.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body.encode() or None, headers)
            return connection.getresponse().read().decode(errors="replace")
        finally:
            connection.close()

    # --- Colleagues ---

    def somebody_works(self, at: datetime) -> None:
        """One step on one ticket, while there is more than enough to do."""
        if Ticket.objects.in_work().count() <= ENOUGH_OPEN or self.rng.random() < 0.4:
            return
        played = User.objects.filter(username__in=PLAYED)
        tickets = Ticket.objects.in_work().exclude(owner__in=played).exclude(status=WAITING)
        ids = list(tickets.order_by("pk").values_list("pk", flat=True)[:30])
        if not ids:
            return
        ticket = Ticket.objects.select_related("owner", "response").get(pk=self.rng.choice(ids))
        try:
            self.work_on(ticket, at)
        except Refused:
            return

    def work_on(self, ticket: Ticket, at: datetime) -> None:
        locale = locale_of(ticket.owner)
        heard = Contact.objects.filter(ticket=ticket, cycle=ticket.cycle, outcome__in=HEARD).exists()
        if not heard and ticket.customer_id:
            outcome = pick(self.rng, {"reached": 6, "no_answer": 3, "voicemail": 1})
            notes = words.REACHED_NOTES if outcome == "reached" else words.UNHEARD_NOTES
            note = self.rng.choice(words.fitting(notes, locale))
            lifecycle.log_contact(ticket, by=ticket.owner, at=at, outcome=outcome, note=note, book_next=True)
        elif self.rng.random() < 0.3:
            lifecycle.note(
                ticket,
                by=ticket.owner,
                at=at,
                text=self.rng.choice(words.fitting(words.INTERNAL_NOTES, locale)),
            )
        else:
            self.put_right(ticket, at)

    def put_right(self, ticket: Ticket, at: datetime) -> None:
        causes = {cause.code: cause for cause in Cause.objects.filter(active=True)}
        likely = [each for each in words.CAUSES if each.code in causes and each.done]
        if not likely:
            return
        said = next((each for each in likely if complains_of(each, ticket.response)), likely[-1])
        lifecycle.resolve(
            ticket,
            by=ticket.owner,
            at=at,
            cause_said=causes[said.code],
            cause_found=causes[said.code],
            what_was_done=self.rng.choice(words.fitting(said.done, locale_of(ticket.owner))),
        )


def locale_of(user: User) -> str:
    return str(StaffProfile.objects.filter(user=user).values_list("locale", flat=True).first() or words.EN)


def complains_of(cause: words.CauseWords, response: Response) -> bool:
    return any(response.comment in pool for pool in cause.said.values())

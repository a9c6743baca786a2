"""What we ask, whom, what they answered, and what we said to anyone."""

from surveys.models.consent import Consent
from surveys.models.customer import Account, Customer, CustomerIdentity
from surveys.models.invitation import Invitation, PublicLink
from surveys.models.message import DeliveryAttempt, Message, Refusal, Suppression
from surveys.models.response import Answer, Response, ResponseVersion, Source
from surveys.models.rules import Pace, SendingRules
from surveys.models.scale import FormerScale
from surveys.models.survey import Question, Survey

__all__ = [
    "Account",
    "Answer",
    "Consent",
    "Customer",
    "CustomerIdentity",
    "DeliveryAttempt",
    "FormerScale",
    "Invitation",
    "Message",
    "Pace",
    "PublicLink",
    "Question",
    "Refusal",
    "Response",
    "ResponseVersion",
    "SendingRules",
    "Source",
    "Suppression",
    "Survey",
]

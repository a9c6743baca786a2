"""What we ask, whom, what they answered, and what we said to anyone."""

from surveys.models.customer import Account, Customer, CustomerIdentity
from surveys.models.invitation import Invitation, PublicLink
from surveys.models.message import DeliveryAttempt, Message, Suppression
from surveys.models.response import Answer, Response, ResponseVersion, Source
from surveys.models.survey import Question, Survey

__all__ = [
    "Account",
    "Answer",
    "Customer",
    "CustomerIdentity",
    "DeliveryAttempt",
    "Invitation",
    "Message",
    "PublicLink",
    "Question",
    "Response",
    "ResponseVersion",
    "Source",
    "Suppression",
    "Survey",
]

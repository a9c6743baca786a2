"""JSON as the standard has it, of a bounded size; what cannot be read is the sender's error, never ours."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from recovery.api.problems import TooLarge
from surveys.api.strict import printable

MEGABYTE = 1024 * 1024


class Json(BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer
    limit = MEGABYTE

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises TooLarge, ParseError."""
        body = stream.read(self.limit + 1)
        if len(body) > self.limit:
            raise TooLarge(self.limit)
        try:
            return json.loads(
                body.decode("utf-8-sig"), parse_constant=refuse_constant, object_pairs_hook=each_name_once
            )
        except NamedTwice as error:
            raise ParseError(_("The body says “%(name)s” twice.") % {"name": error}) from None
        except UnicodeDecodeError:
            raise ParseError(_("The body is not UTF-8.")) from None
        except RecursionError:
            raise ParseError(_("The body is nested too deeply.")) from None
        except json.JSONDecodeError as error:
            raise ParseError(_("The body is not JSON: %(why)s.") % {"why": error}) from None
        except ValueError:
            raise ParseError(_("A number in the body is too long, or is none.")) from None


class BatchJson(Json):
    """A thousand responses with long comments fit in."""

    limit = 16 * MEGABYTE


class NamedTwice(ValueError):
    """An object has this name more than once: of two values, nobody knows which was meant."""


def each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises NamedTwice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NamedTwice(printable(name)[:60])
        found[name] = value
    return found


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)

"""Did the fix work: one initiative at a time, with equal spans before and after its day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.fixes import Fix, Span, View, fix, hurt_stories
from recovery.insight.fixes import behind as behind_span
from recovery.insight.recovery import Rate
from recovery.models import Initiative
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_behind import BEHIND_EACH, SAID
from recovery.views.insight_csv import Row, row, shares_of
from recovery.views.insight_file import as_file, dated, heads_of_shares
from recovery.views.insight_frame import page
from recovery.views.insight_pictures import Picture, bars_picture, rate_bar
from recovery.views.insight_slice import Asked
from recovery.views.tickets import number
from surveys.estimates import Difference

SHOWN: Final = ("fix_rate", "fix_known", "fix_hurt")
# What a span counts, and which span, as an address names them.
WITH_CAUSE, UNKNOWN, ALL = "cause", "unknown", "all"
BEFORE, SINCE = "before", "since"


@door.staff_page()
@require_safe
def show_fixes(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    initiatives = all_of_them(request)
    chosen = chosen_of(request, initiatives)
    context: dict[str, Any] = {
        "may_add": request.user.has_perm("recovery.add_initiative"),
        "initiatives": [
            {"row": each, "url": f"?{urlencode(own(asked, each))}", "chosen": each == chosen}
            for each in initiatives
        ],
    }
    if chosen is not None:
        found = fix(view_of(request, asked), chosen)
        context |= {
            "found": found,
            "sentences": sentences(found),
            "picture": picture_of(found),
            "table": table_of(found, asked),
            "hurt_url": behind_hurt(found, asked),
            "hurt_text": words.rate_words(found.hurt.recovered),
            "csv_url": f"{reverse('insight-fixes-csv')}?{urlencode(own(asked, chosen))}",
            "definitions_shown": [DEFINITIONS[code] for code in SHOWN],
        }
    return page(request, "insight_fixes", asked, "insight-fixes", **context)


@door.staff_page()
@require_safe
def export_fixes(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    chosen = chosen_of(request, all_of_them(request))
    rows = csv_rows(fix(view_of(request, asked), chosen)) if chosen else []
    return as_file(dated("fix", asked), heads_of_shares(), rows)


def all_of_them(request: HttpRequest) -> list[Initiative]:
    """Those of a team only for who sees the team."""
    return list(access.visible_initiatives(door.teams_of(request)))


def chosen_of(request: HttpRequest, initiatives: list[Initiative]) -> Initiative | None:
    """The one asked for, else the latest."""
    wanted = number(door.asked(request, "initiative"))
    return next((each for each in initiatives if each.pk == wanted), next(iter(initiatives), None))


def view_of(request: HttpRequest, asked: Asked) -> View:
    everything = access.sees_everything(access.role_of(request.user))
    return View(asked.seen, everything, asked.at, asked.as_of is not None)


def own(asked: Asked, initiative: Initiative) -> dict[str, str]:
    stood = {"as_of": f"{asked.as_of_day}"} if asked.as_of else {}
    return {"initiative": str(initiative.pk), **stood}


# --- words --------------------------------------------------------------------------------------------------


def sentences(found: Fix) -> list[str]:
    """The comparison, how far it can be trusted, and what those it had hurt answered since."""
    if found.before is None or found.after is None:
        return [gettext("It has no whole day behind it yet: there is nothing to compare.")]
    return [each for each in (compared_words(found), unknown_words(found)) if each]


def compared_words(found: Fix) -> str:
    assert found.before is not None
    assert found.after is not None
    cause = found.initiative.cause
    ours, theirs, change = found.after.of_answers, found.before.of_answers, found.of_answers
    said = gettext("Low scores for “{cause}”: {after} of all answers since, {before} before: {change}.")
    if ours is None or theirs is None:
        ours, theirs, change = found.after.of_known, found.before.of_known, found.of_known
        said = gettext(
            "“{cause}” is the cause of {after} of the low scores whose cause is known since, {before} before:"
            " {change}."
        )
    return said.format(
        cause=cause,
        after=words.rate_words(ours),
        before=words.rate_words(theirs),
        change=words.difference_words(change) if change else gettext("too few to compare"),
    )


def unknown_words(found: Fix) -> str:
    """What the tickets without a cause could still change."""
    after = found.after
    if after is None or not after.unknown:
        return ""
    facts = {"low": f"{after.low:,}", "unknown": f"{after.unknown:,}"}
    if found.of_answers is None or found.of_answers.interval.high >= 0:
        return gettext("Of the {low} low scores since, the cause of {unknown} is not known yet.").format(
            **facts
        )
    if found.holds_at_most:
        return gettext(
            "Of the {low} low scores since, the cause of {unknown} is not known yet; even if it were this one"
            " for all of them, it would be clearly fewer."
        ).format(**facts)
    return gettext(
        "Of the {low} low scores since, the cause of {unknown} is not known yet; if it were this one for all"
        " of them, it would not be clearly fewer."
    ).format(**facts)


def period_words(span: Span) -> str:
    return gettext("{first} to {last}").format(
        first=date_format(span.first, "DATE_FORMAT"), last=date_format(span.last, "DATE_FORMAT")
    )


def change_words(change: Difference | None) -> str:
    return words.difference_words(change) if change else "–"


# --- the table, what stands behind it, the picture and the file ---------------------------------------------


def table_of(found: Fix, asked: Asked) -> dict[str, Any] | None:
    before, after = found.before, found.after
    if before is None or after is None:
        return None
    shares = [
        (gettext("of all answers"), before.of_answers, after.of_answers, found.of_answers),
        (gettext("of the low scores whose cause is known"), before.of_known, after.of_known, found.of_known),
    ]
    counts = [
        (gettext("Low scores with this cause"), before.with_cause, after.with_cause, WITH_CAUSE),
        (gettext("Low scores whose cause is not known yet"), before.unknown, after.unknown, UNKNOWN),
        (gettext("All low scores"), before.low, after.low, ALL),
    ]
    return {
        "before": period_words(before),
        "after": period_words(after),
        "counts": [
            (name, linked(ours, before, found, asked, what), linked(theirs, after, found, asked, what))
            for name, ours, theirs, what in counts
        ],
        "shares": [
            (name, with_counts(ours), with_counts(theirs), change_words(change))
            for name, ours, theirs, change in shares
            if ours is not None and theirs is not None
        ],
    }


def with_counts(rate: Rate) -> str:
    if rate.share is None:
        return words.counts_words(rate)
    return f"{words.rate_words(rate)} · {words.counts_words(rate)}"


def linked(count: int, span: Span, found: Fix, asked: Asked, what: str) -> tuple[int, str]:
    """A count and where its tickets are listed, whichever teams the reader may filter by."""
    initiative = found.initiative
    side = SINCE if span is found.after else BEFORE
    query = {"behind": f"fix.{initiative.pk}.{side}.{what}", "from": f"{span.first}", "to": f"{span.last}"}
    if initiative.survey_id:
        query["survey"] = f"{initiative.survey_id}"
    if asked.as_of:
        query["as_of"] = f"{asked.as_of_day}"
    return count, f"{reverse('insight-tickets')}?{urlencode(query)}"


def behind_hurt(found: Fix, asked: Asked) -> str:
    query = {"behind": f"hurt.{found.initiative.pk}"}
    if asked.as_of:
        query["as_of"] = f"{asked.as_of_day}"
    return f"{reverse('insight-tickets')}?{urlencode(query)}"


def seen_one(asked: Asked, which: str) -> Initiative | None:
    teams = [team.pk for team in asked.teams]
    return access.visible_initiatives(teams).filter(pk=number(which)).first()


def seen_at(asked: Asked) -> View:
    return View(asked.seen, False, asked.at, asked.as_of is not None)


def hurt_tickets(asked: Asked, which: str) -> Iterable[int]:
    initiative = seen_one(asked, which)
    if initiative is None:
        return []
    return [story.ticket for story in hurt_stories(seen_at(asked), initiative)]


def span_tickets(asked: Asked, which: str) -> Iterable[int]:
    """`<initiative>.<before or since>.<what is counted>`."""
    ident, side, what = (*which.split("."), "", "", "")[:3]
    initiative = seen_one(asked, ident)
    if initiative is None or side not in (BEFORE, SINCE) or what not in (WITH_CAUSE, UNKNOWN, ALL):
        return []
    wanted: dict[str, list[int | None] | None] = {
        WITH_CAUSE: [initiative.cause_id],
        UNKNOWN: [None],
        ALL: None,
    }
    rows = behind_span(seen_at(asked), initiative, since=side == SINCE, causes=wanted[what])
    return rows.order_by().values_list("pk", flat=True)


def span_words(which: str) -> str:
    what = which.rpartition(".")[2]
    if what == WITH_CAUSE:
        return gettext("Low scores with this cause")
    return gettext("no cause known yet") if what == UNKNOWN else ""


BEHIND_EACH["fix"] = span_tickets
SAID["fix"] = span_words
BEHIND_EACH["hurt"] = hurt_tickets
SAID["hurt"] = lambda _which: gettext("let down by the cause before, first asked again since")


def picture_of(found: Fix) -> Picture | None:
    """Both spans as bars; None where there is nothing to draw as a share."""
    pairs = [(gettext("before"), found.before), (gettext("since"), found.after)]
    rates = [
        (name, span.of_known if span.of_answers is None else span.of_answers)
        for name, span in pairs
        if span is not None
    ]
    bars = [rate_bar(name, rate) for name, rate in rates if rate.share is not None]
    if len(bars) < 2:
        return None
    title = gettext("Low scores because of “{cause}”, before and since").format(cause=found.initiative.cause)
    return bars_picture(bars, title, "fix")


def csv_rows(found: Fix) -> Iterable[Row]:
    """Shares are fractions of 1; each row names its days."""
    name = found.initiative.title
    for span in (found.before, found.after):
        if span is None:
            continue
        days = f"{span.first} – {span.last}"
        yield row("fix_known", gettext("All low scores"), by=name, whom=days, count=span.low)
        unknown = gettext("Low scores whose cause is not known yet")
        yield row("fix_known", unknown, by=name, whom=days, count=span.unknown, of=span.low)
        for code, label, rate in (
            ("fix_rate", gettext("of all answers"), span.of_answers),
            ("fix_known", gettext("of the low scores whose cause is known"), span.of_known),
        ):
            if rate is not None:
                shares = shares_of(rate.share, rate.interval)
                yield row(code, label, by=name, whom=days, count=rate.hits, of=rate.n, shares=shares)
    for code, change in (("fix_rate", found.of_answers), ("fix_known", found.of_known)):
        if change is not None:
            shares = shares_of(change.value, change.interval)
            yield row(code, gettext("difference"), by=name, shares=shares)
    since = found.hurt.recovered
    shares = shares_of(since.share, since.interval)
    yield row("fix_hurt", gettext("recovered"), by=name, count=since.hits, of=since.n, shares=shares)

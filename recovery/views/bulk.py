"""One act on many tickets of the board: each by itself, in a transaction of its own, with its own result.

A run is signed and kept by the page, not the server: what is to be done, what is left, and what became of the
rest. It goes on by fifty at a time, so that it can be watched and stopped; doing the same fifty again is
refused ticket by ticket, because their versions have moved on.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from django.core import signing
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from dispatch.clock import now
from recovery import access, forms
from recovery.insight import standing
from recovery.views import door
from recovery.views.board_acts import AS_IT_IS, Result, do_one
from recovery.views.picked import Picked
from recovery.views.rows import nearest_first
from recovery.views.tickets import number as number_of

AT_ONCE: Final = 50
MOST: Final = 1000
GIVEN: Final = ("owner", "kind", "minutes", "priority", "reason")
RUN_SALT, LIST_SALT = "recovery.bulk.run", "recovery.bulk.list"
AN_HOUR: Final = 3600
# Why one was refused that has to be looked at before anybody tries again.
CHANGED: Final = ("stale", "left_the_list")

supervisors = door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)


@dataclass
class Run:
    """`left` are numbers with the versions they were seen in; `picked` is the list they were all of, until it
    was asked again; `back` is the query of the page the run came from; `again` are those of the refused that
    can be tried again, as `left`."""

    user: int
    do: str
    given: dict[str, str]
    left: list[list[Any]]
    results: list[list[str]] = field(default_factory=list)
    back: str = ""
    picked: dict[str, Any] | None = None
    again: list[list[Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.left) + len(self.results)

    @property
    def shown(self) -> list[Result]:
        return [Result(*each) for each in self.results]

    @property
    def done(self) -> int:
        return sum(each.done for each in self.shown)

    @property
    def refused(self) -> list[Result]:
        return [each for each in self.shown if not each.done]

    @property
    def changed(self) -> int:
        return sum(each.code in CHANGED for each in self.shown)

    def add(self, result: Result, version: int) -> None:
        self.results.append([result.number, result.customer, result.code, result.why])
        if not result.done and result.code not in CHANGED:
            self.again.append([result.number, version])

    def retried(self) -> Run:
        """The same with the refused alone, in the versions they were seen in."""
        return Run(self.user, self.do, self.given, self.again, back=self.back)

    def signed(self) -> str:
        return signing.dumps(asdict(self), salt=RUN_SALT, compress=True)


def signed_list(request: HttpRequest, picked: Picked) -> str:
    """All rows of a list, described so that nobody else can use it and nobody can change it."""
    told = {"user": door.staff(request).pk, **picked.told()}
    return signing.dumps(told, salt=LIST_SALT)


def unsigned(request: HttpRequest, text: str, salt: str) -> dict[str, Any]:
    """Raises BadRequest for what this person was not given within the hour."""
    try:
        told: dict[str, Any] = signing.loads(text, salt=salt, max_age=AN_HOUR)
    except signing.BadSignature as error:
        raise BadRequest(gettext("This page is too old. Go back to the list and begin again.")) from error
    if told["user"] != door.staff(request).pk:
        raise BadRequest(gettext("This page was made for somebody else."))
    return told


@require_POST
@supervisors
def act_on_many(request: HttpRequest) -> HttpResponse:
    """The ticked tickets at once; all of a list, or many, after a page that says how many."""
    form = form_of(request, request.POST)
    ticked = dict(known(each) for each in request.POST.getlist("ticket"))
    every = request.POST.get("every", "")
    if not form.is_valid() or not (ticked or every):
        return ask_again(request, form, nothing=not (ticked or every))
    run = begun(request, [list(each) for each in ticked.items()])
    if every:
        told = unsigned(request, every, LIST_SALT)
        told.pop("user")
        run.picked, run.left = told, all_of(request, Picked(**told), now())
    if run.total > MOST:
        return ask_again(request, form, too_many=True)
    if every or run.total > AT_ONCE:
        return render(request, "recovery/bulk_confirm.html", {"run": run, "form": form})
    return go_on(request, run, form.cleaned_data)


def known(ticked: str) -> tuple[str, int]:
    """The number of a ticked ticket, and the version it was ticked in."""
    number, _colon, version = ticked.partition(":")
    return number, number_of(version) or AS_IT_IS


def form_of(request: HttpRequest, data: Any) -> forms.BulkForm:
    return forms.BulkForm(access.colleagues_of(door.teams_of(request)), data)


def begun(request: HttpRequest, left: list[list[Any]]) -> Run:
    given = {name: request.POST.get(name, "") for name in GIVEN}
    back = request.POST.get("back", "")
    return Run(door.staff(request).pk, request.POST["do"], given, left, back=back)


def all_of(request: HttpRequest, picked: Picked, at: datetime) -> list[list[Any]]:
    """Numbers and versions of a list as it stands now, one more than allowed at most."""
    measured = standing.measure(door.teams_of(request), at)
    rows = nearest_first(picked.rows(door.seen_by(request), measured))
    return [list(row) for row in rows.values_list("number", "version")[: MOST + 1]]


def ask_again(
    request: HttpRequest, form: forms.BulkForm, *, nothing: bool = False, too_many: bool = False
) -> HttpResponse:
    """Nothing was changed: why not, with everything typed and ticked."""
    context = {
        "form": form.needing(request.POST.get("do", "")),
        "nothing": nothing,
        "too_many": too_many,
        "most": MOST,
        "ticked": request.POST.getlist("ticket"),
        "every": request.POST.get("every", ""),
        "do": request.POST.get("do", ""),
        "back": request.POST.get("back", ""),
    }
    return render(request, "recovery/bulk_again.html", context, status=422)


@require_POST
@supervisors
def run_on(request: HttpRequest) -> HttpResponse:
    """The next fifty of a run, or its end where somebody stopped it."""
    run = Run(**unsigned(request, request.POST.get("run", ""), RUN_SALT))
    if request.POST.get("stop"):
        return stopped(request, run)
    form = form_of(request, {"do": run.do, **run.given})
    if not form.is_valid():  # whom it was to go to may have left meanwhile
        return stopped(request, run)
    if run.picked is not None:
        set_aside(request, run)
    return go_on(request, run, form.cleaned_data)


def set_aside(request: HttpRequest, run: Run) -> None:
    """Of all of a list, what has left it since the page that asked."""
    assert run.picked is not None
    present = {number for number, _version in all_of(request, Picked(**run.picked), now())}
    for number, version in run.left:
        if number not in present:
            words = gettext("It stands in this list no longer.")
            run.add(Result(number, "", "left_the_list", words), version)
    run.left = [each for each in run.left if each[0] in present]
    run.picked = None


def go_on(request: HttpRequest, run: Run, values: dict[str, Any]) -> HttpResponse:
    at, user = now(), door.staff(request)
    for number, version in run.left[:AT_ONCE]:
        run.add(do_one(user, number, version, values, at), version)
    run.left = run.left[AT_ONCE:]
    name = "recovery/bulk_running.html" if run.left else "recovery/bulk.html"
    return render(request, name, {"run": run})


def stopped(request: HttpRequest, run: Run) -> HttpResponse:
    for number, version in run.left:
        run.add(Result(number, "", "stopped", gettext("Not tried: the run was stopped.")), version)
    run.left = []
    return render(request, "recovery/bulk.html", {"run": run})


@require_POST
@supervisors
def as_csv(request: HttpRequest) -> HttpResponse:
    """The results of a run as a table."""
    run = Run(**unsigned(request, request.POST.get("run", ""), RUN_SALT))
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="results.csv"'
    table = csv.writer(response)
    table.writerow([_("Ticket"), _("Customer"), _("Result"), _("Why")])
    for each in run.shown:
        word = gettext("done") if each.done else gettext("refused")
        table.writerow([each.number, harmless(each.customer), word, each.why])
    return response


def harmless(text: str) -> str:
    """A name that a spreadsheet would take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

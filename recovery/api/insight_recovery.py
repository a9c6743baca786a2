"""Did it work, as JSON: the numbers of the report, of the same rows, with the same words."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.access import visible_to
from recovery.api.insight import (
    PARAMETERS_SHOWN,
    Insight,
    Shown,
    asked,
    define,
    ends_of,
    shown_difference,
    shown_rate,
)
from recovery.api.insight_hold_out import shown_hold_outs
from recovery.insight.cohort import STATES
from recovery.insight.groups import KEYS, code_of, groups_of, names_of
from recovery.insight.recovery import COLUMNS, Dose, Group, Ranking, Rate, Recovery, dose, recovery
from recovery.insight.told import WAIT


class RecoveryView(Insight):
    @extend_schema(
        operation_id="insight_recovery",
        summary="Did it work: reached, asked, answered, recovered, lasting, against those nobody reached",
        parameters=PARAMETERS_SHOWN,
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request)
        kept = self.kept(question)
        told = kept.counted(WAIT)
        return Response(
            {
                **question.said,
                "at": question.at.isoformat(),
                **shown_recovery(recovery(told)),
                "hold_outs": shown_hold_outs(question, visible_to(request.user)),
                "dose": shown_dose(dose(told)),
                "groups": {by: shown_groups(groups_of(kept, by), by) for by in KEYS},
                "method": {name: define(name) for name in ("few", "as_of", "segment")},
            }
        )


def shown_recovery(found: Recovery) -> Shown:
    return {
        "low_scores": {"count": found.size, "definition": define("cohort")},
        "reached": {**shown_rate(found.reached, "reached"), "reached_later": found.reached_later},
        "asked": shown_rate(found.asked, "asked"),
        "responded": shown_rate(found.responded, "responded"),
        "recovered": {column: shown_rate(found.recovered(column), "recovered") for column in COLUMNS},
        "converted": {column: shown_rate(found.converted(column), "converted") for column in COLUMNS},
        "lasting": shown_rate(found.lasting, "lasting"),
        "unanswered": shown_rate(Rate(found.unanswered, found.size), "unanswered"),
        "bounds": {**ends_of(found.bounds), "definition": define("bounds")},
        "comparison": shown_comparison(found),
        "columns": {column: define(column) for column in COLUMNS},
        "outcomes": {column: {state: found.columns[column][state] for state in STATES} for column in COLUMNS},
        "flow": [
            {"reached": reached, "stage": stage, "next": state, "count": number}
            for (reached, stage, state), number in sorted(found.flow.items())
        ],
        "not_asked": [
            {"reason": reason, "count": number} for reason, number in found.why_not_asked.most_common()
        ],
    }


def shown_comparison(found: Recovery) -> Shown:
    return {
        "reached": shown_rate(found.recovered_among(reached=True), "recovered_among"),
        "not_reached": shown_rate(found.recovered_among(reached=False), "recovered_among"),
        **shown_difference(found.difference),
        "randomised": False,
        "definition": define("difference"),
    }


def shown_dose(found: Dose) -> Shown:
    """The classes of waiting from the shortest on; the difference is that from one class to the next."""
    return {
        "classes": [
            {"waited": wait, **shown_rate(rate, "recovered")} for wait, rate in found.recovered.items()
        ],
        "per_step": shown_difference(found.per_step),
        "randomised": False,
        "definition": define("dose"),
    }


def shown_groups(found: Ranking, by: str) -> list[Shown]:
    """The ranked ones first; of the small ones only the counts are given."""
    names = names_of(by, [group.key for group in found])
    return [
        *(shown_group(group, names(group.key), is_ranked=True) for group in found.ranked),
        *(shown_group(group, names(group.key), is_ranked=False) for group in found.small),
    ]


def shown_group(group: Group, name: str, *, is_ranked: bool) -> Shown:
    rate = shown_rate(group.recovered, "recovered")
    if not is_ranked:
        rate |= {"share": None, "low": None, "high": None, "definition": define("few")}
    return {
        "code": code_of(group.key),
        "name": name,
        "low_scores": group.size,
        "reached": group.reached,
        "is_ranked": is_ranked,
        "recovered": rate,
        "to_all_others": {
            **shown_difference(group.difference),
            "may_be_chance": group.may_be_chance,
            "definition": define("group_difference"),
        },
    }

"""What the simulated firm asks: three surveys of different kinds, in both languages."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects

from surveys.models import Question, Survey

RECOMMEND = ("How likely are you to recommend us?", "您有多大可能向朋友推荐我们？")
RECOMMEND_ENDS = ("not at all likely", "完全不可能", "extremely likely", "非常可能")
SATISFIED = ("How satisfied were you with our help?", "您对我们的服务满意吗？")
SATISFIED_ENDS = ("very dissatisfied", "非常不满意", "very satisfied", "非常满意")
EASY = ("We made it easy to get my order.", "收到商品的过程很轻松。")
EASY_ENDS = ("strongly disagree", "完全不同意", "strongly agree", "完全同意")

DRIVERS = {
    "staff": ("Our people", "员工"),
    "speed": ("Speed", "速度"),
    "product": ("Goods", "商品"),
    "price": ("Price", "价格"),
    "delivery": ("Delivery", "送货"),
    "information": ("Information", "信息"),
    "app": ("App and website", "应用和网站"),
}


def make_surveys() -> dict[str, Survey]:
    relationship = make_survey(
        "relationship", "Recommendation", "推荐意愿", RECOMMEND, RECOMMEND_ENDS,
        ("staff", "product", "price", "speed"), (Question.EXPECTED, Question.IMPORTANCE), cooldown_days=60,
    )  # fmt: skip
    support = make_survey(
        "support", "After a service call", "客服回访", SATISFIED, SATISFIED_ENDS,
        ("staff", "speed", "information"),
        kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4, cooldown_days=14, answer_days=10,
    )  # fmt: skip
    delivery = make_survey(
        "delivery", "After a delivery", "送货回访", EASY, EASY_ENDS, ("delivery", "product", "information"),
        kind="ces", lowest=1, highest=7, low_cut=3, high_cut=5, cooldown_days=14, answer_days=10,
    )  # fmt: skip
    return {each.slug: each for each in (relationship, support, delivery)}


def make_survey(
    slug: str,
    name: str,
    name_zh: str,
    score: tuple[str, str],
    ends: tuple[str, str, str, str],
    drivers: tuple[str, ...],
    beside: tuple[str, ...] = (),
    **fields: Any,
) -> Survey:
    survey = Survey.objects.create(slug=slug, name=name, name_zh=name_zh, **{"line": slug, **fields})
    low, low_zh, high, high_zh = ends
    rows = [
        Question(key="score", kind=Question.SCORE, text=score[0], text_zh=score[1], low_label=low,
                 low_label_zh=low_zh, high_label=high, high_label_zh=high_zh),
        Question(key="why", kind=Question.WHY, text="Why this score?", text_zh="为什么打这个分？"),
    ]  # fmt: skip
    rows += [
        Question(key=key, kind=Question.RATING, text=DRIVERS[key][0], text_zh=DRIVERS[key][1])
        for key in drivers
    ]
    rows += [
        Question(key=f"{key}-{asks}", kind=Question.RATING, driver=key, asks=asks, text=DRIVERS[key][0],
                 text_zh=DRIVERS[key][1])
        for asks in beside
        for key in drivers
    ]  # fmt: skip
    rows.append(
        Question(key="contact", kind=Question.CONTACT_ME, text="Please contact me", text_zh="请联系我")
    )
    for position, row in enumerate(rows):
        row.survey, row.position = survey, position
    Question.objects.bulk_create(rows)
    prefetch_related_objects([survey], "questions")
    return survey

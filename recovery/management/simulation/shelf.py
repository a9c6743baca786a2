"""What stands ready on the desk of the simulated firm: playbooks, texts, departments and goodwill."""

from __future__ import annotations

from decimal import Decimal

from recovery.models import (
    Calendar,
    CannedText,
    Cause,
    Department,
    GoodwillBudget,
    GoodwillKind,
    GoodwillLimit,
    NextIssue,
    Playbook,
    PlaybookStep,
    Team,
)

# Cause; name, guide and steps in English and Chinese.
PLAYBOOKS = (
    (
        "late_delivery",
        ("Late delivery", "送货晚了"),
        (
            "They waited at home and nobody told them. Say sorry for the wait before you explain anything.",
            "客户在家空等，也没有人通知。先为等待道歉，再说明原因。",
        ),
        (
            ("Say sorry for the wait, not for the inconvenience", "为让客户久等道歉，不要说“给您带来不便”"),
            ("Ask what the delay broke for them", "询问延误给客户造成了什么影响"),
            ("Give a new slot and who brings it", "约定新的时间，并告知由谁配送"),
            ("Check: is the delivery fee refunded?", "检查：运费是否已退？"),
        ),
    ),
    (
        "damaged_goods",
        ("Damaged goods", "商品破损"),
        (
            "Nobody has to prove anything twice: if there are photos, do not ask for more.",
            "不让客户重复举证：已有照片就不要再要。",
        ),
        (
            ("Replace or refund: let them choose", "换货或退款，由客户选择"),
            ("Book the collection on the same call", "在同一通电话里约好取件"),
            ("Tell the warehouse how it was packed", "把包装情况告诉仓库"),
        ),
    ),
)
# Cause, what it usually brings, what to settle at once.
NEXT_ISSUES = (
    ("late_delivery", "wrong_bill", "Look at the invoice: is the express fee still on it?",
     "看一下账单：加急费是否还在？"),
    ("damaged_goods", "late_delivery", "Promise a slot for the replacement, not only that it will come.",
     "约定换货送达的时间，而不是只说会送。"),
)  # fmt: skip
# Name, channel, cause, text.
TEXTS = (
    (
        ("Sorry for the wait", "为久等致歉"),
        "email",
        "late_delivery",
        (
            "Dear {customer},\n\nyou waited and nobody told you why. That was wrong, and I am sorry. "
            "I will call you by {due} and bring a new time with me.\n\n{agent}, {team}",
            "{customer}您好：\n\n让您久等，又没有及时告知，非常抱歉。"
            "我会在{due}之前致电给您，并带上新的时间安排。\n\n{team} {agent}",
        ),
    ),
    (
        ("Could not reach you", "未能联系到您"),
        "sms",
        None,
        (
            "{customer}, I tried to call you about {number} and will try again. {agent}",
            "{customer}您好，关于{number}我刚刚致电未能联系到您，稍后会再打给您。{agent}",
        ),
    ),
)
# Name, minutes it may take, calendar.
DEPARTMENTS = (
    (("Warehouse", "仓库"), "warehouse", 240, "Shanghai stores"),
    (("Billing", "财务"), "billing", 480, "Shanghai office"),
    (("Carrier London", "伦敦承运"), "carrier", 240, "London"),
)
GOODWILL = ((("Voucher", "代金券"), 20), (("Delivery fee back", "退运费"), 8), (("Flowers", "鲜花"), 35))
LIMITS = (("agent", 30), ("supervisor", 200), ("administrator", 2000))
MONTHLY = 1500


def stock(causes: dict[str, Cause], calendars: dict[str, Calendar], teams: dict[str, Team]) -> None:
    for code, names, guides, steps in PLAYBOOKS:
        book = Playbook.objects.create(name=names[0], name_zh=names[1], guide=guides[0], guide_zh=guides[1])
        PlaybookStep.objects.bulk_create(
            PlaybookStep(playbook=book, position=place, text=text, text_zh=text_zh)
            for place, (text, text_zh) in enumerate(steps, start=1)
        )
        Cause.objects.filter(pk=causes[code].pk).update(playbook=book)
    NextIssue.objects.bulk_create(
        NextIssue(cause=causes[code], follows=causes[follows], tip=tip, tip_zh=tip_zh)
        for code, follows, tip, tip_zh in NEXT_ISSUES
    )
    CannedText.objects.bulk_create(
        CannedText(
            name=names[0],
            name_zh=names[1],
            channel=channel,
            cause=causes[code] if code else None,
            text=texts[0],
            text_zh=texts[1],
        )
        for names, channel, code, texts in TEXTS
    )
    Department.objects.bulk_create(
        Department(
            name=names[0],
            name_zh=names[1],
            email=f"{box}@departments.example",
            lead_email=f"{box}.lead@departments.example",
            minutes=minutes,
            calendar=calendars[hours],
        )
        for names, box, minutes, hours in DEPARTMENTS
    )
    stock_goodwill(teams)


def stock_goodwill(teams: dict[str, Team]) -> None:
    GoodwillKind.objects.bulk_create(
        GoodwillKind(name=names[0], name_zh=names[1], usual_cost=Decimal(cost)) for names, cost in GOODWILL
    )
    GoodwillLimit.objects.bulk_create(GoodwillLimit(role=role, cost=Decimal(cost)) for role, cost in LIMITS)
    GoodwillBudget.objects.bulk_create(
        GoodwillBudget(team=team, monthly=Decimal(MONTHLY)) for team in teams.values()
    )

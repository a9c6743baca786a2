"""What people of the simulated history say and write, in both languages. Plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CauseWords:
    """One cause: its names, where it happens and how often, what customers write and what helped."""

    code: str
    name: str
    name_zh: str
    driver: str
    weights: dict[str, int] = field(default_factory=dict)
    said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    done: tuple[str, ...] = ()


EN, ZH = "en", "zh-hans"
Pool = dict[str, tuple[str, ...]]

CAUSES = (
    CauseWords(
        "late_delivery",
        "Late delivery",
        "送货晚了",
        "delivery",
        {"delivery": 9, "app": 1},
        {
            EN: (
                "Two days late, and nobody told me until I called.",
                "I took the afternoon off for the delivery. It came the next morning.",
                "The slot was 9 to 11. The van came at half past six.",
                "Third time in a row that the parcel is late.",
                "Tracking said delivered. It arrived a day later.",
            ),
            ZH: (
                "送货晚了两天，也没有人通知我。",
                "约好上午送到，结果等到晚上七点多。",
                "物流一直显示派送中，打电话也没人接。",
                "请了半天假在家等，最后说明天再送。",
                "已经是第三次晚到了，每次都说抱歉。",
            ),
        },
        (
            "Called, apologised, refunded the delivery fee and gave the driver's direct line.",
            "致电道歉，退还运费，并改为次日上午优先派送。",
            "Found the parcel at the depot and brought it the same evening.",
        ),
    ),
    CauseWords(
        "damaged_goods",
        "Goods arrived damaged",
        "商品破损",
        "product",
        {"delivery": 4, "store": 1},
        {
            EN: (
                "The box was crushed and two of the glasses were broken.",
                "Scratched on arrival. I had to send photos three times.",
                "Wet packaging, the paper inside was ruined.",
            ),
            ZH: (
                "箱子压扁了，里面碎了两只杯子。",
                "收到的时候外包装全湿了，东西没法用。",
                "柜门有划痕，拍了三次照片才受理。",
            ),
        },
        (
            "Sent a replacement by courier, no return needed.",
            "免费补发新品，破损件不用退回。",
            "Refunded the damaged part and reported the packing line.",
        ),
    ),
    CauseWords(
        "unfriendly_staff",
        "Unfriendly staff",
        "员工态度不好",
        "staff",
        {"store": 6, "support": 3, "delivery": 1},
        {
            EN: (
                "The lady at the counter rolled her eyes at my question.",
                "I felt like I was disturbing them.",
                "He hung up on me in the middle of a sentence.",
            ),
            ZH: (
                "店员态度很冷淡，问什么都不耐烦。",
                "客服说话很冲，还没说完就挂了。",
                "感觉我是去求他们办事的。",
            ),
        },
        (
            "Listened, apologised, and spoke with the colleague and the shop manager.",
            "店长亲自致电道歉，并安排当班同事接受辅导。",
        ),
    ),
    CauseWords(
        "long_wait",
        "Waited too long",
        "等待太久",
        "speed",
        {"store": 6, "support": 6},
        {
            EN: (
                "Forty minutes in the queue, then the line was cut.",
                "Only one till open on a Saturday afternoon.",
                "I waited half an hour for somebody to open the cabinet.",
            ),
            ZH: (
                "排了四十分钟的队，只开一个窗口。",
                "电话等了半个小时，最后断线了。",
                "周末人很多，没有人维持秩序。",
            ),
        },
        (
            "Handled the request on the call and booked an appointment for the next visit.",
            "电话中直接办妥，并为客户预约了免排队时段。",
        ),
    ),
    CauseWords(
        "no_reply",
        "Nobody got back",
        "没有人回复",
        "speed",
        {"support": 6, "app": 2, "billing": 3},
        {
            EN: (
                "Three mails and not one answer. Nobody called.",
                "I was promised a call on Monday. It is Friday.",
                "My case was closed without anybody talking to me.",
            ),
            ZH: (
                "发了三封邮件都没有人回。",
                "说好周一回电，到周五也没有打来。",
                "问题没解决就被关闭了，没人联系过我。",
            ),
        },
        (
            "Called back, took the case over in person and stayed with it until it was done.",
            "专人跟进，当天给出答复，并留下直接联系方式。",
        ),
    ),
    CauseWords(
        "wrong_bill",
        "Wrong bill",
        "账单有误",
        "price",
        {"billing": 10, "support": 1},
        {
            EN: (
                "Charged twice for the same order.",
                "The discount you advertised is not on the invoice.",
                "You billed a service I cancelled in spring.",
            ),
            ZH: (
                "同一笔订单扣了两次款。",
                "发票上没有承诺的优惠。",
                "早就取消的服务还在收费。",
            ),
        },
        (
            "Corrected the invoice, refunded the difference, confirmed by mail.",
            "更正账单并退回差额，邮件确认到账时间。",
        ),
    ),
    CauseWords(
        "app_failure",
        "App or website failed",
        "应用或网站故障",
        "app",
        {"app": 10},
        {
            EN: (
                "The app logged me out in the middle of paying.",
                "The voucher code is refused every time.",
                "Cannot change my address, the button does nothing.",
            ),
            ZH: (
                "付款的时候应用闪退，订单也没了。",
                "优惠码怎么都用不了。",
                "改不了地址，点了没反应。",
            ),
        },
        (
            "Placed the order for the customer and reported the fault with its steps.",
            "人工代为下单，并把故障步骤转给技术同事。",
        ),
    ),
    CauseWords(
        "unclear_information",
        "Unclear information",
        "说明不清楚",
        "information",
        {"store": 2, "support": 2, "app": 2, "billing": 2},
        {
            EN: (
                "Everybody tells me something else about the warranty.",
                "The website says free pick-up, the shop says it costs 15.",
                "I still do not know which papers I need.",
            ),
            ZH: (
                "每个人说的保修政策都不一样。",
                "网上写免费自提，到店又说要收费。",
                "到现在也不清楚要带哪些材料。",
            ),
        },
        (
            "Explained the terms, sent them in writing, had the page corrected.",
            "逐条说明并发送书面说明，网页已更正。",
        ),
    ),
    CauseWords(
        "product_quality",
        "Product did not last",
        "商品质量问题",
        "product",
        {"store": 3, "delivery": 2, "support": 2},
        {
            EN: (
                "Broke after three weeks. For this price!",
                "The second one with the same fault.",
                "Colour is nothing like the picture.",
            ),
            ZH: (
                "用了三个星期就坏了，这个价格不应该。",
                "换了一个还是同样的毛病。",
                "颜色和图片差太多。",
            ),
        },
        (
            "Exchanged it under warranty and covered the postage.",
            "按保修更换新品，运费由我们承担。",
        ),
    ),
    CauseWords(
        "other",
        "Something else",
        "其他原因",
        "information",
        done=("Listened, noted the wish, passed it to the team concerned.", "耐心听取并记录，已转相关部门。"),
    ),
)

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def fitting(pool: tuple[str, ...], locale: str) -> tuple[str, ...]:
    """What somebody who writes this language may say; all of it where nothing fits."""
    fit = tuple(each for each in pool if not each or bool(CHINESE.search(each)) == (locale == ZH))
    return fit if any(fit) else pool


BY_CODE = {cause.code: cause for cause in CAUSES}

URGENT: Pool = {
    EN: (
        "This is dangerous, the plug got hot and smelled burnt.",
        "If nobody calls me today, my lawyer will.",
        "I want a refund now, or I take this to the press.",
    ),
    ZH: (
        "插头发烫冒烟，太危险了！",
        "今天再没人处理，我就打12315投诉。",
        "马上退款，不然我找律师。",
    ),
}
AGAIN: Pool = {
    EN: ("Still nothing. I wrote to you days ago.", "Same again. Does anybody read this?"),
    ZH: ("还是没有人处理，前几天就反映过了。", "又是同样的问题，到底有没有人看？"),
}
HIGH: Pool = {
    EN: (
        "Quick, friendly, no fuss.",
        "The colleague took time to explain everything.",
        "Delivered a day early, well packed.",
        "Best counter in town.",
        "Always a pleasure.",
        "Returned something without any questions. Great.",
        "You kept your word.",
    ),
    ZH: (
        "服务很好，速度快。",
        "店员很耐心，讲得很清楚。",
        "比约定的还早一天送到，包装也好。",
        "退货很顺利，没有为难。",
        "一直都在你们家买，放心。",
        "说到做到，满意。",
    ),
}
MIDDLE: Pool = {
    EN: (
        "Fine, nothing special.",
        "Good shop, a bit expensive.",
        "It works. The website could be simpler.",
        "Friendly, but slow at lunch time.",
        "Mostly good.",
    ),
    ZH: (
        "还可以，价格有点高。",
        "总体不错，就是等得有点久。",
        "一般，没有特别的印象。",
        "网站不太好找东西。",
        "服务还行，选择少了点。",
    ),
}
PUT_RIGHT: Pool = {
    EN: (
        "Somebody called within the hour. That is how it should be.",
        "You put it right faster than I thought. Thank you.",
        "Somebody listened and did something. Respect.",
        "Everything solved, and a call to check. Great.",
    ),
    ZH: (
        "当天就有人打电话来，问题解决了，谢谢！",
        "处理得很快，态度也好，给满分。",
        "没想到这么重视，愿意再给你们机会。",
        "换货很及时，还回访了，满意。",
    ),
}
BETTER: Pool = {
    EN: ("Solved in the end. It took long.", "All right now, but I had to ask twice.", "Fair."),
    ZH: ("最后解决了，就是慢了点。", "可以，但是催了两次。", "还算负责。"),
}
STILL_LOW: Pool = {
    EN: (
        "An apology is nice, but the thing is still broken.",
        "You closed it and nothing changed.",
        "It happened again the same week.",
    ),
    ZH: ("道歉有什么用，问题还在。", "你们说处理好了，其实没有。", "过了几天又是一样。"),
}

REACHED_NOTES = (
    "Explained what happened, very calm. Wants a clear date.",
    "Upset at first, friendly at the end.",
    "客户情绪激动，已安抚，等我们给方案。",
    "Wants it solved, not a voucher.",
    "客户说明了经过，同意我们的处理方式。",
    "Happy that somebody called at all.",
    "",
    "",
)
REPLIED_NOTES = (
    "Answered our mail with photos.",
    "客户回邮件补充了订单号。",
    "Wrote back: prefers mail.",
    "",
)
UNHEARD_NOTES = ("", "", "Rang out.", "无人接听，稍后再打。", "Mailbox full.", "占线。")
INTERNAL_NOTES = (
    "Depot says the route was re-planned that day.",
    "同一片区今天有三单类似情况。",
    "Second complaint about this counter this week, told the shop manager.",
    "仓库回复：明天中午前能补货。",
    "Finance confirms the double charge, refund runs tonight.",
    "Checked the call recording. The customer is right.",
    "老客户，请优先处理。",
)
WAIT_REASONS = (
    "Customer sends photos of the damage.",
    "等客户提供订单号和照片。",
    "Customer is travelling, back next week.",
    "客户在外地，回来后再约上门时间。",
    "Waiting for the bank details for the refund.",
)
HELP_REASONS = (
    "Needs a decision on the refund above my limit.",
    "客户要求和主管通话。",
    "The depot does not answer, please help.",
)
LEAVE_REASONS = ("Away until next week, handed over.", "休假，转交处理。", "Handed over: on leave.")
EXTEND_REASONS = ("The spare part arrives on Thursday.", "等厂家寄配件，已和客户说好。")
RAISE_REASONS = ("Long-standing customer, called again.", "客户第二次来电。")

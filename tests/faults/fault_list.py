"""Faults somebody might make, each with the tests that must notice it. Run by `python -m tests.faults.seeded`."""

from __future__ import annotations

from dataclasses import dataclass

CLAIMS = "dispatch/claims.py"
ENGINE = "dispatch/engine.py"
EPOCH = "dispatch/epoch.py"
DELIVER = "surveys/messages/deliver.py"
DOUBT = "surveys/messages/doubt.py"
GATE = "surveys/messages/gate.py"

OF_CLAIMS = (
    "tests/dispatch/test_claims.py",
    "tests/dispatch/test_engine.py",
    "tests/dispatch/test_machine.py",
)
OF_SENDING = (
    "tests/surveys/test_deliver.py",
    "tests/surveys/test_doubt.py",
    "tests/surveys/test_delivery_model.py",
)
OF_THE_GATE = ("tests/surveys/test_gate.py", "tests/surveys/test_pace.py", "tests/surveys/test_breaker.py")
OF_LATENESS = (
    "tests/recovery/lifecycle/test_catch_up.py",
    "tests/recovery/lifecycle/test_digest.py",
    "tests/recovery/lifecycle/test_escalate.py",
)


@dataclass(frozen=True)
class Fault:
    """In the file `path`, `before` (which stands there once) becomes `after`; `tests` must fail then."""

    name: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]


FAULTS = [
    # --- Taking what is due ---
    Fault("no SKIP LOCKED", CLAIMS, "rows.select_for_update(skip_locked=True, no_key=True", "rows.select_for_update(no_key=True", OF_CLAIMS),
    Fault("a living claim is taken over", CLAIMS, "old.filter(lease_until__lte=at, dead_at=None)", "old.filter(dead_at=None)", OF_CLAIMS),
    Fault("takers wait for a frozen worker", CLAIMS, "dead_at=None).select_for_update(skip_locked=True)", "dead_at=None).select_for_update()", OF_CLAIMS),
    Fault("no fence at the end of the work", CLAIMS, "WHERE kind = %s AND subject = %s AND fence = %s\n            \"\"\",\n            [taken.kind, taken.subject, taken.fence],", "WHERE kind = %s AND subject = %s\n            \"\"\",\n            [taken.kind, taken.subject],", OF_CLAIMS),
    Fault("the end of the claim is not looked at", ENGINE, "            if not claims.end(taken):\n                return False\n", "            claims.end(taken)\n", OF_CLAIMS),
    Fault("attempts are not counted", CLAIMS, "SET attempts = attempts + 1, started_at", "SET started_at", OF_CLAIMS),
    Fault("suspects share a batch with others", CLAIMS, "else free.exclude(pk__in=suspected)", "else free", OF_CLAIMS),
    Fault("the lease is never over", CLAIMS, "if until > at or (attempts >= MOST_ATTEMPTS and not kind.never_given_up):", "if True:", OF_CLAIMS),
    Fault("what killed its workers is not buried", ENGINE, "    claims.bury(at)\n", "", OF_CLAIMS + ("tests/dispatch/test_worker.py",)),
    Fault("a row that fails stops the round", ENGINE, "            claims.failed(taken, f\"{type(error).__name__}: {error}\", at)\n        return False\n", "            claims.failed(taken, f\"{type(error).__name__}: {error}\", at)\n        raise\n", OF_CLAIMS),
    Fault("a broker that is away stops the tick", "dispatch/tasks.py", "        engine.drain(now, holder=engine.new_holder(), names=due, may_go_on=within(DRAIN_SECONDS))\n", "        pass\n", ("tests/dispatch/test_tasks.py",)),
    Fault("time is this machine's", "dispatch/clock.py", "    if not settings.DATABASE_CLOCK:", "    if True:", ("tests/dispatch/test_clock.py",)),
    # --- Sending ---
    Fault("the attempt is written after the call", DELIVER, "    attempt = intend(message, at)\n    if attempt:\n        failpoint(\"after_intent_commit\")\n        outcome = call(message, later(), started)\n", "    provider = provider_of(message.channel)\n    outcome = provider.deliver(message, message.key) if provider else None\n    attempt = intend(message, at)\n    if attempt and outcome:\n", OF_SENDING),
    Fault("a key per attempt", DELIVER, "message.key = message.key or provider_key(message.dedup_key)", "message.key = provider_key(message.dedup_key, message.fence)", OF_SENDING),
    Fault("no fence when a send is finished", DELIVER, "ours = message is not None and (message.state, message.fence) == (Message.SENDING, fence)", "ours = message is not None", OF_SENDING),
    Fault("customers are written to at least once", DOUBT, "if not (each.provider_class == BLIND and message.is_ours)]", "if each.provider_class != BLIND]", OF_SENDING),
    Fault("a provider is asked at once", DOUBT, "    return Plan(ASK) if at >= until else Plan(WAIT, \"waits_to_ask\", until)", "    return Plan(ASK)", OF_SENDING),
    Fault("a key is relied on for ever", DOUBT, "if at - first < provider.window * SURE_PART else", "if True else", OF_SENDING),
    Fault("what may have arrived ends as given up", DELIVER, "    if not sure and in_doubt(message.deliveries.all()).exists():\n        state = Message.UNCERTAIN\n", "", OF_SENDING),
    Fault("who was held up calls nevertheless", DELIVER, "    if held_up(started):\n        return Outcome(RETRY, HELD_UP)\n", "", OF_SENDING),
    Fault("the gate is skipped", DELIVER, "        gate = verdict(message, at)\n        if not gate.ok and gate.until:", "        gate = verdict(message, at)\n        gate = type(gate)(True)\n        if not gate.ok and gate.until:", OF_SENDING),
    Fault("a deferral counts as an attempt", DELIVER, "            message.attempts -= 1\n            _queue_again(message, gate.until, gate.reason)", "            _queue_again(message, gate.until, gate.reason)", OF_SENDING + OF_THE_GATE),
    # --- The gate ---
    Fault("suppression is not asked", GATE, "    if is_suppressed(message.to_address, message.channel):\n        return \"suppressed\"\n", "", OF_THE_GATE),
    Fault("too late is not looked at", GATE, "    if message.not_after and at > message.not_after:\n        return Verdict(False, Message.EXPIRED, \"not_after\")\n", "", OF_THE_GATE),
    Fault("quiet hours are by the server's clock", GATE, "quiet_until(at, zone_of(message.customer),", "quiet_until(at, ZoneInfo(settings.TIME_ZONE),", OF_THE_GATE + ("tests/surveys/test_quiet.py",)),
    Fault("slots are read, not taken", "surveys/messages/pace.py", "excluded.next_slot_at - %(step)s) + %(step)s\n", "excluded.next_slot_at - %(step)s)\n", OF_THE_GATE),
    Fault("a slot missed in an outage is used", "surveys/messages/pace.py", "if slot is None or at - slot > USED_LATE:", "if slot is None:", OF_THE_GATE),
    Fault("the breaker does not hold", "surveys/messages/breaker.py", "    if facts:\n        hold(rules.VOLUME, facts, at)\n    return bool(facts)", "    return False", OF_THE_GATE),
    # --- Being late, and being restored ---
    Fault("every level is told after an outage", "recovery/lifecycle/escalation.py", "(due if is_late(since, at) else mine)", "mine", OF_LATENESS),
    Fault("late notices are mailed one by one", "recovery/lifecycle/notices.py", "late = due_at is not None and is_late(due_at, at)", "late = False", OF_LATENESS),
    Fault("a digest forgets what it told", "recovery/lifecycle/digest.py", "untold = DigestLine.objects.filter(user=user_id, told_at=None)", "untold = DigestLine.objects.filter(user=user_id)", OF_LATENESS),
    Fault("a restored database sends", EPOCH, "    if memory and memory.number > pulse.number:\n        return RESTORED\n", "", ("tests/dispatch/test_epoch.py", "tests/recovery/test_reconcile.py")),
    Fault("the call does not wait for a witness", EPOCH, "    return raise_number(seen, at) and remember(at)\n", "    return True\n", ("tests/dispatch/test_epoch.py", "tests/recovery/test_reconcile.py")),
]  # fmt: skip

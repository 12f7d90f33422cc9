"""The mutants: where, what is written there, what stands there instead, and which tests of `make test` look."""

from dataclasses import dataclass

OUTCOMES = "customs/declarations/pushes/outcomes.py"
CLAIMING = "customs/declarations/pushes/claim.py"
RECORDING = "customs/declarations/pushes/record.py"
SENDING = "customs/declarations/pushes/handler.py"
PUSHING = "customs/declarations/pushes/handler.py"
ENGINE = "customs/jobs/dispatcher.py"
LEASES = "customs/jobs/leases.py"
ERRANDS = "customs/payments/tasks/task.py"
PAYMENT_OUTCOMES = "customs/payments/tasks/outcomes.py"

OF_OUTCOMES = ("tests/declarations/pushes/test_outcomes.py", "tests/declarations/test_observing.py")
OF_CLAIMING = ("tests/declarations/pushes/test_claim.py",)
OF_RECORDING = ("tests/declarations/pushes/test_record.py",)
OF_LEASES = ("tests/jobs/test_leases.py",)
OF_THE_ENGINE = ("tests/jobs/test_dispatcher.py",)
OF_PAYMENT_OUTCOMES = ("tests/payments/tasks/test_outcomes.py",)
SIMULATION = ("tests/simulation",)


@dataclass(frozen=True)
class Mutant:
    """One mistake: `search` stands exactly once in `file`."""

    name: str
    file: str
    search: str
    replacement: str
    tests: tuple[str, ...]


MUTANTS = (
    # What an outcome means.
    Mutant(
        "blind retry",
        OUTCOMES,
        '(GatewayError, "unknown", _send_unknown, _poll_later)',
        '(GatewayError, "unknown", _send_not_done, _poll_later)',
        OF_OUTCOMES,
    ),
    Mutant("no grace", OUTCOMES, "if now - sent_at < grace:", "if now < sent_at:", OF_OUTCOMES),
    Mutant(
        "the grace counts from the mark",
        OUTCOMES,
        "replace(before, failed_attempts=0, sent_at=now)",
        "replace(before, failed_attempts=0)",
        OF_OUTCOMES,
    ),
    Mutant(
        "FAIL on a timeout",
        OUTCOMES,
        '(GatewayError, "unknown", _send_unknown, _poll_later)',
        '(GatewayError, "unknown", _send_refused, _poll_later)',
        OF_OUTCOMES,
    ),
    Mutant(
        "the budget is never spent",
        OUTCOMES,
        "unknown_rounds=before.unknown_rounds + 1,",
        "unknown_rounds=before.unknown_rounds,",
        OF_OUTCOMES,
    ),
    Mutant(
        "503 counts as unknown",
        OUTCOMES,
        '(Busy, "busy", _send_not_done, _not_done)',
        '(Busy, "busy", _send_unknown, _not_done)',
        OF_OUTCOMES,
    ),
    Mutant(
        "401 spends the budget",
        OUTCOMES,
        '(Credentials, "credentials", _send_not_done, _not_done)',
        '(Credentials, "credentials", _send_unknown, _poll_later)',
        OF_OUTCOMES,
    ),
    Mutant(
        "an older reply is applied",
        OUTCOMES,
        "return reply.modify_time < before.modify_time",
        "return False",
        OF_OUTCOMES,
    ),
    Mutant(
        "modify_time is ignored",
        OUTCOMES,
        "if before.prior_state is None or reply.modify_time is None:",
        "if True:",
        (*OF_OUTCOMES, "tests/declarations/test_modifying.py"),
    ),
    Mutant(
        "a refusal after doubt is believed",
        OUTCOMES,
        "    if before.unknown_rounds:\n        return _poll(replace(before, refusal",
        "    if False:\n        return _poll(replace(before, refusal",
        OF_OUTCOMES,
    ),
    Mutant("no end to the polling", OUTCOMES, "> POLLING_BUDGET", "> POLLING_BUDGET * 999", OF_OUTCOMES),
    Mutant(
        "SUCCESS goes back without a word",
        OUTCOMES,
        "if not is_forward(before.state, reported):",
        "if False:",
        OF_OUTCOMES,
    ),
    Mutant("no case for a FAIL", OUTCOMES, "    if failed:\n", "    if False:\n", OF_OUTCOMES),
    # Who may send, and who may record.
    Mutant(
        "no epoch check",
        RECORDING,
        ' or row["epoch"] != task.epoch:',
        ":",
        OF_RECORDING,
    ),
    Mutant("a claim raises no fence", LEASES, '"fence": row.fence + 1,', '"fence": row.fence,', OF_LEASES),
    Mutant(
        "an answer counts twice after a lost COMMIT",
        LEASES,
        'return row["holder"] is not None and (',
        "return (",
        ("tests/declarations/test_mishaps.py",),
    ),
    Mutant("a lease is no lease", LEASES, "row.lease_until < now", "row.lease_until > now", OF_LEASES),
    Mutant(
        "an ended lease does not move the send",
        LEASES,
        "case((ran_out, row.lease_until)",
        "case((ran_out, row.sent_at)",
        OF_CLAIMING,
    ),
    Mutant(
        "no sibling check",
        CLAIMING,
        "other.payment_no == push.payment_no,",
        "other.payment_no != push.payment_no,",
        OF_CLAIMING,
    ),
    Mutant(
        "no sibling check at the mark",
        CLAIMING,
        "~exists().where(is_sibling, is_at_the_gateway))",
        "push.id.is_not(None))",
        (*OF_CLAIMING, *OF_RECORDING),
    ),
    Mutant(
        "blocked_by is ignored",
        CLAIMING,
        "exists().where(before.id == push.blocked_by, before.state == State.SUCCESS)",
        "exists().where(before.id == push.blocked_by)",
        OF_CLAIMING,
    ),
    Mutant(
        "SKIP LOCKED is removed",
        CLAIMING,
        ".with_for_update(skip_locked=True, of=PUSHES)",
        ".with_for_update(of=PUSHES)",
        OF_CLAIMING,
    ),
    Mutant(
        "the mark does not ask first",
        SENDING,
        "        next_action=Action.QUERY,\n",
        "        next_action=push.next_action,\n",
        OF_RECORDING,
    ),
    Mutant("the mark leaves no doubt", SENDING, "in_doubt=push.next_action,", "in_doubt=None,", OF_RECORDING),
    Mutant(
        "the mark is not committed before the send",
        PUSHING,
        '            self._failpoints.hit("mark_before_commit")\n',
        '            self._failpoints.hit("mark_before_commit")\n            if leaving and not answered:\n'
        "                db.rollback()\n",
        SIMULATION,
    ),
    Mutant(
        "what is withheld leaves",
        SENDING,
        " push.withheld.is_(False), may_still_be_sent)",
        " may_still_be_sent)",
        ("tests/declarations/intake/test_payment_holds.py",),
    ),
    Mutant(
        "a stopped lane lets calls out",
        SENDING,
        'may_leave = and_(under_epoch, is_open(bindparam("lane"), MOMENT))',
        'may_leave = and_(under_epoch, is_open(bindparam("lane"), MOMENT).is_not(None))',
        OF_CLAIMING,
    ),
    Mutant(
        "the lease is not checked before the send",
        PUSHING,
        "if self._deadlines.is_over(task):",
        "if False:",
        ("tests/jobs/test_leases.py", *SIMULATION),
    ),
    Mutant(
        "leases count from after the COMMIT",
        PUSHING,
        "self._deadlines.set(allowed, start, now)",
        "self._deadlines.set(allowed, self._deadlines.start(), now)",
        ("tests/jobs/test_leases.py", *SIMULATION),
    ),
    # The loop.
    Mutant(
        "answers are forgotten when the database is away",
        ENGINE,
        "            self._answers.extendleft(reversed(answered))\n",
        "",
        OF_THE_ENGINE,
    ),
    Mutant(
        "leases are not renewed",
        ENGINE,
        "self._handler.extend_leases([*self._flying, *reserved])",
        "pass",
        OF_THE_ENGINE,
    ),
    # Money and merchants.
    Mutant(
        "float money",
        "customs/gateway/money.py",
        "exact = amount.quantize(",
        "exact = Decimal(float(amount)).quantize(",
        ("tests/gateway/test_money.py",),
    ),
    Mutant(
        "no merchant filter",
        "customs/auth/principal.py",
        "return true() if self.merchants is None else column.in_(sorted(self.merchants))",
        "return true()",
        ("tests/declarations/reading/test_queries.py", "tests/payments/test_api_scopes.py"),
    ),
    Mutant(
        "refunds over what is left",
        "customs/payments/collect/refunds.py",
        "if left <= 0 or (amount is not None and amount > left):",
        "if left <= 0:",
        ("tests/payments/collect/test_refunds.py",),
    ),
    Mutant(
        "no lock on refunds",
        "customs/payments/collect/refunds.py",
        "db.scalar(select(Payment).where(*named).with_for_update())",
        "db.scalar(select(Payment).where(*named))",
        ("tests/payments/test_races.py",),
    ),
    Mutant(
        "no lock between intakes",
        "customs/declarations/intake/accept.py",
        "        lock_orders(db, checked.orders.values())\n",
        "        pass\n",
        ("tests/declarations/intake/test_accept.py",),
    ),
    Mutant(
        "more is declared than was paid",
        "customs/declarations/intake/payment_rules.py",
        "if others + case.order.total > case.facts.net_cny:",
        "if case.order.total > case.facts.net_cny:",
        ("tests/declarations/intake/test_payment_rules.py", "tests/payments/test_races.py"),
    ),
    Mutant(
        "a refund and a decision race",
        "customs/declarations/actions/action_rules.py",
        '"a refund of its payment is under way") if request.refunding else None',
        '"a refund of its payment is under way") if False else None',
        ("tests/payments/test_refund_and_declare.py",),
    ),
    # Said twice, or by somebody else.
    Mutant(
        "the replay check is removed",
        "customs/declarations/intake/accept.py",
        "if existing.is_same(known, checked.given[index], vault):",
        "if True:",
        ("tests/declarations/intake/test_accept.py",),
    ),
    Mutant(
        "an Idempotency-Key takes any body",
        "customs/web/idempotency.py",
        "if found.fingerprint != request.fingerprint:",
        "if False:",
        ("tests/web/test_idempotency.py",),
    ),
    Mutant(
        "another's numbers are applied",
        "customs/gateway/messages/declarations.py",
        "matching = [(r, n) for r, n in about_payments if _agree(n, expected)]",
        "matching = about_payments",
        ("tests/gateway/test_messages.py",),
    ),
    Mutant(
        "a forged notification is read",
        "customs/gateway/notification.py",
        "if not verifier.verify(text, signature):",
        "if False:",
        ("tests/gateway/test_notification.py",),
    ),
    # Payments and refunds.
    Mutant(
        "payments are sent blindly again",
        PAYMENT_OUTCOMES,
        '(GatewayError, "unknown", _send_unknown, _ask_later)',
        '(GatewayError, "unknown", _send_not_done, _ask_later)',
        OF_PAYMENT_OUTCOMES,
    ),
    Mutant("payments know no grace", PAYMENT_OUTCOMES, "if now < counts_from:", "if False:", OF_PAYMENT_OUTCOMES),
    Mutant(
        "payments' grace counts from the mark",
        PAYMENT_OUTCOMES,
        "failed_attempts=0,\n        sent_at=now,\n    )",
        "failed_attempts=0,\n    )",
        OF_PAYMENT_OUTCOMES,
    ),
    Mutant(
        "a refund is marked without doubt",
        ERRANDS,
        '{"in_doubt": True, "next_action": TaskAction.QUERY, "sent_at": now}',
        '{"next_action": TaskAction.QUERY, "sent_at": now}',
        ("tests/payments/tasks/test_handler.py", "tests/payments/tasks/test_payment_task.py"),
    ),
    Mutant(
        "nobody knows a fence",
        LEASES,
        '(row["id"], row["fence"]) == task.lease',
        'row["id"] == task.lease[0]',
        OF_LEASES,
    ),
    Mutant(
        "whatever was not marked leaves too",
        LEASES,
        "return [task for task in tasks if task.lease in kept]",
        "return list(tasks)",
        OF_LEASES,
    ),
)

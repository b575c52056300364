"""The dunning engine: pure, total functions over an account book, an organization and a time.

    plan            which notices an account should have now, and when to plan again      planning.py
    judge           whether a notice goes, at the moment of sending                        judging.py
    cancel_pending  stop what is pending when its cause is gone                            ../account/stopping.py
    forecast        the next notices if nothing changes                                    forecast.py
    decided_on      what was decided on a day that has passed                              past_days.py

How they decide is in steps.py (the step that a bill is at), standing.py (whether it was told), rules.py (the rules for
a channel), consolidation.py (one notice per guarantor, channel and day), send_window.py (when) and reasons.py (why).
"""

from shared.domain.account.ledger import notice_id, with_notices
from shared.domain.account.stopping import cancel_pending
from shared.domain.dunning.decision import Defer, Finding, Plan, Refuse, Rule, RuleOutcome, Send, Verdict
from shared.domain.dunning.forecast import forecast, foreseen
from shared.domain.dunning.judging import judge
from shared.domain.dunning.past_days import decided_on
from shared.domain.dunning.planning import plan
from shared.domain.vocabulary.reasons import Reason

__all__ = [
    "Defer",
    "Finding",
    "Plan",
    "Reason",
    "Refuse",
    "Rule",
    "RuleOutcome",
    "Send",
    "Verdict",
    "cancel_pending",
    "decided_on",
    "forecast",
    "foreseen",
    "judge",
    "notice_id",
    "plan",
    "with_notices",
]

"""The dunning engine: pure, total functions over an account book, an organization and a time.

    plan            which notices an account should have now, and when to look again      planning.py
    judge           whether a notice goes, at the moment of sending                        judging.py
    cancel_pending  stop what is pending when its cause is gone                            stopping.py
    forecast        the next notices if nothing changes                                    forecast.py

How they decide is in steps.py (where a bill stands), ledger.py (what was told), eligibility.py (the rules for a
channel), consolidation.py (one notice per guarantor, channel and day), send_window.py (when) and reasons.py (why).
"""

from shared.domain.decision import Defer, Finding, Outcome, Plan, Refuse, Rule, Send, Verdict
from shared.domain.forecast import forecast
from shared.domain.judging import judge
from shared.domain.ledger import notice_id, with_notices
from shared.domain.planning import plan
from shared.domain.reasons import Reason
from shared.domain.stopping import cancel_pending

__all__ = [
    "Defer",
    "Finding",
    "Outcome",
    "Plan",
    "Reason",
    "Refuse",
    "Rule",
    "Send",
    "Verdict",
    "cancel_pending",
    "forecast",
    "judge",
    "notice_id",
    "plan",
    "with_notices",
]

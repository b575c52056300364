"""What the model of delivery draws: who works, how far each comes, what fails, what happens meanwhile.

What matters comes more often than what is rare in life: deaths, lost answers, silent providers.
"""

from datetime import time
from enum import Enum

from hypothesis import strategies as st

from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.records.policy import DunningSettings, SendWindow
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import Channel, Hold
from tests.worlds.delivery_actors import Fate
from tests.worlds.delivery_desk import AccountEvent, Billed
from tests.worlds.delivery_providers import Mood


class Begin(Enum):
    """Who begins to work."""

    SCHEDULER = "scheduler"
    CONSUMER = "consumer"
    DESK = "desk"


WORKERS = {
    Begin.SCHEDULER: ("scheduler A", "scheduler B"),
    Begin.CONSUMER: ("consumer 1", "consumer 2", "consumer 3", "consumer 4"),
    Begin.DESK: ("desk",),
}

type Way = tuple[int | None, Fate]
"""How many effects a function has, and what becomes of the next; None: all that it has left."""

TO_THE_END: Way = (None, Fate.DONE)
AT_ITS_START: Way = (0, Fate.DONE)
ONE_EFFECT: Way = (1, Fate.DONE)

FATES = st.sampled_from([*[Fate.DONE] * 3, *[Fate.DEATH] * 3, *Fate, Fate.ANSWER_LOST])
WAYS = st.one_of(st.just(TO_THE_END), st.tuples(st.integers(0, 5), FATES))
MOVES = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from([*[Fate.DONE] * 12, *Fate, Fate.DEATH, *[Begin.CONSUMER] * 4, Begin.SCHEDULER, Begin.DESK]),
    ),
    min_size=5,
    max_size=60,
)
"""What happens next, and to which of those that it can happen to."""

HOUSEHOLDS = st.sampled_from(["G-1", "G-2", "G-3", "G-4"])
CHANNELS = st.sampled_from(Channel)
MOODS = st.sampled_from([*[Mood.ACCEPTS] * 4, *[Mood.ACCEPTS_SILENTLY] * 2, *Mood])
OUTCOMES = st.sampled_from(
    [(), (DeliveryOutcome.DELIVERED,), *[(outcome,) for outcome in set(DeliveryOutcome) - {DeliveryOutcome.DROPPED}]]
)

ACCOUNT_EVENTS: st.SearchStrategy[AccountEvent] = st.one_of(
    st.builds(Billed, n=st.integers(1, 6), balance=st.sampled_from([40_00, 60_00, 60_00, 0])),
    st.sampled_from([1_00, 40_00, 100_00]),
    st.just({"opt_outs": OptOuts()}),
    st.builds(OptOuts, email=st.booleans(), sms=st.booleans()).map(lambda choice: {"opt_outs": choice}),
    st.sampled_from([frozenset[Hold](), frozenset({Hold.DISPUTE})]).map(lambda holds: {"holds": holds}),
    st.sampled_from(["first@example.org", "second@example.org"]),
)

SOON = st.one_of(st.integers(0, 120), st.integers(0, 8 * 3600))
"""How many seconds after its time something is looked at: mostly within a day's opening hours."""

TIMES = st.one_of(
    st.integers(1, 90),
    st.integers(60, 3 * 3600),
    st.integers(1, 40).map(lambda days: days * 86400),
)

OPENING_HOURS = SendWindow()
DAY_AND_NIGHT = SendWindow(
    opens=time.min, closes=time(23, 59), business_days=frozenset(range(7)), federal_holidays=False
)
"""For an organization that always sends, so that more happens at a time."""

SETTINGS = st.builds(
    DunningSettings,
    configuration_id=st.sampled_from(["standard-30", "standard-30", "text-first", "paperless-30"]),
    skip_paper_when_electronic_available=st.booleans(),
    drop_to_paper_after_undeliverable_days=st.sampled_from([None, 0, 3]),
    send_window=st.sampled_from([OPENING_HOURS, DAY_AND_NIGHT]),
    quiet_until=st.just(time.min),
    quiet_from=st.just(time(23, 59)),
)

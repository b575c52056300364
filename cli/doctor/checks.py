"""What has to be so in an account, one small check each: from what was read to a diagnosis. Nothing here reads.

The steps that a diagnosis names are those of docs/runbook.md#before-the-first-deployment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.storage.stack_keys import KEY_BYTES


class Health(StrEnum):
    """How a check ended."""

    GOOD = "good"
    MISSING = "missing"
    UNSEEN = "unseen"
    """It couldn't be looked at from here, so nothing is known."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a check found. mend: what to do about it; "" where nothing is to be done."""

    health: Health
    found: str
    mend: str = ""


def good(found: str) -> Diagnosis:
    """Nothing is to be done."""
    return Diagnosis(Health.GOOD, found)


def missing(found: str, mend: str) -> Diagnosis:
    """Something would fail."""
    return Diagnosis(Health.MISSING, found, mend)


# --- email ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EmailAccount:
    """What SES says of the account. enforcement: `HEALTHY`, or under review or stopped."""

    in_production: bool
    sending: bool
    enforcement: str


def email_account(read: EmailAccount) -> Diagnosis:
    """Out of the sandbox, in which SES sends to verified addresses only, and not stopped."""
    if not read.in_production:
        return missing(
            "SES is in its sandbox: it sends to verified addresses only", "SES console, Request production access"
        )
    if not read.sending or read.enforcement != "HEALTHY":
        return missing(
            f"SES has stopped or reviews the account: {read.enforcement}", "see the SES console and AWS's letters"
        )
    return good("out of the sandbox, and sending")


def sender_identities(read: Mapping[str, bool | None]) -> Diagnosis:
    """Each sender's address or domain is a verified identity. None: SES doesn't know it."""
    wrong = [name for name, verified in read.items() if not verified]
    if wrong:
        unknown = [name for name in wrong if read[name] is None]
        found = f"not verified: {', '.join(wrong)}" + (f"; unknown to SES: {', '.join(unknown)}" if unknown else "")
        return missing(
            found, "aws sesv2 create-email-identity --email-identity <domain>, then publish its DKIM records"
        )
    return good(f"verified: {', '.join(read)}")


DMARC_POLICIES = ("none", "quarantine", "reject")


def dmarc(read: Mapping[str, Sequence[str]]) -> Diagnosis:
    """Each sender's domain has one DMARC record with a policy (RFC 7489): large mailbox providers refuse mail without.

    read: the TXT records that count for each domain.
    """
    wrong = [domain for domain, records in read.items() if not _one_policy(records)]
    if wrong:
        return missing(
            f"no valid DMARC record: {', '.join(wrong)}", 'publish a TXT record at _dmarc.<domain>: "v=DMARC1; p=none"'
        )
    return good(f"a policy for {', '.join(read)}")


def is_dmarc(record: str) -> bool:
    """Whether a TXT record is about DMARC: its version is the first tag."""
    name, _, value = record.partition(";")[0].partition("=")
    return (name.strip().lower(), value.strip()) == ("v", "DMARC1")


def _one_policy(records: Sequence[str]) -> bool:
    ours = [record for record in records if is_dmarc(record)]
    if len(ours) != 1:
        return False  # several count as none
    tags = dict(_tag(part) for part in ours[0].split(";") if "=" in part)
    return tags.get("p", "").lower() in DMARC_POLICIES


def _tag(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip().lower(), value.strip()


# --- texts ------------------------------------------------------------------------------------------------------


def text_sandbox(*, in_sandbox: bool) -> Diagnosis:
    """Out of the sandbox, in which SNS texts verified numbers only."""
    if in_sandbox:
        return missing("SNS is in its SMS sandbox: it texts verified numbers only", "SNS console, Exit SMS sandbox")
    return good("out of the sandbox")


@dataclass(frozen=True, slots=True)
class TextSpending:
    """Dollars a month. limit: at which SNS drops texts; warning: at which our alarm rings."""

    limit: float
    warning: float


NEW_ACCOUNTS_LIMIT = 1.0
"""Dollars a month that a new account may spend on texts: about a hundred texts."""


def text_spending(read: TextSpending) -> Diagnosis:
    """A limit that isn't a new account's, and an alarm that rings before it is reached."""
    if read.limit <= NEW_ACCOUNTS_LIMIT:
        return missing(
            f"texts may cost {read.limit:.2f} dollars a month",
            "ask for more: Service Quotas, SNS, then set MonthlySpendLimit",
        )
    if read.warning >= read.limit:
        return missing(
            f"the alarm rings at {read.warning:.2f} dollars, not before the limit of {read.limit:.2f}",
            "deploy with a TextSpendWarning below the limit",
        )
    return good(f"limit {read.limit:.2f} dollars a month, alarm at {read.warning:.2f}")


def origination_numbers(read: Sequence[str]) -> Diagnosis:
    """A number that texts go out from, ready. read: the status of each number that can text."""
    ready = sum(status.upper() == "ACTIVE" for status in read)
    if not ready:
        found = f"{len(read)} requested, none is active yet" if read else "there is none"
        return missing(found, "ask End User Messaging for a number, and wait until its registration is done")
    return good(f"{ready} active")


@dataclass(frozen=True, slots=True)
class TextReports:
    """How SNS logs what became of texts. role: by which it writes; sampled: percent of the successes."""

    role: str
    sampled: int


def text_reports(read: TextReports) -> Diagnosis:
    """Each text's delivery is reported: without, every text stays `Sent`."""
    if not read.role or read.sampled != 100:  # noqa: PLR2004 - percent
        found = (
            f"{read.sampled} % of the deliveries are reported" if read.role else "deliveries of texts aren't reported"
        )
        return missing(found, "docs/runbook.md, Setting up texts, step 3")
    return good("every delivery is reported")


# --- the account ------------------------------------------------------------------------------------------------


def log_role(read: str) -> Diagnosis:
    """API Gateway has a role to write logs by: without it no stack with access logs can be made."""
    if not read:
        return missing("API Gateway has no role to write logs by", 'deploy one stack with ManageApiLogRole="true"')
    return good(read)


ROOM_BESIDE_CHANNELS = 80
"""How many functions the API, the scheduler and what comes from providers may need at a time."""


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many functions may run at a time. unreserved: in the account; channels: of them, what the queues may take."""

    unreserved: int
    channels: int


def concurrency(read: Concurrency) -> Diagnosis:
    """The channels at their fullest leave the API and the scheduler room."""
    needed = read.channels + ROOM_BESIDE_CHANNELS
    if read.unreserved < needed:
        return missing(
            f"{read.unreserved} functions at a time, of which the channels may take {read.channels}",
            f"ask for {needed} or more: Service Quotas, Lambda, Concurrent executions",
        )
    return good(f"{read.unreserved} at a time, of which the channels may take {read.channels}")


@dataclass(frozen=True, slots=True)
class AlarmTopic:
    """Where alarms go. arn: "" where nowhere; subscriptions: ARNs, or `PendingConfirmation`; None: no such topic."""

    arn: str
    subscriptions: Sequence[str] | None


def alarm_topic(read: AlarmTopic) -> Diagnosis:
    """Somebody hears the alarms."""
    if not read.arn:
        return missing("alarms wake nobody", "make a topic, subscribe to it, and deploy with its AlarmTopicArn")
    if read.subscriptions is None:
        return missing(
            f"there is no topic {read.arn}", "deploy with the AlarmTopicArn of a topic of this account and region"
        )
    heard = [each for each in read.subscriptions if each.startswith("arn:")]
    if not heard:
        return missing("nobody has confirmed a subscription to the alarms", "open the mail that SNS sent, and confirm")
    return good(f"{len(heard)} confirmed subscriptions")


# --- the stack --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it is described. usable: it has a current value and isn't being deleted; None: there is none."""

    name: str
    usable: bool | None


def stripe_secrets(read: Sequence[Secret]) -> Diagnosis:
    """Each secret that an organization names is there. read: those of the organizations that were asked about."""
    wrong = [secret.name for secret in read if not secret.usable]
    if wrong:
        return missing(
            f"not there, or without a value: {', '.join(wrong)}", "aws secretsmanager create-secret --name …"
        )
    return good(f"{len(read)} there" if read else "no organization takes payments through Stripe")


@dataclass(frozen=True, slots=True)
class Domain:
    """The address that patients see. name: "" where the API's own; mapped: to this API; answers: as the API does."""

    name: str
    mapped: bool = False
    answers: bool = False


def domain(read: Domain) -> Diagnosis:
    """The custom domain leads to this stack's API."""
    if not read.name:
        return good("none asked for: links begin with the API's own address")
    if not read.mapped:
        return missing(f"{read.name} isn't mapped to this API", "docs/runbook.md, A domain of our own, step 2")
    if not read.answers:
        return missing(f"https://{read.name} doesn't answer", "point its DNS name to the output CustomDomainTarget")
    return good(f"{read.name} answers")


def cursor_key(read: int | None) -> Diagnosis:
    """The key that signs cursors is whole. read: its length; None: it isn't made yet."""
    if read is None:
        return good("not made yet: the first list makes it")
    if read != KEY_BYTES:
        return missing(f"the key has {read} bytes, not {KEY_BYTES}", "delete the item Z#cursors: a new one is made")
    return good("made")


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """The scheduler's schedule. state: `ENABLED`, `DISABLED`; None: there is none. simulated: time is given."""

    state: str | None
    expression: str
    simulated: bool


def schedule(read: ScheduleState) -> Diagnosis:
    """The scheduler runs every minute; in a stack with simulated time, only when it is asked to."""
    if read.state is None:
        return missing("the stack has no schedule", "deploy again")
    if read.simulated:
        return good("time is simulated here: the schedule rests") if read.state == "DISABLED" else _runs_beside(read)
    if read.state != "ENABLED" or read.expression != "rate(1 minute)":
        return missing(
            f"the schedule is {read.state}, {read.expression}: reminders wait",
            "enable it in the console, or deploy again",
        )
    return good("every minute")


def _runs_beside(read: ScheduleState) -> Diagnosis:
    return missing(
        f"time is simulated, and the schedule is {read.state}", "disable it, or deploy with AllowSimulatedTime=false"
    )

"""Every key of the table, made and read in one place. The access patterns stand in docs/architecture.md."""

import hashlib
from datetime import UTC, date, datetime

DUE_SHARDS = 4
"""How many partitions the due index has. One idle sweep is one Query for each."""

# Values are stored, so they stay. A partition key and a sort key may begin alike (`B#`, `D#`, `M#`, `I#`, `A#`): one is
# never read as the other, and in each partition every beginning of a sort key means one kind of item.

ROOT = "@"
"""Sort key of a partition's root item: the account, the organization, the partner, a job, a pointer..."""

# sort keys in an account's partition (`collection`); bills and notices have theirs in the statement index too
BILL_SORT = "B#"
NOTICE_SORT = "N#"
PAYMENT_SORT = "P#"
LINK_SORT = "L#"
CHECKOUT_SORT = "C#"
HISTORY_SORT = "H#"
LARGE_CHANGE_SORT = "W#"
SEARCH_ENTRY_SORT = "F#"

# sort keys in an organization's partition, beside its root: the latest of each own template, and every version
TEMPLATE_SORT = "T#"
TEMPLATE_VERSION_SORT = "V#"
# sort key in the partition of a processor's payment (`processor_payment`)
HELD_EVENT_SORT = "E#"

# the partition of a job that has an organization's accounts planned again, with a root item alone
REPLANNING_PARTITION = "J#"

# the partition of a partner's defaults: the defaults at its root, the job that passes them on, its own configurations
DEFAULTS_PARTITION = "D#"
JOB_SORT = "J"
CONFIGURATION_SORT = "C#"

# the partition of the pointer from a patient account to the account that has its active Lifetime bill
PATIENT_PARTITION = "L#"

# the partition of the pointer from a statement to the account that was the first to have its bill
STATEMENT_PARTITION = "S#"

# the partition of an organization's print batches: letters that no manifest has yet, and closed batches by their date
PRINT_BATCHES_PARTITION = "B#"
WAITING_LETTER_SORT = "M#"
PRINT_BATCH_SORT = "D#"

# the partition of a partner's ingestions, each under its id
INGESTIONS_PARTITION = "I#"

# the partitions of a partner's webhook endpoints, and of each endpoint's deliveries
WEBHOOKS_PARTITION = "WH#"

# the partition of events that wait to be given to whoever subscribed to them, with a root item alone
OUTBOX_PARTITION = "OB#"

# sort keys in the partition of what the first reading of a file noted (`ingestion_survey`)
DIGESTS_SORT = "D#"
REPEATS_SORT = "R#"

# the partition of an organization's reports: how far they are, what each account adds, and by day the figures, the
# postings and the ageing
REPORTS_PARTITION = "Y#"
ADDED_SORT = "A#"
FIGURES_SORT = "D#"
POSTINGS_SORT = "P#"
AGEING_SORT = "S#"

# sort keys in a phone number's partition (`texted_number`)
TEXTED_ACCOUNT_SORT = "A#"
INBOUND_TEXT_SORT = "I#"
NUMBER_STOP_SORT = "S#"


BEFORE_ALL = "0"
"""What sorts before every instant."""

ACCOUNT_PARTITION = "A#"
"""What the partition of an account begins with."""


def collection(org_id: str, account_id: str) -> str:
    """Partition of an account and all that belongs to it."""
    return f"{ACCOUNT_PARTITION}{org_id}#{account_id}"


def collection_parts(partition: str) -> tuple[str, str]:
    """The organization and the account that `collection` made a partition for; an account's id may hold any sign."""
    _, org_id, account_id = partition.split("#", 2)
    return org_id, account_id


def large_change_page(version: int, n: int) -> str:
    """Sort key of a page, from 0, of a large change to an account that was at this version."""
    return f"{LARGE_CHANGE_SORT}{version:010d}#{n:03d}"


def large_change_version(sort: str) -> int:
    """The version that the account was at when the change was decided that `large_change_page` made a key for."""
    return int(sort.split("#")[1])


def account_id_of(partition: str) -> str:
    """The account that `collection` made a partition for."""
    return collection_parts(partition)[1]


def kind_of(sort_key: str) -> str:
    """What an item of an account is, by its sort key: ROOT, or one of the kinds above."""
    return sort_key[: len(BILL_SORT)]


def id_of(key: str, kind: str) -> str:
    """The id that a key, known to be of a kind, was made for."""
    return key.removeprefix(kind)


def id_in(key: str, kind: str) -> str | None:
    """The id that a key of a kind was made for; None: the key is of another kind."""
    return id_of(key, kind) if key.startswith(kind) else None


def payment(payment_id: str) -> str:
    """Sort key of a payment in its account."""
    return f"{PAYMENT_SORT}{payment_id}"


def link(link_id: str) -> str:
    """Sort key of a payment link in its account."""
    return f"{LINK_SORT}{link_id}"


def checkout(reference: str) -> str:
    """Sort key of a checkout in its account."""
    return f"{CHECKOUT_SORT}{reference}"


def history(at: datetime, version: int, ordinal: int) -> str:
    """Sort key of an event of an account: by its time, the version that it was decided on, and its place in that."""
    return f"{HISTORY_SORT}{instant(at)}#{version:010d}#{ordinal:05d}"


def partners() -> str:
    """Partition of the organization index that holds all partners, by name."""
    return "P#@"


def partners_keys(partner_id: str) -> str:
    """Partition of the organization index that holds a partner's API keys, the oldest first."""
    return f"K#{partner_id}"


def partner(partner_id: str) -> str:
    """Partition of a partner."""
    return f"P#{partner_id}"


def api_key(key_id: str) -> str:
    """Partition of an API key."""
    return f"K#{key_id}"


def organization(org_id: str) -> str:
    """Partition of an organization."""
    return f"O#{org_id}"


def own_template(place: str) -> str:
    """Sort key, under an organization, of an own template as it is."""
    return f"{TEMPLATE_SORT}{place}"


def own_template_version(place: str, version: int) -> str:
    """Sort key, under an organization, of an own template as it was in a version."""
    return f"{TEMPLATE_VERSION_SORT}{place}#{version:06d}"


def org_id_of(partition: str) -> str:
    """The organization that `organization` made a partition for."""
    return partition.split("#", 1)[1]


def client(client_id: str) -> str:
    """Partition of the guard that makes a `clientId` globally unique."""
    return f"C#{client_id}"


def ingestions(partner_id: str) -> str:
    """Partition of a partner's ingestions; they sort by id, which begins with the time."""
    return f"{INGESTIONS_PARTITION}{partner_id}"


def ingestion_rows(partner_id: str, ingestion_id: str) -> str:
    """Partition of what became of the statements of a file, in its order."""
    return f"R#{partner_id}#{ingestion_id}"


def ingestion_survey(partner_id: str, ingestion_id: str, etag: str) -> str:
    """Partition of what the first reading of a file noted of one content."""
    return f"{ingestion_rows(partner_id, ingestion_id)}#{etag}"


def digests_page(first: int) -> str:
    """Sort key, in `ingestion_survey`, of a page of statements' numbers from the `first` of the file on."""
    return f"{DIGESTS_SORT}{first:010d}"


def repeats_page(n: int) -> str:
    """Sort key, in `ingestion_survey`, of the page, from 0, of statements that come again."""
    return f"{REPEATS_SORT}{n:06d}"


def patient_account(org_id: str, patient_account_id: str) -> str:
    """Partition of the pointer from a patient account to the account that has its active Lifetime bill."""
    return f"{PATIENT_PARTITION}{org_id}#{patient_account_id}"


def patient_account_id_of(partition: str) -> str:
    """The patient account that `patient_account` made a partition for."""
    return partition.split("#", 2)[2]


def statement_claim(org_id: str, statement_id: str) -> str:
    """Partition of the pointer from a statement to the account that was the first to have its bill."""
    return f"{STATEMENT_PARTITION}{org_id}#{statement_id}"


def claimed_statement_of(partition: str) -> str:
    """The statement that `statement_claim` made a partition for."""
    return partition.split("#", 2)[2]


def link_secret(secret_hash: str) -> str:
    """Partition of the pointer from a link's token or bill code, hashed, to the link."""
    return f"T#{secret_hash}"


def checkout_reference(reference: str) -> str:
    """Partition of the pointer from a processor's reference to the account that it is for."""
    return f"X#{reference}"


def processor_payment(org_id: str, processor_payment: str) -> str:
    """Partition of the pointer from a processor's own id of a payment; the processor is the organization's."""
    return checkout_reference(f"{org_id}#{processor_payment}")


def held_event(event_id: str) -> str:
    """Sort key, under a processor's payment, of an event that came before the payment was known."""
    return f"{HELD_EVENT_SORT}{event_id}"


def texted_number(number_hash: str) -> str:
    """Partition of a phone number, hashed: the accounts that texted it, how texts from it were handled, STOP."""
    return f"M#{number_hash}"


def number_hash_of(partition: str) -> str:
    """The number that `texted_number` made a partition for, hashed."""
    return partition.split("#", 1)[1]


def texted_account(recipient: str, org_id: str, account_id: str) -> str:
    """Sort key, under a number, of an account that had a text sent to it."""
    return f"{TEXTED_ACCOUNT_SORT}{recipient}#{org_id}#{account_id}"


def texted_account_parts(sort_key: str) -> tuple[str, str, str] | None:
    """The recipient, the organization and the account that `texted_account` made a sort key for; None: another did."""
    parts = id_in(sort_key, TEXTED_ACCOUNT_SORT)
    if parts is None:
        return None
    recipient, org_id, account_id = parts.split("#", 2)
    return recipient, org_id, account_id


def number_stop(sender: str) -> str:
    """Sort key, under a number, of what it last said to one of our senders: STOP or START."""
    return f"{NUMBER_STOP_SORT}{sender}"


def inbound_text(inbound_message_id: str) -> str:
    """Sort key, under a number, of a text that came from it and was handled."""
    return f"{INBOUND_TEXT_SORT}{inbound_message_id}"


def audit_trail(partner_id: str) -> str:
    """Partition of a partner's audit trail."""
    return f"U#{partner_id}"


def audit_entry(at: datetime, audit_id: str) -> str:
    """Sort key of an entry of an audit trail: by its time."""
    return f"{instant(at)}#{audit_id}"


def kept_message(notice_id: str) -> str:
    """Partition of a notice's message as it was sent."""
    return f"H#{notice_id}"


def channel_gate(channel: str) -> str:
    """Partition of what all workers of a channel go by: whether it may send, and how fast."""
    return f"G#{channel}"


def idempotency(partner_id: str, key: str) -> str:
    """Partition of the record of one Idempotency-Key of one partner; hashed, because partners choose it freely."""
    return f"Q#{partner_id}#{hashlib.sha256(key.encode()).hexdigest()}"


def code_tries(hashed: str) -> str:
    """Partition of the count of tries of bill codes, by one address or of one code within one window, hashed."""
    return f"V#{hashed}"


def requests(partner_id: str) -> str:
    """Partition of the count of a partner's requests."""
    return f"N#{partner_id}"


def stack_key(purpose: str) -> str:
    """Partition of a key of the stack itself."""
    return f"Z#{purpose}"


def replanning(org_id: str) -> str:
    """Partition of the job that has an organization's accounts planned again."""
    return f"{REPLANNING_PARTITION}{org_id}"


def defaults(partner_id: str) -> str:
    """Partition of a partner's defaults, and of the job that passes them on to its organizations."""
    return f"{DEFAULTS_PARTITION}{partner_id}"


def dunning_configuration(configuration_id: str) -> str:
    """Sort key, under a partner's defaults, of a dunning configuration of its own."""
    return f"{CONFIGURATION_SORT}{configuration_id}"


def print_batches(org_id: str) -> str:
    """Partition of an organization's print batches, and of its letters that no manifest has yet."""
    return f"{PRINT_BATCHES_PARTITION}{org_id}"


def waiting_letter(notice_id: str) -> str:
    """Sort key, under an organization's print batches, of a letter that no manifest has yet."""
    return f"{WAITING_LETTER_SORT}{notice_id}"


def print_batch(day: date) -> str:
    """Sort key, under an organization's print batches, of the closed batch of a day."""
    return f"{PRINT_BATCH_SORT}{day.isoformat()}"


def reports(org_id: str) -> str:
    """Partition of an organization's reports."""
    return f"{REPORTS_PARTITION}{org_id}"


def added_by(account_id: str) -> str:
    """Sort key, under an organization's reports, of what an account adds to them."""
    return f"{ADDED_SORT}{account_id}"


def figures_of(day: str) -> str:
    """Sort key, under an organization's reports, of a day's figures; days are ISO 8601."""
    return f"{FIGURES_SORT}{day}"


def postings_of(day: str, account_id: str) -> str:
    """Sort key, under an organization's reports, of an account's postings of a day."""
    return f"{POSTINGS_SORT}{day}#{account_id}"


def ageing_of(day: str) -> str:
    """Sort key, under an organization's reports, of what was owed when a day ended."""
    return f"{AGEING_SORT}{day}"


def changed_shards() -> tuple[str, ...]:
    """All partitions of the statement index that hold accounts to look at for reports."""
    return tuple(f"U#{shard}" for shard in range(DUE_SHARDS))


def changed_shard(org_id: str) -> str:
    """Partition of the statement index that holds an organization's accounts to look at for reports."""
    return f"U#{due_shard(org_id).removeprefix('D#')}"


def changed_account(org_id: str, account_id: str, not_before: datetime | None = None) -> str:
    """Sort key there of an account: by when to look at it; None: at once."""
    return f"{org_id}#{instant(not_before) if not_before else BEFORE_ALL}#{account_id}"


def changed_accounts_until(org_id: str, now: datetime) -> tuple[str, str]:
    """Between which sort keys there an organization's accounts are that are to be looked at by now."""
    return f"{org_id}#", f"{org_id}#{instant(now)}#~"


def after_changed_accounts(org_id: str) -> str:
    """A sort key there behind all of an organization's accounts."""
    return f"{org_id}#~"


def changed_account_parts(sort_key: str) -> tuple[str, str]:
    """The organization and the account that `changed_account` made a sort key for."""
    org_id, _, account_id = sort_key.split("#", 2)
    return org_id, account_id


def outbox(entry_id: str) -> str:
    """Partition of an entry of the outbox."""
    return f"{OUTBOX_PARTITION}{entry_id}"


def webhook_endpoints(partner_id: str) -> str:
    """Partition of a partner's webhook endpoints, each under its id."""
    return f"{WEBHOOKS_PARTITION}{partner_id}"


def webhook_deliveries(partner_id: str, endpoint_id: str) -> str:
    """Partition of the deliveries to an endpoint; they sort by id, which begins with the time."""
    return f"{WEBHOOKS_PARTITION}{partner_id}#{endpoint_id}"


def staff(partner_id: str) -> str:
    """Partition of a partner's staff, each under their id."""
    return f"ST#{partner_id}"


def due_shard(partition: str) -> str:
    """The shard of the due index that all of an account's items are in."""
    return f"D#{int.from_bytes(hashlib.sha256(partition.encode()).digest()[:4]) % DUE_SHARDS}"


def due_shards() -> tuple[str, ...]:
    """All shards of the due index."""
    return tuple(f"D#{shard}" for shard in range(DUE_SHARDS))


def shard_lease(shard: str) -> str:
    """Partition of the lease by which one run of the scheduler at a time works on a shard of the due index."""
    return f"E#{shard.removeprefix('D#')}"


def ledger_check() -> str:
    """Partition of the place that the day's check of the ledger has come to."""
    return "E#ledger"


def set_aside(shard: str) -> str:
    """Partition of the list of what failed and was set aside in a shard of the due index."""
    return f"F#{shard.removeprefix('D#')}"


def set_aside_row(partition: str, sort_key: str) -> str:
    """Sort key, in the list of what was set aside, of the item with this key."""
    return f"{partition}|{sort_key}"


def instant(moment: datetime) -> str:
    """An instant as it sorts: UTC, to the microsecond, always the same width."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(value: str) -> datetime:
    """An instant as `instant` wrote it, read back."""
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def statement_index(org_id: str) -> str:
    """Partition of the statement index: an organization's bills by statement, its notices by id."""
    return f"S#{org_id}"


def notice_lookup(notice_id: str) -> str:
    """Sort key of a notice, in its account and in the statement index."""
    return f"{NOTICE_SORT}{notice_id}"


def bill_lookup(statement_id: str) -> str:
    """Sort key of a bill, in its account and in the statement index."""
    return f"{BILL_SORT}{statement_id}"


def notifications(org_id: str) -> str:
    """Partition of the organization index that holds an organization's notices by time."""
    return f"N#{org_id}"


def payments(org_id: str) -> str:
    """Partition of the organization index that holds an organization's payments, by `payment_place`."""
    return f"Y#{org_id}"


def payment_place(received_on: date, payment_id: str) -> str:
    """Where a payment stands among its organization's: by the day that it was received."""
    return f"{received_on.isoformat()}#{payment_id}"


def tasks(org_id: str) -> str:
    """Partition of an organization's tasks; they sort by id, which begins with the time."""
    return f"W#{org_id}"


def tasks_of_status(org_id: str, status: str) -> str:
    """Partition of the organization index that holds an organization's tasks of one status, by id."""
    return f"{tasks(org_id)}#{status}"


def search_entry(entry: str) -> str:
    """Sort key, in an account, of what a search finds it by."""
    return f"{SEARCH_ENTRY_SORT}{entry}"


def search_entries(org_id: str, fact_hash: str) -> str:
    """Partition of the organization index that holds the accounts with a fact, hashed; of names, with its beginning."""
    return f"{SEARCH_ENTRY_SORT}{org_id}#{fact_hash}"


def search_place(letters: str, account_id: str) -> str:
    """Where an account stands under a fact: by the further letters of the name, hashed one by one."""
    return f"{letters}#{account_id}"


def owing(org_id: str) -> str:
    """Partition of the organization index that holds an organization's accounts that owe, by `owing_place`."""
    return f"V#{org_id}"


def owing_place(since: date, account_id: str) -> str:
    """Where an account stands among those that owe: by the day from which its oldest unpaid bill counts."""
    return f"{since.isoformat()}#{account_id}"


def notification(scheduled_for: datetime, notice_id: str) -> str:
    """Sort key of a notice in the organization index: by the time that it is scheduled for."""
    return f"{instant(scheduled_for)}#{notice_id}"


def organizations(partner_id: str) -> str:
    """Partition of the organization index that holds a partner's organizations by name."""
    return f"P#{partner_id}"


def organization_name(name: str, org_id: str) -> str:
    """Sort key of an organization in the organization index: by its name, in any case."""
    return f"{name.casefold()}#{org_id}"

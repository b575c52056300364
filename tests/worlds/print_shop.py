"""A practice that only writes letters: the real scheduler, sender and closer of batches, on AWS in memory.

Every function runs as an Actor (delivery_actors.py), so that a test can hold it between any two of its calls, let
another overtake it, or kill it. Time is a real stack's: a function is dead when its timeout is over.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from functions.render_print.letter_writer import LetterWriter
from functions.render_print.print_batch import BatchCloser, Manifest
from functions.scheduler.sweep import Sweep
from shared.contracts.messages import ClosePrintBatch, NoticeMessage
from shared.domain.account.queue_actions import ActionRefusedError, QueueAction, act
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import Channel, CommunicationStatus, NoticeStatus, NotificationType
from shared.sending.send_notice import NoticeSender
from shared.storage import keys
from shared.storage.print_batches import PrintBatches
from shared.storage.races import BusyError
from tests.worlds.delivery_actors import Actor, Fate, Stage
from tests.worlds.delivery_providers import read_asked
from tests.worlds.examples import account, book, notice, organization
from tests.worlds.ledger import ORG, Ledger
from tests.worlds.memory_table import MemoryTable, refusal
from tests.worlds.sending_world import OpenGate
from tests.worlds.wiring import scheduler_ports

CONSUMER_LIVES, SCHEDULER_LIVES = timedelta(seconds=60), timedelta(seconds=300)
LEASE = timedelta(minutes=15)
GIVEN_UP = (ClientError, BotoCoreError, BusyError)
MOST_TURNS = 200


@dataclass
class Bucket:
    """S3 in memory, as its client: objects by key, with their metadata."""

    stage: Stage
    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    def put_object(self, *, Key: str, Body: bytes, **more: Any) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at(f"put_object {Key.rpartition('.')[2]}")
        assert more["IfNoneMatch"] == "*"

        def put() -> Any:
            if Key in self.objects:
                raise refusal("PreconditionFailed", "PutObject")
            self.objects[Key] = Body, more["Metadata"]
            return {}

        return self.stage.effect(put)

    def head_object(self, *, Key: str, **_: Any) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("head_object")
        return {"Metadata": self.objects[Key][1]}

    def get_object(self, *, Key: str, **_: Any) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("get_object")
        return {"Body": BytesIO(self.objects[Key][0])}


@dataclass
class Queues:
    """The queues, as SQS's client. A standard queue may bring a message again, so none is taken away."""

    stage: Stage
    notices: list[NoticeMessage] = field(default_factory=list)
    closings: list[ClosePrintBatch] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("send_message_batch")

        def send() -> Any:
            for entry in Entries:
                self._take(entry["MessageBody"])
            return {"Successful": Entries}

        return self.stage.effect(send)

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> Any:  # noqa: N803 - the service's own spelling
        self.stage.at("send_message")
        return self.stage.effect(lambda: self._take(MessageBody))

    def _take(self, body: str) -> None:
        message = read_asked(body)
        if isinstance(message, ClosePrintBatch):
            self.closings.append(message)
        else:
            self.notices.append(message)


@dataclass(eq=False)
class PrintShop:
    """One organization, its letters, and what is printed of them."""

    now: datetime
    zone: str = "America/New_York"
    stage: Stage = field(default_factory=Stage)

    def __post_init__(self) -> None:
        self.table = MemoryTable(at=self.stage.at, effect=self.stage.effect)
        self.bucket, self.queues = Bucket(self.stage), Queues(self.stage)
        # Disabled: nothing goes but what staff asks for.
        practice = organization(time_zone=self.zone, communication_status=CommunicationStatus.DISABLED)
        self.ledger = Ledger(self.table)
        self.organization = self.ledger.organizations.create(practice)
        self.letters = 0

    # --- what happens ------------------------------------------------------------------------------------------------

    def order_letter(self) -> NoticeMessage:
        """Staff asks for a letter, and the scheduler has just queued it."""
        self.letters += 1
        account_id = f"G-{self.letters}"
        row = notice(
            notice_id=f"ntc_{self.letters:04d}",
            account_id=account_id,
            channel=Channel.PRINT,
            notification_type=NotificationType.ON_DEMAND,
            level=0,
            status=NoticeStatus.QUEUED,
            scheduled_for=self.now,
            created_at=self.now,
            lease_until=self.now + LEASE,
        )
        self.ledger.open(book(account=account(account_id=account_id), notices=(row,)))
        message = NoticeMessage(org_id=ORG, account_id=account_id, notice_id=row.notice_id)
        self.queues.notices.append(message)
        return message

    def send(self, *messages: NoticeMessage) -> Actor:
        """One invocation of the sender, with a batch of messages."""

        def job() -> None:
            writer = LetterWriter(cast("Any", self.bucket), "print", "https://pay.example.com")
            delivery = NoticeSender(self.ledger.books, self.ledger.rows, self.ledger.organizations, writer, OpenGate())
            for message in messages:
                self._giving_up(
                    lambda asked=message: delivery.deliver(  # type: ignore[misc] # mypy can't infer a bound default
                        asked.org_id, asked.account_id, asked.notice_id, self.now
                    )
                )

        return self._begin("sender", job, CONSUMER_LIVES)

    def close(self) -> Actor:
        """One invocation of the closer."""

        def job(now: datetime = self.now) -> None:
            closer = BatchCloser(
                PrintBatches(*self.ledger.storage), self.ledger.organizations, cast("Any", self.bucket), "print"
            )
            self._giving_up(lambda: closer.close(ORG, now))

        return self._begin("closer", job, CONSUMER_LIVES)

    def sweep(self) -> Actor:
        """A run of the scheduler."""

        def job(now: datetime = self.now) -> None:
            ports = scheduler_ports(*self.ledger.storage, self.queues, dict.fromkeys(Channel, "print"))
            run = Sweep(ports, now=now, as_of=None)
            self._giving_up(run.run)

        return self._begin("scheduler", job, SCHEDULER_LIVES)

    def cancel(self, notice_id: str) -> None:
        """Staff cancels a letter, if it still can."""
        account_id = f"G-{int(notice_id[4:])}"
        try:
            self.ledger.books.change(
                ORG, account_id, lambda book: act(book, notice_id, QueueAction.CANCEL, self.now, "key:k1")
            )
        except ActionRefusedError:
            return

    def move_to(self, zone: str) -> None:
        """The organization's time zone is changed."""
        self.organization = self.ledger.organizations.save(replace(self.organization, time_zone=zone))

    def go_on(self, actor: Actor, calls: int | None = None, fate: Fate = Fate.DONE) -> None:
        """Let a function make some calls, all that it has left to make (None), and then suffer a fate."""
        made = 0
        while actor.running and made != calls:
            self.stage.go_on(actor)
            made += 1
        if actor.running and fate is not Fate.DONE:
            self.stage.go_on(actor, fate)

    def wait(self, until: datetime) -> None:
        """Time goes by; a function whose time is up is killed on the way."""
        self.now = max(self.now, until)
        for actor in list(self.stage.actors):
            if actor.lives_until < self.now:
                self.stage.go_on(actor, Fate.DEATH)

    def until_quiet(self) -> None:
        """Let everything run undisturbed, until nothing is due any more."""
        for _ in range(MOST_TURNS):
            for actor in list(self.stage.actors):
                self.go_on(actor)
            self.go_on(self.sweep())
            for message in self.queues.notices:
                self.go_on(self.send(message))
            self.queues.notices.clear()
            if self.queues.closings:
                self.go_on(self.close())
            self.queues.closings.clear()
            due = self.ledger.next_due()
            if due is None:
                return
            self.wait(due)
        raise AssertionError("it never comes to rest")

    def _begin(self, name: str, job: Callable[[], None], lives: timedelta) -> Actor:
        actor = Actor(name, name, job, self.now, self.now + lives)
        self.stage.begin(actor)
        return actor

    @staticmethod
    def _giving_up(job: Callable[[], object]) -> None:
        """A function that fails leaves what it did; who called it will call it again."""
        try:
            job()
        except GIVEN_UP:
            return

    # --- what is there -----------------------------------------------------------------------------------------------

    def rows(self) -> list[Notice]:
        books = (self.ledger.book(f"G-{n + 1}") for n in range(self.letters))
        return [row for book in books for row in book.notices]

    def manifests(self) -> dict[date, Manifest]:
        """What the print shop finds, by day."""
        found = [
            Manifest.model_validate_json(body)
            for key, (body, _) in self.bucket.objects.items()
            if key.endswith(".manifest")
        ]
        assert len({manifest.day for manifest in found}) == len(found)
        return {manifest.day: manifest for manifest in sorted(found, key=lambda manifest: manifest.day)}

    def listed(self) -> Counter[str]:
        """How many manifests list each letter."""
        return Counter(letter.notification_id for manifest in self.manifests().values() for letter in manifest.letters)

    def waiting(self) -> list[str]:
        return [letter.notice_id for letter in PrintBatches(*self.ledger.storage).letters(ORG)]

    def assert_promises(self) -> None:
        """What holds at every moment."""
        twice = {letter: count for letter, count in self.listed().items() if count > 1}
        assert not twice
        rows = {row.notice_id: row for row in self.rows()}
        for manifest in self.manifests().values():
            assert (manifest.count, manifest.pages) == (
                len(manifest.letters),
                sum(letter.pages for letter in manifest.letters),
            )
            for letter in manifest.letters:
                assert rows[letter.notification_id].status is NoticeStatus.SENT
                assert letter.sha256 == hashlib.sha256(self.bucket.objects[letter.pdf][0]).hexdigest()
        if self.waiting():
            assert "due_at" in self.table.items[keys.print_batches(ORG), keys.ROOT]

    def assert_at_rest(self) -> None:
        """What holds when nothing is left to do: each letter sent is in a manifest, and each batch is recorded."""
        self.assert_promises()
        sent = {row.notice_id for row in self.rows() if row.status is NoticeStatus.SENT}
        assert set(self.listed()) == sent
        assert self.waiting() == []
        recorded = {batch.day: batch for batch in PrintBatches(*self.ledger.storage).closed(ORG, 1000)}
        assert recorded == {day: manifest.batch for day, manifest in self.manifests().items()}

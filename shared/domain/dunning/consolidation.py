"""One consolidated notice per guarantor, channel and day, following the highest level among what is due."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from shared.domain.dunning.decision import Finding
from shared.domain.dunning.rules import decide
from shared.domain.dunning.situation import ChannelDecision, ChannelQuestion, DueBill, Situation
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel

type DueByChannel = Mapping[Channel, tuple[DueBill, ...]]


@dataclass(slots=True)
class Consolidation:
    """What each channel does: the decisions that go, those that are refused, and what was found on the way."""

    going: dict[Channel, ChannelDecision] = field(default_factory=dict)
    refused: dict[tuple[Channel, Reason], list[DueBill]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def consolidate(situation: Situation, questions: Mapping[Channel, ChannelQuestion], due: DueByChannel) -> Consolidation:
    """Decide all channels together.

    The highest bills decide. Where no channel goes for them, their step stays open and must not silence the others
    (docs/rules.md#no-silencing): they are put aside and the rest is decided as if they weren't there. Bills that no
    going channel covers, because they are under its minimum, are decided among themselves on the channels still free.
    """
    result = Consolidation()
    waiting = {entry.bill.statement_id for entries in due.values() for entry in entries}
    while waiting:
        decisions = _round(situation, questions, due, waiting, result)
        waiting -= _settle(result, decisions, _highest(due, waiting))
    return result


def _settle(result: Consolidation, decisions: list[ChannelDecision], highest: set[str]) -> set[str]:
    """Keep what a round decided, and answer for which statements it is settled now.

    It goes if it speaks of the highest ones, and then settles all that it speaks of. Else it doesn't count: only the
    highest are settled, by what refuses them.
    """
    going = [decision for decision in decisions if decision.goes]
    covered = set[str]().union(*(decision.statement_ids for decision in going))
    goes = bool(covered & highest)
    if goes:
        result.going |= {decision.channel: decision for decision in going}
    settled = covered if goes else highest
    _note(result, decisions, settled)
    return settled


def _round(
    situation: Situation,
    questions: Mapping[Channel, ChannelQuestion],
    due: DueByChannel,
    waiting: set[str],
    result: Consolidation,
) -> list[ChannelDecision]:
    """Decide the channels still free for the bills still waiting: electronic ones first, as paper may yield to them."""
    decisions = list[ChannelDecision]()
    electronically = set[str]()
    for channel in Channel:
        if channel in result.going:
            continue
        bills = tuple(entry for entry in due[channel] if entry.bill.statement_id in waiting)
        sent_before = {
            entry.bill.statement_id
            for entry in bills
            if situation.standing(entry.bill, entry.current).sent_electronically
        }
        question = replace(questions[channel], electronically=frozenset(electronically | sent_before))
        decision = decide(question, bills)
        decisions.append(decision)
        if decision.goes and channel.electronic:
            electronically |= decision.statement_ids
    return decisions


def _highest(due: DueByChannel, waiting: set[str]) -> set[str]:
    """The statements at the highest level among those waiting, each as it is on the last channel that it is due on."""
    levels = {
        entry.bill.statement_id: entry.current.level
        for entry in chain.from_iterable(due.values())
        if entry.bill.statement_id in waiting
    }
    highest = max(levels.values())
    return {statement for statement, level in levels.items() if level == highest}


def _note(result: Consolidation, decisions: list[ChannelDecision], settled: set[str]) -> None:
    """Keep what was found for the bills that are settled now, and what was refused to them."""
    for decision in decisions:
        result.findings += [entry for entry in decision.findings if entry.statement_id in settled]
        for due, reason in decision.refused:
            if due.bill.statement_id in settled:
                result.refused.setdefault((decision.channel, reason), []).append(due)

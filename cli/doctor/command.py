"""The command: every check in its order, a table or JSON, and an exit status that a deployment can go by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor import checks
from cli.doctor.checks import Diagnosis, Health
from cli.doctor.reading import Surroundings, UnseenError
from cli.output import say, say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption


@dataclass(frozen=True)
class Examination:
    """One check: what it is about, how it is read, and what is made of that.

    of_account: about the account or the world around it, which a local AWS can only make up.
    """

    name: str
    read: Callable[[Surroundings], Any]
    judge: Callable[[Any], Diagnosis]
    of_account: bool = False

    def run(self, surroundings: Surroundings) -> Diagnosis:
        """Read and judge. What can't be read is unseen, and says why."""
        if self.of_account and surroundings.is_local:
            return Diagnosis(Health.UNSEEN, "a local AWS doesn't have it")
        try:
            return self.judge(self.read(surroundings))
        except UnseenError as error:
            return Diagnosis(Health.UNSEEN, str(error))
        except ClientError as error:
            return Diagnosis(Health.UNSEEN, f"AWS refused {error.operation_name}: {error.response['Error']['Code']}")
        except BotoCoreError as error:
            return Diagnosis(Health.UNSEEN, f"AWS wasn't reached: {type(error).__name__}")


EXAMINATIONS = (
    Examination("alarms are heard", Surroundings.alarm_topic, checks.alarm_topic, of_account=True),
    Examination("API Gateway's log role", Surroundings.log_role, checks.log_role, of_account=True),
    Examination("email account", Surroundings.email_account, checks.email_account, of_account=True),
    Examination("sender identities", Surroundings.sender_identities, checks.sender_identities),
    Examination("DMARC", Surroundings.dmarc, checks.dmarc, of_account=True),
    Examination(
        "text sandbox", Surroundings.text_sandbox, lambda read: checks.text_sandbox(in_sandbox=read), of_account=True
    ),
    Examination("text spending", Surroundings.text_spending, checks.text_spending, of_account=True),
    Examination("origination numbers", Surroundings.origination_numbers, checks.origination_numbers, of_account=True),
    Examination("text reports", Surroundings.text_reports, checks.text_reports, of_account=True),
    Examination("functions at a time", Surroundings.concurrency, checks.concurrency, of_account=True),
    Examination("custom domain", Surroundings.domain, checks.domain),
    Examination("schedule", Surroundings.schedule, checks.schedule),
    Examination("key of cursors", Surroundings.cursor_key, checks.cursor_key),
    Examination("Stripe secrets", Surroundings.stripe_secrets, checks.stripe_secrets),
)
"""In the order of docs/runbook.md#before-the-first-deployment."""


def doctor(
    stack: StackOption,
    *,
    partner: Annotated[str | None, typer.Option(help="Ask about this partner's secrets.", show_default=False)] = None,
    strict: Annotated[bool, typer.Option("--strict", help="What can't be seen counts as missing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the account and the stack: what is missing, and how to mend it. Exits 0 only if nothing is."""
    surroundings = Surroundings(DeployedStack.find(stack), partner)
    found = [(each.name, each.run(surroundings)) for each in EXAMINATIONS]
    if as_json:
        say_json({"checks": [_row(name, diagnosis) for name, diagnosis in found]})
    else:
        rows = [(name, about.health, about.found, about.mend) for name, about in found]
        say_table(f"{stack}: the account and the stack", ("check", "", "found", "to mend it"), rows)
        unseen = [name for name, about in found if about.health is Health.UNSEEN]
        if unseen:
            say(f"Not seen from here: {', '.join(unseen)}.")
    wrong = {Health.MISSING, Health.UNSEEN} if strict else {Health.MISSING}
    if any(about.health in wrong for _, about in found):
        raise typer.Exit(1)


def _row(name: str, diagnosis: Diagnosis) -> dict[str, str]:
    return {"check": name, "health": diagnosis.health, "found": diagnosis.found, "mend": diagnosis.mend}

"""The command `dunlin`."""

import sys
from collections.abc import Sequence

import httpx
import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.command import doctor
from cli.erasing import erase
from cli.errors import CommandError
from cli.forecasts import forecast
from cli.output import say_error
from cli.partners import key_commands, partner_commands
from cli.promises import check
from cli.queues import queue, redrive
from cli.reconciliation import reconcile
from cli.restoring import restore_commands
from cli.statements import statement_commands
from cli.stops import go, stop

app = typer.Typer(
    name="dunlin",
    help="Operate Dunlin: the account, partners and keys, statement files, queues.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(partner_commands, name="partner")
app.add_typer(key_commands, name="key")
app.add_typer(statement_commands, name="statements")
app.add_typer(restore_commands, name="restore")
app.command("doctor")(doctor)
app.command("queue")(queue)
app.command("redrive")(redrive)
app.command("forecast")(forecast)
app.command("reconcile")(reconcile)
app.command("stop")(stop)
app.command("go")(go)
app.command("erase")(erase)
app.command("check")(check)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave the process: with 0 only when all of it worked."""
    try:
        app(args=arguments)
    except CommandError as error:
        say_error(str(error))
    except ClientError as error:
        about = error.response["Error"]
        say_error(f"AWS refused {error.operation_name}: {about.get('Message') or about.get('Code')}")
    except BotoCoreError as error:
        say_error(str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        say_error(f"{type(error).__name__}: {error}")
    sys.exit(1)

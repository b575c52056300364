"""Partners and their API keys."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.output import say, say_json
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.domain.records.partner import Partner, Scope, new_api_key

partner_commands = typer.Typer(no_args_is_help=True, help="Partners: the billing companies that send statements.")
key_commands = typer.Typer(no_args_is_help=True, help="API keys of partners.")


@partner_commands.command("create")
def create_partner(
    name: Annotated[str, typer.Option(help="The partner's name.", show_default=False)],
    stack: StackOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Create a partner."""
    if not name.strip() or not name.isprintable():
        raise CommandError("a partner needs a name of printable characters")
    partner = Partner(partner_id=f"prt_{secrets.token_hex(10)}", name=name.strip(), created_at=datetime.now(UTC))
    DeployedStack.find(stack).organizations.create_partner(partner)
    if as_json:
        say_json({"partnerId": partner.partner_id})
    else:
        say(f"Created partner {partner.partner_id}.")


@key_commands.command("create")
def create_key(
    partner: Annotated[str, typer.Option(help="The partner's id.", show_default=False)],
    scopes: Annotated[str, typer.Option(help=f"Any of {', '.join(Scope)}, by commas.", show_default=False)],
    stack: StackOption,
    *,
    live: Annotated[bool, typer.Option("--live", help="Make a dun_live_ key instead of a dun_test_ one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create an API key. It is shown this once: only a hash of it is kept."""
    chosen = _scopes(scopes)
    deployed = DeployedStack.find(stack)
    if deployed.organizations.partner(partner) is None:
        raise CommandError(f"there is no partner {partner}")
    key, presented = new_api_key(partner, chosen, datetime.now(UTC), secrets.token_bytes, live=live)
    deployed.api_keys.save(key)
    if as_json:
        say_json({"key": presented, "keyId": key.key_id})
    else:
        say(f"Created key {key.key_id}. Note it down, it won't be shown again:\n{presented}")


@key_commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The public id inside the key.")],
    stack: StackOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Revoke an API key: it is refused from now on."""
    api_keys = DeployedStack.find(stack).api_keys
    key = api_keys.get(key_id)
    if key is None:
        raise CommandError(f"there is no key {key_id}")
    revoked_at = key.revoked_at or datetime.now(UTC)
    api_keys.save(replace(key, revoked_at=revoked_at))
    if as_json:
        say_json({"keyId": key_id, "revokedAt": f"{revoked_at:%Y-%m-%dT%H:%M:%S}Z"})
    else:
        say(f"Revoked key {key_id}.")


def _scopes(given: str) -> frozenset[Scope]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    unknown = [word for word in words if word not in set(Scope)]
    if unknown or not words:
        raise CommandError(f"scopes must be some of {', '.join(Scope)}, not {', '.join(unknown) or 'none'}")
    return frozenset(Scope(word) for word in words)

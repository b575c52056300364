"""Partners and their API keys."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.output import say, say_json, say_table
from cli.stack import DeployedStack, JsonOption, StackOption
from shared.domain.records.audit import AuditEntry, differing
from shared.domain.records.partner import (
    ApiKey,
    KeyNotInForceError,
    Partner,
    Scope,
    new_api_key,
    rotated,
)
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import AccountStatus
from shared.storage.races import until_won

partner_commands = typer.Typer(no_args_is_help=True, help="Partners: the billing companies that send statements.")
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the audit trail.", show_default=False)]

PartnerArgument = Annotated[str, typer.Argument(metavar="PARTNER_ID", help="The partner's id.")]

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
    audit = _told(partner.partner_id, "PartnerCreated", f"partner:{partner.partner_id}", {}, {"name": partner.name})
    DeployedStack.find(stack).organizations.create_partner(partner, audit)
    if as_json:
        say_json({"partnerId": partner.partner_id})
    else:
        say(f"Created partner {partner.partner_id}.")


@partner_commands.command("list")
def list_partners(stack: StackOption, *, as_json: JsonOption = False) -> None:
    """List all partners, by name."""
    partners = DeployedStack.find(stack).organizations.partners()
    if as_json:
        say_json({"items": [_shown(partner) for partner in partners]})
    else:
        rows = [(each.partner_id, each.name, each.account_status, _instant(each.created_at)) for each in partners]
        say_table("Partners", ("partner", "name", "account status", "created"), rows)


@partner_commands.command("show")
def show_partner(partner_id: PartnerArgument, stack: StackOption, *, as_json: JsonOption = False) -> None:
    """Show a partner with its organizations."""
    found = DeployedStack.find(stack)
    partner = _partner(found, partner_id)
    organizations = found.organizations.list(partner_id)
    if as_json:
        own = [
            {"orgId": each.org_id, "name": each.name, "accountStatus": each.account_status} for each in organizations
        ]
        say_json({**_shown(partner), "organizations": own})
        return
    say(f"{partner.name} ({partner_id}) is {partner.account_status}, created {_instant(partner.created_at)}.")
    rows = [(each.org_id, each.name, each.account_status) for each in organizations]
    say_table("Organizations", ("organization", "name", "account status"), rows)


@partner_commands.command("status")
def set_partner_status(
    partner_id: PartnerArgument,
    account_status: Annotated[AccountStatus, typer.Argument(help="Only an Active partner's organizations dun.")],
    stack: StackOption,
    *,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Set a partner's account status. It reaches its organizations in the background, within minutes."""
    found = DeployedStack.find(stack)
    before = _partner(found, partner_id)
    changed = replace(before, account_status=account_status)
    was, becomes = {"accountStatus": before.account_status}, {"accountStatus": account_status}
    audit = _told(partner_id, "PartnerStatusChanged", f"partner:{partner_id}", was, becomes, reason)

    def attempt() -> None:
        defaults = found.defaults.get(partner_id)
        after = replace(defaults, account_status=account_status)
        found.organizations.save_partner(changed, after, datetime.now(UTC), audit)

    until_won(attempt)
    if as_json:
        say_json(_shown(changed))
    else:
        say(f"Partner {partner_id} is {account_status}.")


@key_commands.command("list")
def list_keys(
    partner: Annotated[str, typer.Option(help="The partner's id.", show_default=False)],
    stack: StackOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """List a partner's API keys, with their scopes and the last day that each was used."""
    found = DeployedStack.find(stack)
    _partner(found, partner)
    keys = found.api_keys.of_partner(partner)
    if as_json:
        say_json({"items": [_key(key) for key in keys]})
    else:
        shown = [_key(key) | {"scopes": ", ".join(sorted(key.scopes))} for key in keys]
        rows = [tuple(value or "" for value in each.values()) for each in shown]
        say_table("Keys", ("key", "scopes", "created", "last used on", "expires", "revoked"), rows)


@key_commands.command("rotate")
def rotate_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The public id inside the key.")],
    stack: StackOption,
    *,
    overlap_days: Annotated[int, typer.Option(min=0, max=90, help="For how long the old key still works.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Make a key with the scopes of another, which works beside it for a while, then no more."""
    api_keys = DeployedStack.find(stack).api_keys
    key, now = api_keys.get(key_id), datetime.now(UTC)
    if key is None:
        raise CommandError(f"there is no key {key_id}")
    try:
        old = rotated(key, now, timedelta(days=overlap_days))
    except KeyNotInForceError:
        raise CommandError(f"the key {key_id} is revoked, or another is taking its place already") from None
    new, presented = new_api_key(key.partner_id, key.scopes, now, secrets.token_bytes, live=key.live)
    was, becomes = {"expiresAt": None}, {"expiresAt": _instant(now + timedelta(days=overlap_days)), "by": new.key_id}
    audit = _told(key.partner_id, "KeyRotated", f"key:{key_id}", was, becomes)
    api_keys.rotate(old, new, audit)
    until = _instant(now + timedelta(days=overlap_days))
    if as_json:
        say_json({"key": presented, "keyId": new.key_id, "replaces": key_id, "oldKeyExpiresAt": until})
    else:
        say(f"Created key {new.key_id}; {key_id} works until {until}. It won't be shown again:\n{presented}")


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
    audit = _told(partner, "KeyCreated", f"key:{key.key_id}", {}, {"scopes": sorted(chosen), "live": live})
    deployed.api_keys.save(key, audit)
    if as_json:
        say_json({"key": presented, "keyId": key.key_id})
    else:
        say(f"Created key {key.key_id}. Note it down, it won't be shown again:\n{presented}")


@key_commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The public id inside the key.")],
    stack: StackOption,
    *,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Revoke an API key: it is refused from now on."""
    api_keys = DeployedStack.find(stack).api_keys
    key = api_keys.get(key_id)
    if key is None:
        raise CommandError(f"there is no key {key_id}")
    revoked_at = key.revoked_at or datetime.now(UTC)
    was = {"revokedAt": _instant(key.revoked_at) if key.revoked_at else None}
    audit = _told(key.partner_id, "KeyRevoked", f"key:{key_id}", was, {"revokedAt": _instant(revoked_at)}, reason)
    api_keys.save(replace(key, revoked_at=revoked_at), audit)
    if as_json:
        say_json({"keyId": key_id, "revokedAt": _instant(revoked_at)})
    else:
        say(f"Revoked key {key_id}.")


def _told(
    partner_id: str,
    action: str,
    subject: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    reason: str = "",
) -> AuditEntry:
    """What the partner's audit trail will have of a change by an operator."""
    was, became = differing(before, after)
    return AuditEntry(
        audit_id=f"aud_{secrets.token_hex(8)}",
        partner_id=partner_id,
        at=datetime.now(UTC),
        actor=Actor.OPERATOR,
        action=action,
        subject=subject,
        before=was,
        after=became,
        reason=reason,
    )


def _partner(stack: DeployedStack, partner_id: str) -> Partner:
    partner = stack.organizations.partner(partner_id)
    if partner is None:
        raise CommandError(f"there is no partner {partner_id}")
    return partner


def _shown(partner: Partner) -> dict[str, str]:
    return {
        "partnerId": partner.partner_id,
        "name": partner.name,
        "accountStatus": partner.account_status,
        "createdAt": _instant(partner.created_at),
    }


def _key(key: ApiKey) -> dict[str, object]:
    return {
        "keyId": key.key_id,
        "scopes": sorted(key.scopes),
        "createdAt": _instant(key.created_at),
        "lastUsedOn": key.last_used_on.isoformat() if key.last_used_on else None,
        "expiresAt": _instant(key.expires_at) if key.expires_at else None,
        "revokedAt": _instant(key.revoked_at) if key.revoked_at else None,
    }


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _scopes(given: str) -> frozenset[Scope]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    unknown = [word for word in words if word not in set(Scope)]
    if unknown or not words:
        raise CommandError(f"scopes must be some of {', '.join(Scope)}, not {', '.join(unknown) or 'none'}")
    return frozenset(Scope(word) for word in words)

"""Masked addresses: where a message was sent, so that a stranger learns nothing."""

from shared.domain.account.contacts import Contact
from shared.domain.vocabulary.words import Channel


def masked(contact: Contact) -> str:
    """Where a message was sent, so that a stranger learns nothing: "m***@example.com", "***0199", "Portland, ME"."""
    if contact.channel is Channel.EMAIL:
        local, _, domain = contact.destination.rpartition("@")
        return f"{local[:1]}***@{domain}"
    if contact.channel is Channel.SMS:
        return f"***{contact.destination[-4:]}"
    return f"{contact.address.city}, {contact.address.state}" if contact.address else ""

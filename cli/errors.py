"""What stops a command."""


class CommandError(Exception):
    """The command can't do, or couldn't do, all that was asked; the text says why, to a person."""

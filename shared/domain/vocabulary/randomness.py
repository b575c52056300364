"""Randomness, which the rules are given and never make: so a test can say what they answer, and how likely it is."""

from collections.abc import Callable

type RandomBytes = Callable[[int], bytes]
"""Answers as many random bytes as it is asked for, which nobody can guess: `secrets.token_bytes`."""

SPARE_BYTES = 8
"""More random bytes than the signs need, so that of two signs none is likelier by more than one in 2⁶⁴."""


def random_signs(random: RandomBytes, alphabet: str, length: int) -> str:
    """So many signs of an alphabet, each as likely as any other."""
    needed = (len(alphabet) ** length).bit_length() // 8 + 1
    left, signs = int.from_bytes(random(needed + SPARE_BYTES)), list[str]()
    for _ in range(length):
        left, place = divmod(left, len(alphabet))
        signs.append(alphabet[place])
    return "".join(signs)

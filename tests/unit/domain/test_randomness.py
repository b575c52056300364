"""What is random is given to the rules: so it is known what they make of it, and that all of it counts."""

from itertools import product
from secrets import token_bytes

from shared.domain.paying.link_secrets import new_bill_code, new_payment_link, new_secret
from shared.domain.records.partner import new_api_key
from shared.domain.vocabulary.randomness import SPARE_BYTES, RandomBytes, random_signs
from tests.worlds.examples import NOW


def numbered(number: int, asked: list[int] | None = None) -> RandomBytes:
    """Bytes that are a number, however many are asked for."""

    def answer(count: int) -> bytes:
        if asked is not None:
            asked.append(count)
        return number.to_bytes(count)

    return answer


def test_every_combination_of_signs_comes_of_as_many_numbers() -> None:
    """Of as many numbers in a row as there are combinations, each makes another."""
    made = {random_signs(numbered(7 + n), "abc", 4) for n in range(3**4)}
    assert made == {"".join(signs) for signs in product("abc", repeat=4)}


def test_so_many_bytes_are_asked_for_that_no_sign_is_likelier_than_another() -> None:
    asked = list[int]()
    random_signs(numbered(0, asked), "ABCDEFGHIJ", 12)
    assert 2 ** (8 * asked[0]) >= 10**12 * 2 ** (8 * SPARE_BYTES)


def test_the_same_randomness_makes_the_same_secrets() -> None:
    """So nothing else than what is given is in them."""
    assert new_secret(numbered(1)) == new_secret(numbered(1)) != new_secret(numbered(2))
    assert new_bill_code(numbered(1)) == new_bill_code(numbered(1)) != new_bill_code(numbered(2))
    assert new_api_key("prt_1", frozenset(), NOW, numbered(3)) == new_api_key("prt_1", frozenset(), NOW, numbered(3))


def test_no_two_links_share_a_secret_or_an_id() -> None:
    many = [
        new_payment_link(org_id="o", account_id="a", now=NOW, lives=NOW - NOW, with_code=True, random=token_bytes)
        for _ in range(200)
    ]
    for found in ({each.token for each in many}, {each.code for each in many}, {each.link.link_id for each in many}):
        assert len(found) == len(many)

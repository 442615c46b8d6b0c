"""Which addresses a text holds: all that a stop may mean, and the one that a grant goes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.addresses import address_of, addresses_in, is_address
from ledger.spelling import normal

_WORD = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
ADDRESSES = st.builds(
    lambda local, tag, domain, top: f"{local}{tag}@{domain}.{top}",
    _WORD,
    st.sampled_from(["", ".b", "+news", "_x", "-y"]),
    _WORD,
    st.sampled_from(["org", "com", "co.uk", "example", "xn--p1ai"]),
)
BETWEEN = st.sampled_from([";", "; ", ",", ", ", "/", " / ", "|", " | ", "\n", "\r\n", "\t", "  ", " und ", "\u2028"])
UNSEEN = st.sampled_from("\u200b\u200e\u202a\u202c\u00ad\ufeff\u2060\u200c")
QUOTED = [("'", "'"), ("`", "`"), ('"', '"'), ("<", ">"), ("(", ")"), ("\u201c", "\u201d"), ("*", "*"), ("#", "#")]
ENDS = [("mailto:", ""), ("", ","), ("", "."), ("", ";"), ("=", ""), ("-", ""), ("'", ""), ("\u00a0", ""), ("<", "")]
MARKS = st.sampled_from([*QUOTED, *ENDS])


def plain(texts: list[str]) -> set[str]:
    return {normal(text) for text in texts}


@given(st.lists(ADDRESSES, min_size=1, max_size=4), BETWEEN)
def test_every_address_of_a_cell_is_read(addresses: list[str], between: str) -> None:
    assert addresses_in(between.join(addresses)) == list(dict.fromkeys(addresses))


@given(ADDRESSES, MARKS, st.text(" ", max_size=2))
def test_a_marked_address_is_read_plain(address: str, marks: tuple[str, str], space: str) -> None:
    assert normal(address) in plain(addresses_in(space + marks[0] + address + marks[1] + space))


@given(ADDRESSES, UNSEEN, st.data())
def test_what_nobody_sees_is_taken_off(address: str, unseen: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(address)))
    written = address[:place] + unseen + address[place:]
    assert addresses_in(written) == [address]
    assert address_of(written) == address


@given(st.text(alphabet=st.sampled_from("ab@.-'<>;,/| \u200b\u00a0\n=*%&\u2019"), max_size=40))
def test_any_text_reads_as_addresses_alone(text: str) -> None:
    found = addresses_in(text)
    assert all(map(is_address, found))
    assert len(plain(found)) == len(found)
    one = address_of(text)
    assert one is None or is_address(one)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'ana@x.org", ["'ana@x.org", "ana@x.org"]),
        ("Ana Berg <ana@x.org>", ["ana@x.org"]),
        ("ana@x.org <ana@x.org>", ["ana@x.org"]),
        ("mailto:ana@x.org?subject=no", ["ana@x.org"]),
        ("please never again to ana@x.org, thanks.", ["ana@x.org"]),
        ("a@x.org-b@y.org", ["a@x.org", "b@y.org"]),
        ("ana @ x.org", ["ana@x.org"]),
        ("ana\uff20x.org", ["ana@x.org"]),
        ("ana%40x.org", ["ana@x.org"]),
        ("&lt;ana@x.org&gt;", ["ana@x.org"]),
        ('{"email":"ana@x.org"}', ["ana@x.org"]),
        ("Newsletter|ana@x.org", ["Newsletter|ana@x.org", "ana@x.org"]),
        ("ed\u00a0.f@x.org", ["f@x.org", "ed.f@x.org"]),
        ("ana@b\u00fccher.de.", ["ana@b\u00fccher.de"]),
        ("*@x.org", []),
        ("@x.org", []),
        ("nobody", []),
        ("ana@x", []),
        ("", []),
    ],
)
def test_what_is_read(text: str, found: list[str]) -> None:
    assert addresses_in(text)[: len(found)] == found
    assert bool(addresses_in(text)) == bool(found)


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        (" ana@x.org ", "ana@x.org"),
        ("'ana@x.org'", "ana@x.org"),
        ("'ana@x.org',", "ana@x.org"),
        ("Ana Berg <ana@x.org>", "ana@x.org"),
        ('"Berg, Ana" (ana@x.org)', "ana@x.org"),
        ("mailto:ana@x.org?subject=yes", "ana@x.org"),
        ("'ana@x.org", "'ana@x.org"),  # a mailbox of its own, to the letter
        ("ana@x.org; bo@x.org", None),
        ("Ana <ana@x.org> bo@x.org", None),
        ("not ana@x.org", None),
        ("ana @ x.org", None),
        ("*@x.org", None),
        ("nobody", None),
    ],
)
def test_a_grant_goes_to_one_clear_address(cell: str, address: str | None) -> None:
    assert address_of(cell) == address

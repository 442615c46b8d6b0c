"""How an address may be written: vectors, and the laws between its forms."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.spelling import broad, former, forms, normal

SAME = [
    ("Anna@Example.ORG ", "anna@example.org"),
    ("anna@bücher.example", "anna@xn--bcher-kva.example"),
    ("anna@BÜCHER.example", "anna@XN--BCHER-KVA.example"),
    ("t@fußball.de", "t@xn--fuball-cta.de"),
    ("x@βόλος.com", "x@xn--nxasmm1c.com"),
    ("x@βόλοσ.com", "x@xn--nxasmq6b.com"),
    ("x@☕.us", "x@xn--53h.us"),
    ("x@my_host.fußball.de", "x@my_host.xn--fuball-cta.de"),
    ("anna@ｅxample。org", "anna@example.org"),
    ("jose\u0301@example.org", "JOSÉ@example.org"),
    ("\u212aurt@example.org", "kurt@example.org"),
    ("νίκος@example.org", "ΝΊΚΟΣ@example.org"),
    ("ΐ@example.org", "ΐ".upper() + "@example.org"),
]
"""Two spellings of one mailbox."""

ALIKE = [
    ("t@fußball.de", "t@fussball.de"),
    ("t@xn--fuball-cta.de", "t@fussball.de"),
    ("x@βόλος.com", "x@xn--nxasmq6b.com"),
    ("Straße@example.org", "strasse@example.org"),
    ("ＡNNA@example.org", "anna@example.org"),
    ("ﬁona@example.org", "fiona@example.org"),
    ("ısmail@example.org", "ismail@example.org"),
    ("İsmail@example.org", "ismail@example.org"),
    ("νίκος@example.org", "νίκοσ@example.org"),
    ("josé@example.org", "jose@example.org"),
    ("anna@bücher.example", "anna@bucher.example"),
    *(
        (f"an{unseen}na@example.org", "anna@example.org")
        for unseen in "\u200b\u200c\u200d\u2060\u00ad\u00a0\ufeff\u1806"
    ),
    ("an\u0338na@example.org", "anna@example.org"),
    *((f"{mark}anna@example.org", "anna@example.org") for mark in ["'", "`", "*", "#", "=", "-", "''", "\u2022"]),
    ("'anna'@example.org", "anna@example.org"),
    ("'josé@example.org", "jose@example.org"),
]
"""Two mailboxes, of which a stop of one is a stop of the other, and a yes is not."""


@pytest.mark.parametrize(("one", "other"), SAME)
def test_addresses_that_are_the_same(one: str, other: str) -> None:
    assert normal(one) == normal(other)
    assert broad(one) == broad(other)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_addresses_of_which_a_stop_reaches_both(one: str, other: str) -> None:
    assert broad(one) == broad(other)
    assert set(forms(one)) & set(forms(other))


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_yes_of_one_is_none_of_the_other(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize("other", ["an.na@example.org", "anna+news@example.org", "anna@example.com", "anna"])
def test_addresses_that_have_nothing_in_common(other: str) -> None:
    assert not set(forms("anna@example.org")) & set(forms(other))


def test_a_plain_address_has_one_form() -> None:
    assert forms(" Anna.B+x@Example.ORG") == ("anna.b+x@example.org",)


@pytest.mark.parametrize("email", ["t@fußball.de", "t@xn--fuball-cta.de"])
def test_a_stop_is_looked_up_under_the_form_of_an_earlier_program(email: str) -> None:
    assert former("t@fußball.de") == "t@fussball.de"
    assert former("t@fußball.de") in forms(email)


# Apart from dots, hyphens and at signs, which part labels and addresses, and are chosen below.
PARTING = "@＠﹫.。．｡․-‐‑﹣－"
letters = st.one_of(
    st.sampled_from([*"ßéıiİﬁ☕ＡaςΣſK", "e\u0301", "\u200d", "\u00ad"]),
    st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"], exclude_characters=PARTING),
)
words = st.lists(letters, max_size=6).map("".join)
labels = st.one_of(
    words,
    st.sampled_from(["fußball", "fussball", "xn--fuball-cta", "XN--fuball-cta", "βόλος", "xn--nxasmm1c", "xn--53h"]),
)
domains = st.builds(
    lambda parts, dot: dot.join(parts), st.lists(labels, min_size=1, max_size=3), st.sampled_from(".。．｡")
)
addresses = st.builds(lambda local, domain: f"{local}@{domain}", words, domains)


@given(addresses)
def test_a_form_is_its_own_form(email: str) -> None:
    assert normal(normal(email)) == normal(email)
    assert broad(broad(email)) == broad(email)


@given(addresses)
def test_what_is_one_address_in_any_form_is_one_in_the_widest(email: str) -> None:
    assert broad(normal(email)) == broad(email)
    assert broad(former(email)) == broad(email)
    assert {normal(email), former(email), broad(email)} <= set(forms(email))


@given(addresses)
def test_case_and_composition_of_the_local_part_make_no_other_address(email: str) -> None:
    assert normal(unicodedata.normalize("NFD", email)) == normal(unicodedata.normalize("NFC", email))

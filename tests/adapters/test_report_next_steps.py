"""The second page and its Markdown twin: steps, origins, money, what changed, what was looked at."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from adapters.report import changes, money, origins, prose, sources, wording
from adapters.report.files import write_outputs
from adapters.report.permission import ROUTES, route
from adapters.report.prose import Block, Grid, Points, Quoted, said
from adapters.report.tally import SumsDisagreeError
from ledger.terms import Basis
from projections.verdicts import Action, Audit, Before, Bucket, Looked, Money, OriginCount, Verdict
from tests.adapters.test_report import HOSTILE, Page, audit_of, printed, rich_audit, rich_verdicts, verdict, write_rich

TITLES = [
    "1. Today: opt-outs, do-not-send, off the bill",
    "2. Bring the missing files",
    "3. Fill in the map, with evidence",
    "4. The data protection officer's sheet",
    "5. Who may be asked",
    "6. The rest: delete on schedule",
    "7. Where they come from, and how to stop it",
]
WORDS = {
    "basis_proven": "evidence on file",
    "basis_claimed": "claimed, not shown",
    "no_basis": "nothing on record",
    "stopped": "stopped",
    "conflict": "records contradict",
    "keep": "may stay marketing",
    "none": "nothing to do",
    "set_non_marketing": "take off the marketing bill",
}


def written(folder: Path, name: str) -> str:
    """One file of the rich audit."""
    write_rich(folder)
    return (folder / name).read_text("utf-8")


def unescaped(text: str) -> str:
    """Markdown without its backslashes."""
    return re.sub(r"\\(.)", r"\1", text)


def test_the_words_on_screen_are_those_of_the_table() -> None:
    named = {str(bucket): name for bucket, (name, _, _) in wording.BUCKETS.items()}
    named |= {str(action): name for action, (name, _, _) in wording.ACTIONS.items()}
    assert {token: named[token].lower() for token in WORDS} == WORDS


@pytest.mark.parametrize("name", ["report.html", "NEXT-STEPS.md", "IMPORT-ORDER.md"])
def test_prose_says_decision_and_rule_set(tmp_path: Path, name: str) -> None:
    content = written(tmp_path, name)
    if name.endswith("html"):
        content = Page(re.sub("<code>.*?</code>", "", content)).text  # tokens stay as they are
    text = content.lower()
    assert "verdict" not in text.replace("verdicts.csv", "")
    assert "policy" not in text
    assert "proven" not in text.replace("one of them proven", "")
    assert "lawful" not in text


def test_steps_stand_in_order_on_page_and_in_markdown(tmp_path: Path) -> None:
    content = written(tmp_path, "report.html")
    assert re.findall(r'<h3 id="step-\d">(.*?)</h3>', content) == [title.replace("'", "&#x27;") for title in TITLES]
    assert re.findall(r"^## (.*)$", (tmp_path / "NEXT-STEPS.md").read_text(), re.MULTILINE) == TITLES
    assert "break-before:page" not in content  # on paper no sheet is left half empty


def test_steps_name_files_counts_and_questions(tmp_path: Path) -> None:
    shown = unescaped(written(tmp_path, "NEXT-STEPS.md"))
    for words in (
        "- First `opt-out-list.csv` (10)",
        "- Then `do-not-send.csv` (134)",
        "- Then `set-non-marketing.csv` (112)",
        "- wave 1 (22): stopped or undeliverable",
        "- wave 2 (81): nothing known",
        "- wave 3 (10): has a hint of a relationship",
        "| form submissions | 15 |",
        "You can also bring other files: Mailchimp audience. No contact waits for them now.",
        "| form:webinar-2025 | Ana Muster, DPO | 2026-10-01 | 10 | 10 |",
        "asks 1 question for 30 contacts",
        "| CASL implied consent, ask before it lapses | 1 | 2027-01-31 |",
        "Yes, Example & Söhne GmbH may send me e-mails about [its products",
        "For 10 contacts this is the next step.",
        "80 contacts have nothing on record and no lead.",
        "53 are past it today.",
        "- evidence on file 12 → 40",
    ):
        assert words in shown, words
    assert shown.index("| form submissions | 15 |") < shown.index("| subscription events | 3 |")


def test_first_page_links_to_the_first_three_steps_with_something_to_do(tmp_path: Path) -> None:
    summary = written(tmp_path, "report.html").split('<section id="next-steps"')[0]
    assert re.findall(r'<li><a href="#(step-\d)">', summary) == ["step-1", "step-2", "step-4"]
    write_outputs(audit_of([]), [], [], tmp_path / "none")
    empty = (tmp_path / "none" / "report.html").read_text()
    assert "Nothing to do now." in empty
    assert '<li><a href="#step-' not in empty


def test_nothing_foreign_is_markup_in_either_rendering(tmp_path: Path) -> None:
    hostile = "](http://evil.example) ![x](y) <b>`rm`</b> | www.evil.example | a@evil.example \x03 *x* _y_"
    one = OriginCount(by="flag_source_name", value=hostile, contacts=9)
    audit = rich_audit()
    audit.origins, audit.controller = [one], hostile
    write_outputs(audit, rich_verdicts(), [], tmp_path)
    shown = (tmp_path / "NEXT-STEPS.md").read_text()
    for bare in ("](http", "[x]", "<b>", "*x*", "_y_", "`rm`", "@evil"):
        assert re.search(rf"(?<!\\){re.escape(bare)}", shown) is None, bare
    for bare in ("http://evil", "www.evil", "\x02", "\x03"):
        assert bare not in shown, bare
    row = next(line for line in shown.splitlines() if "by the one named" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 4
    page = (tmp_path / "report.html").read_text()
    assert "<b>" not in page
    assert hostile[:40] in Page(page).text


def test_blocks_in_both_renderings() -> None:
    blocks: list[Block] = [
        "a `b|c` *d*",
        Points(("e",)),
        Quoted("[f]"),
        Grid("g", ("h", "i"), ((said("<j>"), 1234),), (1,)),
    ]
    assert prose.markdown(blocks) == (
        "a `b|c` \\*d\\*\n\n- e\n\n> \\[f\\]\n\ng:\n\n| h | i |\n|---|---:|\n| \\<j\\> | 1,234 |"
    )
    assert prose.html(blocks[:3]) == (
        "<p>a <code>b|c</code> *d*</p><ul><li>e</li></ul><blockquote><p>[f]</p></blockquote>"
    )
    assert "&lt;j&gt;" in prose.html(blocks)
    assert prose.plain(f"`a` {said('b')}") == "a b"


# --- money -----------------------------------------------------------------------------------------


def bill_of(avoidable: int, marketing: int, scheduled: int = 0, **given: object) -> Audit:
    """An audit with only these sums of money."""
    totals = {"contacts": marketing, "marketing": marketing, "rejected": 0, "marketing_unknown": 0}
    known = msgspec.convert(given, Money) if given else None
    return audit_of([], totals=totals, avoidable_marketing=avoidable, scheduled=scheduled, money=known)


@pytest.mark.parametrize(
    ("tier", "step", "marketing", "avoidable", "suffices"),
    [
        (35_000, 5_000, 31_940, 20_958, 15_000),
        (35_000, 5_000, 30_000, 0, 30_000),
        (35_000, 5_000, 30_001, 0, 35_000),
        (12_000, 5_000, 11_000, 11_000, 2_000),  # never below one tier of the plan
        (5_000, 5_000, 4_000, 3_000, 5_000),
        (10_000, 5_000, 12_000, 3_000, 10_000),
        (10_000, 5_000, 12_000, 1_000, None),  # what remains does not fit
        (10_000, None, 9_000, 8_000, None),
        (0, 5_000, 9_000, 8_000, None),
        (10_000, -1, 9_000, 8_000, None),
    ],
)
def test_the_tier_that_would_suffice(
    tier: int, step: int | None, marketing: int, avoidable: int, suffices: int | None
) -> None:
    assert money.bill(bill_of(avoidable, marketing, tier=tier, step=step)).suffices == suffices


def test_scheduled_contacts_are_not_avoidable_and_do_not_remain() -> None:
    sums = money.bill(bill_of(10, 100, scheduled=30))
    assert (sums.avoidable, sums.remaining) == (10, 60)


def test_money_is_never_invented() -> None:
    said_ = [*money.lines(bill_of(10, 100)), money.missing(bill_of(10, 100))]
    assert said_[-1].startswith("To see what this costs, give --tier N, --step N, --price N --currency CODE, --renewal")
    assert not re.search(r"[€$£]|\d\.\d\d", " ".join(said_))
    only_price = bill_of(10, 100, price=90.0)
    assert "You said that you pay 90.00 (currency not given) a month." in money.lines(only_price)


def test_money_from_what_was_given() -> None:
    given = bill_of(2_500, 9_000, tier=10_000, step=1_000, price=400.0, currency="EUR", renewal=date(2027, 3, 1))
    assert money.missing(given) == ""
    shown = " ".join(money.lines(given))
    for words in (
        "You could drop 2,500 of your 9,000 marketing contacts. 6,500 would remain.",
        "A tier of 7,000 would then suffice instead of 10,000, if your plan offers it.",
        "100.00 EUR of it for avoidable contacts",
        "Tiers fall only at renewal: 1 March 2027, 98 days after this audit.",
    ):
        assert words in shown
    assert "is past: give the next one" in " ".join(money.lines(bill_of(1, 2, renewal=date(2026, 1, 1))))


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -1.0, 0.0])
def test_a_price_that_is_none_is_not_shown(price: float) -> None:
    audit = bill_of(10, 100)
    audit.money = Money(tier=1_000, price=price, currency="EUR")
    assert "EUR" not in " ".join(money.lines(audit))


# --- origins, changes, what the evidence rests on, what was looked at ------------------------------


def test_the_top_ten_origins_each_with_a_setting() -> None:
    counts = [OriginCount(by="created_month", value=f"2024-{n:02}", contacts=n) for n in range(1, 13)]
    audit = audit_of([], origins=[OriginCount(by="flag_source", value="workflow", contacts=12), *counts])
    assert [one.contacts for one in origins.ranked(audit)] == [12, 12, 11, 10, 9, 8, 7, 6, 5, 4]
    assert origins.ranked(audit)[0].by == "flag_source"
    assert all(origins.setting(one) for one in counts)
    for token, setting in origins.FLAG_SOURCES.items():
        assert origins.setting(OriginCount(by="flag_source", value=token, contacts=1)) == setting.stop
    unknown = origins.setting(OriginCount(by="flag_source", value="other", contacts=1))
    assert "Marketing contact status" in unknown
    assert origins.setting(OriginCount(by="source", value="OFFLINE", contacts=1)).startswith("These are mostly imports")
    assert origins.grid(audit_of([])) is None


def test_what_changed() -> None:
    kept = [verdict(n, Bucket.BASIS_PROVEN, Action.KEEP, "proven", allowed=True) for n in range(3)]
    before = Before(at=datetime(2026, 10, 1, tzinfo=UTC), buckets={"basis_proven": 1, "no_basis": 4100})
    audit = audit_of(kept, before=before)
    assert changes.changed(audit) == ["evidence on file 1 → 3", "nothing on record 4,100 → 0"]
    assert " CHANGED since the audit of 1 October 2026" in printed(audit)
    same = audit_of(kept, before=Before(at=before.at, buckets={"basis_proven": 3}))
    assert changes.changed(same) == ["Nothing changed: every bucket is as it was"]


def test_what_changed_tells_a_review_from_people_where_the_audit_before_did() -> None:
    stopped = [stopped_by(n, reason) for n, reason in enumerate(("opted_out", "review_stop", "review_stop"))]
    at = datetime(2026, 10, 1, tzinfo=UTC)
    told = Before(at=at, buckets={"stopped": 1}, stopped_by={"person": 1})
    assert changes.changed(audit_of(stopped, before=told)) == ["stopped by your review 0 → 2"]
    untold = Before(at=at, buckets={"stopped": 1})
    assert changes.changed(audit_of(stopped, before=untold)) == ["stopped 1 → 3"]


def stopped_by(number: int, reason: str) -> Verdict:
    """A marketing contact that is stopped, for a reason."""
    return verdict(number, Bucket.STOPPED, Action.SET_NON_MARKETING, reason, wave=1)


def test_who_was_taken_off_by_others_stands_apart_from_who_said_no(tmp_path: Path) -> None:
    reasons = ("opted_out", "complained", "stopped_by_others", "review_stop")
    verdicts = [stopped_by(n, reason) for n, reason in enumerate(reasons)]
    audit = audit_of(verdicts)
    shown = printed(audit)
    assert "   opted out or complained             2   50 % → opt-out list, off the bill" in shown
    assert "   stopped by your review              1   25 % → off the bill" in shown
    assert "   taken off by others                 1   25 % → opt-out list, off the bill" in shown
    assert "1  were taken off by others and are still marketing" in shown
    write_outputs(audit, verdicts, [], tmp_path, tool_version="1")
    words = Page((tmp_path / "report.html").read_text("utf-8")).text
    assert "people who were taken off by others and are still marketing contacts" in words
    audit.stopped_by["person"].contacts = 3
    with pytest.raises(SumsDisagreeError, match="stopped by"):
        write_outputs(audit, verdicts, [], tmp_path, tool_version="1")


def test_nothing_is_said_to_have_changed_without_an_audit_before() -> None:
    kept = [verdict(n, Bucket.BASIS_PROVEN, Action.KEEP, "proven", allowed=True) for n in range(3)]
    assert "CHANGED" not in printed(audit_of(kept))


def test_evidence_rests_on_own_record_or_a_named_declaration() -> None:
    shown = printed(rich_audit())
    assert "       30  rest on the person's own record" in shown
    assert "       10  rest on the declaration form:webinar-2025 by Ana" in shown
    apart = "of them are allowed by law, but nothing shows the permission that HubSpot's own terms ask for"
    assert apart in " ".join(shown.split())
    american: list[Verdict] = [
        verdict(1, Bucket.BASIS_PROVEN, Action.KEEP, "proven", allowed=True, basis="opt_out_regime")
    ]
    assert "1  of them is allowed without consent" in printed(audit_of(american))


def test_what_was_looked_at_and_what_was_not(tmp_path: Path) -> None:
    shown = Page(written(tmp_path, "report.html")).text
    assert "contacts export2 March 2021 – 20 November 202620 November 20261900" in shown.replace(",", "")
    assert "Mailchimp: Audience > All contacts > Export audience (a ZIP)" in shown
    line = " ".join(printed(rich_audit()).split())
    assert "LOOKED AT contacts export (taken 20 November 2026)" in line
    assert "NOT form submissions (could change 15), subscription events (could change 3), Mailchimp audience" in line
    unknown = Looked(kind="fax", looked_at=False, could_change=1)
    assert (sources.name(unknown), sources.get(unknown)) == ("fax", "")


def test_every_basis_has_a_route_fit_for_an_import_file() -> None:
    for basis in Basis:
        assert re.fullmatch(r"[A-Za-z][A-Za-z ,]+", route(basis))
    assert set(ROUTES) <= set(Basis)


# --- a file made by somebody else in the same pass -------------------------------------------------


class Names:
    """Keeps the references it sees."""

    name = "review.xlsx"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def see(self, verdict: Verdict) -> None:
        """Note one decision."""
        self.seen.append(verdict.reference)

    def content(self, audit: Audit) -> bytes:
        """As many lines as the audit has contacts."""
        return f"{audit.totals['contacts']} {len(self.seen)}".encode()


def test_a_file_beside_sees_every_decision_and_is_listed(tmp_path: Path) -> None:
    write_outputs(rich_audit(), rich_verdicts(), [], tmp_path, [Names()])
    assert (tmp_path / "review.xlsx").read_bytes() == b"227 227"
    listed = '<th scope="row" role="rowheader"><a href="review.xlsx"><code>review.xlsx</code></a>'
    assert listed in (tmp_path / "report.html").read_text()
    assert '"review.xlsx"' in (tmp_path / "manifest.json").read_text()
    assert listed not in written(tmp_path / "without", "report.html")
    assert HOSTILE not in (tmp_path / "NEXT-STEPS.md").read_text()

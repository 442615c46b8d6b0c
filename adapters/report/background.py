"""The parts of the page by which to judge the answer: reasons, countries, inputs, rules, corrections."""

from __future__ import annotations

from adapters.report import prose, sources, wording
from adapters.report.markup import Cell, Html, bullets, code, facts, join, paragraph, section, table, text
from projections.verdicts import REASONS, Audit, Expiring, FileRead

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "space"}
_COUNTRIES = {
    "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria", "CA": "Canada", "CY": "Cyprus",
    "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "EU": "European Union",
    "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GR": "Greece", "HR": "Croatia", "HU": "Hungary",
    "IE": "Ireland", "IS": "Iceland", "IT": "Italy", "LI": "Liechtenstein", "LT": "Lithuania",
    "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta", "NL": "Netherlands", "NO": "Norway", "PL": "Poland",
    "PT": "Portugal", "RO": "Romania", "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia",
    "US": "United States", "XX": "Country unknown: the strictest rules apply",
}  # fmt: skip
_NOT_LOOKED_AT = (
    "What the mails say, and whether each names its sender and carries a working way to opt out.",
    "Channels other than e-mail.",
    "Consents or refusals kept in other systems, in mailboxes, on paper, or in columns not exported.",
    "Whether a form really showed what the records say it showed.",
    "Opens, clicks, lifecycle stages, lead scores and the HubSpot flag: none of them is a permission.",
)


def reasons(audit: Audit) -> Html:
    """Every reason that occurs, with its sentence, commonest first."""
    order = {token: place for place, token in enumerate(REASONS)}
    found = sorted(
        ((token, number) for token, number in audit.reasons.items() if number),
        key=lambda item: (-item[1], order.get(item[0], len(order)), item[0]),
    )
    rows: list[list[Cell]] = [
        [
            wording.reason_sentence(token),
            number,
            wording.percent(number, audit.totals.get("contacts", 0)),
            (code(token),),
        ]
        for token, number in found
    ]
    body = (
        table(
            "Records by the reason of their decision",
            ("Reason", "Records", "Share", "In verdicts.csv"),
            rows,
            numbers=(1, 2),
        )
        if rows
        else paragraph(text("There are no records."))
    )
    return section("reasons", "Reasons", body)


def jurisdictions(audit: Audit) -> Html:
    """Whose rules were asked."""
    ranked = sorted(audit.jurisdictions.items(), key=lambda item: (-item[1].contacts, item[0]))
    rows: list[list[Cell]] = [
        [f"{_COUNTRIES[code_]} ({code_})" if code_ in _COUNTRIES else code_, count.contacts, count.marketing]
        for code_, count in ranked
    ]
    body = (
        table(
            "Records by the country whose rules may apply",
            ("Country", "Records", "Of them marketing contacts"),
            rows,
            (1, 2),
        )
        if rows
        else paragraph(text("None."))
    )
    return section(
        "jurisdictions",
        "Whose rules",
        paragraph(
            text(
                "A record with signs of two countries counts under both, and is allowed only if the rules of "
                "both allow it."
            )
        ),
        body,
    )


def expiring(audit: Audit) -> Html:
    """Which bases with evidence on file end by themselves, and when."""
    months: dict[str, list[Expiring]] = {}
    for item in sorted(audit.expiring, key=lambda item: (item.month, item.rule)):
        months.setdefault(item.month, []).append(item)
    rows: list[list[Cell]] = [
        [
            wording.month(month),
            sum(item.contacts for item in items),
            (join([Html(f"{_law(item)}: {item.contacts:,}") for item in items], "; "),),
        ]
        for month, items in months.items()
    ]
    body = (
        table(
            "Legal bases with evidence on file that end",
            ("Month", "Records", "Under which law"),
            rows,
            (1,),
        )
        if rows
        else paragraph(text("No legal basis with evidence on file has an end date."))
    )
    return section("expiring", "What ends when", body)


def _purpose(token: str | None) -> Html:
    """The purpose by its name, and how it is written where it is asked about."""
    if token is None:
        return text("any marketing purpose, by e-mail")
    return Html(f"{text(wording.purpose(token))} ({code(token)})")


def _law(item: Expiring) -> Html:
    """The law's name, with its country, before the rule's id."""
    if not item.law:
        return code(item.rule)
    country = _COUNTRIES.get(item.rule.partition("-")[0]) if not item.rule.startswith("XX-") else None
    return Html(f"{text(', '.join(filter(None, (country, item.law))))} ({code(item.rule)})")


def looked_at(audit: Audit) -> Html:
    """What the answer rests on, and what it could not see."""
    context = facts(
        (
            ("Moment asked about", text(wording.moment(audit.at))),
            ("Purpose", _purpose(audit.purpose)),
            ("Sender", text(wording.company(audit.controller))),
            (
                "Sender's country",
                text(audit.sender_country or "not given: the strictest rules were asked as well"),
            ),
            ("Country assumed where unknown", text(audit.assumed_country or "none: unknown stays unknown")),
            (
                "Time zone of times without one",
                text(audit.timezone or "not given: which of two such times came first may be unknown"),
            ),
            ("Rows rejected", text(f"{audit.totals.get('rejected', 0):,}, listed in rejected.csv")),
            ("Ledger position", text(f"{audit.ledger_position:,}")),
        )
    )
    files = join(_file(one) for one in audit.files) if audit.files else paragraph(text("No file was read."))
    if audit.files_seen:
        rows = tuple((prose.said(one.name), prose.said(one.became, 1000)) for one in audit.files_seen)
        files = join(
            (prose.html([prose.Grid("Every file that was given", ("File", "What became of it"), rows)]), files)
        )
    notes = Html("")
    if audit.notes:
        notes = Html(f"<h3>Notes</h3>{bullets(text(note, 1000) for note in audit.notes)}")
    return section(
        "looked-at",
        "What we looked at, and what we did not",
        prose.html(sources.blocks(audit)),
        context,
        files,
        Html("<h3>What no audit looks at</h3>"),
        bullets(text(item) for item in _NOT_LOOKED_AT),
        notes,
    )


def _file(one: FileRead) -> Html:
    encoding = (
        f"{one.encoding} (assumed: please check some names with accents)" if one.encoding_assumed else one.encoding
    )
    delimiter = _DELIMITERS.get(one.delimiter, one.delimiter)
    missing = _columns(one.columns_missing)
    if one.columns_missing:
        missing = Html(f"{missing}. What they would say is unknown, and unknown is never counted as yes.")
    return join((Html(f"<h3>{text(one.name)}</h3>"), facts((
        ("SHA-256", code(one.sha256)),
        ("Read as", text(f"{encoding}; columns separated by {delimiter}; headings in {one.language}")),
        ("Rows", text(f"{one.rows:,} rows: {one.records:,} records, {one.rejected:,} rejected")),
        ("Without an address", text(f"{one.without_address:,}")),
        ("Columns used", _columns(one.columns_used)),
        ("Columns left out", _columns(one.columns_left_out)),
        ("Columns missing", missing),
    ))))  # fmt: skip


def _columns(names: tuple[str, ...]) -> Html:
    return join((text(name, 80) for name in names), " · ") if names else text("none")


def rule_set(audit: Audit) -> Html:
    """Which rules were applied, who stands behind them, and how sure they are."""
    rules = audit.rule_set
    adopted = (
        text(rules.adopted_by)
        if rules.adopted_by
        else Html("<strong>nobody</strong>: no named person has said that these are the rules you follow")
    )
    return section(
        "rules",
        "The rules applied",
        facts((
            ("Rule set", code(rules.hash)),
            ("Adopted by", adopted),
            ("Not checked by counsel", text(f"{rules.rules_unchecked:,} of {wording.counted(rules.rules, 'rule')}")),
            ("Medium confidence",
             text(f"{wording.counted(rules.resting_on_medium, 'contact rests', 'contacts rest')} on a rule "
                  "read from a secondary source, or not read again in full")),
            ("Our choice, not law",
             text(f"{wording.counted(rules.resting_on_policy, 'contact rests', 'contacts rest')} on a choice "
                  "made in the rule set where the law leaves room")),
        )),
    )  # fmt: skip


def corrections(audit: Audit) -> Html:
    """Stops that were undone as mistakes: each of them, in every report."""
    rows: list[list[Cell]] = [
        [
            str(item.position),
            str(item.undoes),
            wording.moment(item.recorded_at),
            item.actor,
            item.reason,
            (code(item.reference),),
        ]
        for item in audit.corrections
    ]
    body = (
        table(
            "Stops undone as recorded by mistake",
            ("Position", "Undoes", "Recorded", "By", "Reason given", "Reference"),
            rows,
            numbers=(0, 1),
        )
        if rows
        else paragraph(text("None. No stop in this ledger has been undone."))
    )
    return section("corrections", "Corrections", body)

"""`IMPORT-ORDER.md`: which file goes where in HubSpot, in order, how to check it and how to undo it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.report import links, wording
from adapters.report.prose import foreign
from projections.verdicts import Audit, Count, Speaker


@dataclass(frozen=True, slots=True)
class ByHand:
    """A record that could not be written into an import file without changing it."""

    file: str
    name: str


def import_order(audit: Audit, rows: dict[str, int], by_hand: list[ByHand], waves: Mapping[str, int]) -> str:
    """The whole text. `rows`: of each CSV; `waves`: records of each wave."""
    return "\n".join(
        (
            _opening(audit),
            _opt_out(rows["opt-out-list.csv"], audit.stopped_by.get(Speaker.REVIEW, Count()).contacts),
            _do_not_send(rows["do-not-send.csv"]),
            _non_marketing(rows["set-non-marketing.csv"], waves),
            _claims(),
            _by_hand(by_hand),
            _closing(),
        )
    )


def _opening(audit: Audit) -> str:
    return f"""# What to do in HubSpot, in this order

Audit of {foreign(wording.company_or_blank(audit.controller))}, {wording.moment(audit.at)}, ledger position
{audit.ledger_position}.

Do the steps in this order: first nobody gets mail who must not, then the bill shrinks. HubSpot renames
its menus now and then (lists are called *segments* in newer accounts); the help pages at the end say
what a step is called today. A step with 0 rows can be skipped.

**Never mail them all to ask.** That mail is itself marketing: see `report.html`, "Why not mail them all
and ask?".

**Never re-subscribe anybody** by import, workflow or API. Only a person's own, later opt-in revives a
consent.
"""


def _opt_out(rows: int, by_review: int) -> str:
    apart = (
        f"\nStopped by your review: {by_review:,}. They did not opt out themselves, so they are not in this file; the\n"
        "lists of steps 2 and 3 hold those whom HubSpot marks as marketing contacts.\n"
        if by_review
        else ""
    )
    return f"""## 1. Opt-outs: `opt-out-list.csv` ({rows:,} rows)

An opt-out from all marketing is on record for these addresses, and HubSpot does not show it.
{apart}
1. CRM > Contacts > Import > Start an import > **An opt-out list**.
2. Pick `opt-out-list.csv`. It has one column, `Email`. With several brands (business units), pick the
   right one first, and repeat for each brand the stop covers.
3. Type the number HubSpot asks for ({rows:,}) and begin.

- **What it does:** sets *Unsubscribed from all email* to true. It creates no contacts. Contacts that exist
stay in the database, and stay paid for until step 3.
- **Check:** filter contacts by *Unsubscribed from all email* is true; open a few and compare with
`verdicts.csv`.
- **Undo:** you cannot undo this in bulk, and should not. A stop recorded by mistake is corrected first in
the ledger, by a named person with a reason, and then in HubSpot for that one contact.
"""


def _do_not_send(rows: int) -> str:
    return f"""## 2. Suppression: `do-not-send.csv` ({rows:,} rows)

This list holds everybody whom HubSpot marks as a marketing contact, or whose flag cannot be read, and for whom
nothing shows that a rule allows marketing. Those to be reviewed are on it, the other addresses of all these people,
and whoever is named in a row that could not be read.

1. Import > Start an import > File from computer > Contacts > `do-not-send.csv`.
2. Choose to **update existing contacts only**. Map `Record ID` and leave the other columns
   as *Don't import column*.
   A row without a Record ID is another address of somebody on the list, or somebody of a row that could not be
   read: put those into a file of their own and import it in the same way, with `Email` mapped.
3. Leave **Set contacts as marketing contacts unticked**. Tick *Create a list from this import*; name it
   `do not send` with today's date.
4. On **every** marketing e-mail: Send or schedule > *Don't send to* > this list. In every workflow that
   sends e-mail: Settings > suppression list > this list. Sequences: do not enrol anybody on it.

- **Mind:** a contact chosen under *Individual contacts* gets the mail even if an excluded list holds it.
- **Check:** the list's size is {rows:,}, less the rows HubSpot reports as not found.
- **Undo:** take a contact off the list only when a later audit says that it is allowed.
"""


def _non_marketing(rows: int, waves: Mapping[str, int]) -> str:
    listed = "\n".join(f"- wave {wave}, {wording.WAVES[wave]}: {waves.get(str(wave), 0):,}" for wave in wording.WAVES)
    return f"""## 3. The bill: `set-non-marketing.csv` ({rows:,} rows)

You pay for these as marketing contacts, but no rule allows marketing to them, or their address takes no mail.

Take them in waves, the surest first:

{listed}

Wave 3 has a hint of a relationship: a customer, a deal or a form. Look first whether its record can be brought
(`NEXT-STEPS.md`); until then `do-not-send.csv` keeps them out of every send.

1. Import it as in step 2 (no new contacts, map `Record ID`, *marketing contacts* unticked). Map `wave` to a
   number property *Consent ledger wave*; make that property once. Create the list `set non-marketing` with
   today's date, and from it one list a wave: the list, and *Consent ledger wave* is 1, 2 or 3.
2. For one wave after the other: Settings > Account & Billing > Usage & Limits > **Manage marketing contacts**
   > Filters & lists > **Use a list** > the wave's list > set as non-marketing. Skip the *Unengaged contacts*
   step: it is not part of this audit. Or, with Professional or Enterprise: a contact workflow enrolling the
   list, action *Set marketing contact status* to non-marketing.

- **What it does:** the contacts stay marketing contacts **until the next update date** (the 1st of the month
on yearly plans, the renewal day on monthly plans), and only then stop counting.
- **Check:** *Marketing contact until next update* is yes for {rows:,} contacts; after that date, their
marketing status is *Non-marketing contact*.
- **Undo:** *Set as marketing contacts*, at any time; it counts, and is billed, at once. It gives no
permission to write.
"""


def _claims() -> str:
    return """## 4. What needs a person: action `review` in `verdicts.csv`

There is nothing to import here. `NEXT-STEPS.md` says which files to bring, what to write into the map, and which
questions the data protection officer answers; then run the audit again. Until then they stay on the list of step 2.

`may-be-asked.csv` is not for import either, unless you ask those few: by its route, before its last day.
"""


def _by_hand(by_hand: list[ByHand]) -> str:
    if not by_hand:
        return "## 5. By hand\n\nNo address has to be entered by hand: every record fits its file unchanged.\n"
    lines = "\n".join(f"- {one.file}: {foreign(one.name, 400)}" for one in by_hand)
    return f"""## 5. By hand ({len(by_hand):,})

Each of these has an address that a spreadsheet would run as a formula, or that holds a character that
cannot be shown, or has neither address nor Record ID. Changing an address would make it another one, so
it is left out of the file named; where a Record ID is known, its row may stand there without the
address. Find the contact in HubSpot and do the same step for it.

{lines}
"""


def _closing() -> str:
    return f"""## Afterwards

Keep this folder: `manifest.json` names every input and output by its SHA-256. Delete the CSV files once
they are imported: they hold addresses. Export again after the next update date and run the audit again;
the figures should fall.

Help pages: {links.HUBSPOT_OPT_OUT}
{links.HUBSPOT_EXCLUDE}
{links.HUBSPOT_NON_MARKETING}

{wording.NOT_ADVICE}
"""

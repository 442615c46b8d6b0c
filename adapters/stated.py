"""Lists that say row by row who said no: suppression lists of mail services, and lists with a status, reason or flag.

A list is known by its columns, or by its name. Its name alone decides nothing: what a column says of each row counts,
and a name that may mean those who are left (`unsubscribes removed`) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from adapters.encodings import UnreadableInput
from adapters.hubspot.labels import fold, speaks_of_opting_out
from adapters.hubspot.layouts import OPT_OUTS
from adapters.hubspot.said import BOUNCE, EMAIL, SPAM, Flags, bounce_kind, speaks_of
from adapters.layouts import Layout, Places, places
from adapters.reading import TableEvidence, clocks, digest, moment
from adapters.statements import Statement
from adapters.stop_titles import refuse_ambiguous_name, words_of
from adapters.tabular import Table
from adapters.times import Span, TimeReader
from ledger import events as e

SYSTEM, KIND = "file", "suppressions"
CAPTURED_BY = "event_log"
SAYS = "suppression lists of Amazon SES, SendGrid, Brevo, ActiveCampaign and Klaviyo, by their columns"
_WHEN = (
    "LastUpdateTime|created|created at|createdAt|blockedAt|blocked on|suppressedAt|timestamp|date|day|when|unsub date"
    "|udate|date added|date unsubscribed|unsubscribe date|unsubscribed at|opt-out date|opted out on|added time|Datum|am"
    "|Abmeldedatum|Email Marketing Consent Timestamp|suppression timestamp"
)
_EMAIL = "EmailAddress|" + OPT_OUTS.columns["email"]
_SERVICES: tuple[tuple[str, ...], ...] = (
    ("emailaddress", "reason", "lastupdatetime"),  # Amazon SES
    ("email", "created", "reason", "status"),  # SendGrid: bounces and blocks
    ("email", "created", "reason"),  # SendGrid: invalid addresses
    ("email", "created", "ip"),  # SendGrid: spam reports
    ("email", "groupid", "groupname", "createdat"),  # SendGrid: groups that were left
    ("email", "reasoncode", "blockedat"),  # Brevo, by its API
    ("email", "emailblacklisted"),  # Brevo
    ("email", "blacklisted"),
    ("email", "emailmarketingconsent"),  # Klaviyo
    ("email", "emailsuppressions"),
    ("email", "suppressionreason"),
)
"""Columns, folded, by which a list of a service is known. Those that begin with `created` have no others."""
_SPAM_REPORTS, _GROUPS = _SERVICES[3], _SERVICES[4]

_NO = (
    *("optout", "optedout", "unsub", "donot", "dont", "noemail", "nomail", "suppress", "blacklist", "blocklist"),
    *("blocked", "abgemeldet", "abmeld", "widerspr", "desabonn", "desinscri", "gesperrt", "exclu", "objected"),
    *("afgemeld", "descadastr", "baja", "disiscri", "complain"),
)
_YES = frozenset(
    (
        *(
            "subscribed",
            "subscriber",
            "subscription",
            "subscribe",
            "subscribes",
            "optin",
            "optedin",
            "in",
            "opted",
            "opt",
        ),
        *("consent", "consented", "active", "aktiv", "actif", "activo", "permission", "permitted", "allowed"),
        *("abonniert", "abonnent", "abonne", "abonnement", "angemeldet", "einwilligung", "newsletter", "newsletters"),
        *("suscrito", "suscriptor", "suscripcion", "consentimiento", "consentement", "iscritto", "inscrit"),
    )
)
"""Words, folded, of which one makes a yes of a column's label, if nothing else stands there."""
_BESIDE_YES = frozenset(
    (
        *("is", "has", "to", "for", "the", "a", "of", "by", "via", "on", "our", "still", "currently", "status", "flag"),
        *("email", "mail", "e", "emails", "mails", "marketing", "list", "mailing", "contact", "user", "member"),
        *("receives", "receive", "gets", "wants", "gdpr", "dsgvo", "rgpd", "given", "granted", "erteilt", "ist", "hat"),
        *("zum", "zur", "der", "die", "das", "fur", "a", "la", "le", "al", "du", "de", "pour", "para"),
        *("product", "news", "weekly", "monthly", "global"),
    )
)
"""Words, folded, that change nothing of what a label says. Any other may turn it round: `consent withdrawn`."""
_NOT = ("not", "no", "non", "never", "nicht", "kein", "keine", "un", "without", "ohne", "sans", "sin")
_GONE = (
    "optout",
    "optedout",
    "unsub",
    "suppress",
    "black",
    "block",
    "abgemeld",
    "abmeld",
    "gesperrt",
    "desabonn",
    "excl",
)
_TURNING = frozenset(("reversed", "lifted", "ended", "undone", "resubscribed", "aufgehoben", "revoked", "removed"))
_STATUS = ("status", "state", "stand", "zustand", "etat", "estado", "emailmarketingconsent", "listmemberstatus")
_REASON = ("reason", "grund", "raison", "motiv", "emailsuppressions", "cause")
_LEFT = (*_NO, "manual", "usersuppressed", "adminblock", "removed", "withdrawn", "declined", "cancel", "revoked")
_FINE = frozenset(
    (
        *("active", "subscribed", "confirmed", "ok", "enabled", "unconfirmed", "pending", "neversubscribed", "none"),
        *("deliverable", "valid", "subscriber", "optin", "optedin", "transactional", "marketing"),
        *("aktiv", "angemeldet", "bestatigt", "abonne", "actif", "activo"),
    )
)
_UNDELIVERED = (
    *BOUNCE,
    "invalid",
    "cleaned",
    "mailboxfull",
    "userunknown",
    "nosuchuser",
    "maildomain",
    "malformed",
    "knownbad",
)
_ABOUT = (
    *("date", "datum", "time", "stamp", "name", "nom", "nachn", "prenom", "nombre", "apellido", "company", "firma"),
    *("city", "country", "phone", "language", "title", "anrede", "address", "street", "zip", "postal", "owner"),
)
"""Columns that say who somebody is, or when."""
_SMTP = re.compile(r"\s*(?:smtp;?\s*)?[45](?:\d\d|\.\d{1,3}\.\d{1,3})\b").match
_BESIDE_STATUS = frozenset({"tags", "datecreated", "ipaddress", "ip", "ip4unsub", "unsubreason", "sdate", "udate"})
"""Columns, folded, beside the status in an export of ActiveCampaign."""
_SHOWN = 40

Meaning = Literal["left", "complained", "bounced", "nothing"]
Says = Callable[[str], Meaning | None]
"""What a cell says of its row; None where nobody can tell."""


class Saying(NamedTuple):
    """A column that says of each row what became of it. A reason only says why, where no other column speaks."""

    at: int
    says: Says
    is_reason: bool = False


def stated_of(table: Table, taken_on: datetime, times: TimeReader) -> Stated | None:
    """The reader of a suppression list of a mail service, known by its columns; None for any other table."""
    names = [_last(label) for label in table.header]
    known = next((one for one in _SERVICES if _is_of(one, names)), None)
    if known is None:
        return None
    if known in (_SPAM_REPORTS, _GROUPS):
        meaning: Meaning = "complained" if known is _SPAM_REPORTS else "left"
        sayings = [Saying(names.index("email"), lambda _: meaning)]
    else:
        sayings = sayings_of(table)
    return Stated(table, _places(table), KIND, SYSTEM, taken_on, times, sayings)


def statuses_of(table: Table, taken_on: datetime, times: TimeReader) -> Stated | None:
    """The reader of ActiveCampaign's export of contacts whose statuses, of one column or more, are all understood."""
    at, names = _places(table), {_last(label) for label in table.header}
    status = [index for index, label in enumerate(table.header) if _is_status(_last(label))]
    if "email" not in at or not names & _BESIDE_STATUS or not names & set(_STATUS):
        return None
    cells = {cell for index in status for cell in _filled(table, index)}
    if not cells or any(_status(cell) is None for cell in cells):
        return None
    sayings = [Saying(index, _status) for index in status]
    for index, label in enumerate(table.header):
        if index not in status and _speaks_of_stops(label) and _is_flag(table, index):
            sayings.append(Saying(index, _flag(table, index)))
    return Stated(table, at, KIND, SYSTEM, taken_on, times, sayings)


def named_of(table: Table, at: Places, kind: str, system: str, taken_on: datetime, times: TimeReader) -> Stated | None:
    """The reader of a list that its name says is of people who said no, where a column says it of each row.

    None where no column does: then everybody in it said no. Raises UnreadableInput (ambiguous).
    """
    refuse_ambiguous_name(table)
    sayings = sayings_of(table)
    if not sayings:
        return None
    return Stated(table, _places(table) | dict(at), kind, system, taken_on, times, sayings)


def sayings_of(table: Table) -> list[Saying]:
    """The columns that say of each row what became of it. Raises UnreadableInput (ambiguous)."""
    found = []
    for index, label in enumerate(table.header):
        name = _last(label)
        if name in _NAMING or (speaks_of(name, _ABOUT) and not _speaks_of_stops(name)):
            continue
        if _is_status(name):
            if not _filled(table, index):
                continue
            if not any(_status(cell) for cell in _filled(table, index)):
                raise _unclear(table, index)
            found.append(Saying(index, _status))
        elif name == "emailsuppressions":
            found.append(Saying(index, lambda cell: _reached(cell) or ("left" if fold(cell) else "nothing")))
        elif speaks_of(name, _REASON):
            found.append(Saying(index, _reached, is_reason=True))
        elif _is_flag(table, index):
            found.append(Saying(index, _flag(table, index)))
    return found


def refuse_mixed(table: Table) -> None:
    """Raise UnreadableInput (ambiguous) where a column says of some rows that they said no, and of others not.

    Only a row, a mapping that says which, or a person can tell them apart.
    """
    for index, label in enumerate(table.header):
        name = _last(label)
        if name in _STATUS or name.endswith("status"):
            fine = next((cell for cell in sorted(_filled(table, index)) if _status(cell) == "nothing"), None)
        elif _speaks_of_stops(name) and not speaks_of(name, _ABOUT) and _is_flag(table, index):
            says = _flag(table, index)
            fine = next((cell for cell in sorted(_filled(table, index)) if says(cell) == "nothing"), None)
        else:
            continue
        if fine is not None:
            raise UnreadableInput(
                "ambiguous",
                f"{table.name}: its mapping takes every row as a stop, and “{label}” says “{fine[:_SHOWN]}” of some.",
                f'Say which rows did with `where`, such as where = {{ "{label}" = ["..."] }}; "*" is every filled one. '
                "See docs/how-to/bring-other-files.md.",
            )


class Departure(NamedTuple):
    """A cell that says that somebody said no, `by_label` where its column is of nothing else."""

    label: str
    cell: str
    by_label: bool


def who_left(table: Table) -> Callable[[Sequence[str]], Iterator[Departure]]:
    """Finds in a row what says there that somebody said no."""
    statuses = [index for index, label in enumerate(table.header) if _is_status(_last(label))]
    departures = [
        index
        for index, label in enumerate(table.header)
        if index not in statuses and _speaks_of_stops(label) and not _is_turned(label)
    ]
    flags = Flags()

    def found(cells: Sequence[str]) -> Iterator[Departure]:
        for index in statuses:
            if _status(cells[index].strip()) in ("left", "complained"):
                yield Departure(table.header[index], cells[index].strip(), by_label=False)
        for index in departures:
            cell = cells[index].strip()
            if flags.read(cell) is not False and not cell.startswith(("http:", "https:")):
                yield Departure(table.header[index], cell, by_label=True)

    return found


class Stated(TableEvidence):
    """What the columns of each row say: left, complained, undeliverable, or nothing."""

    def __init__(
        self,
        table: Table,
        at: Places,
        kind: str,
        system: str,
        taken_on: datetime,
        times: TimeReader,
        sayings: Sequence[Saying],
    ) -> None:
        super().__init__(table, at, kind, system, taken_on, times)
        self._sayings = sayings

    def begin(self) -> None:
        """Look the columns up."""
        self._email, self._record, self._at = self.cell("email"), self.cell("record"), self.when("at")

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """Everything that its columns say; a cell that nobody can read may be a stop."""
        email, record = self._email(cells), self._record(cells) or None
        span = self._at(cells)
        said = [(one, one.says(cells[one.at].strip())) for one in self._sayings]
        governing = [(one, meaning) for one, meaning in said if not one.is_reason]
        for one, meaning in governing:
            if meaning is None:
                label, cell = self.table.header[one.at], cells[one.at].strip()
                self.refuse(None, f"“{label}” says “{cell[:_SHOWN]}”, which is not understood")
                return ()
        # whatever else somebody notes as the reason why an address is on such a list, it is on it
        meanings = [meaning for _, meaning in governing or said if meaning] or ["left"]
        return list(self._told(email, record, span, dict.fromkeys(meanings), row))

    def _told(
        self, email: str, record: str | None, span: Span | None, said: Iterable[Meaning], row: int
    ) -> Iterator[Statement]:
        common = {"stream": "", "source": self.source, **clocks(span, CAPTURED_BY)}
        for meaning in said:
            if meaning == "nothing":
                continue
            if meaning == "bounced":
                event: e.Event = e.Bounced(**common, by="system", kind=self._kind_of_bounce())
            elif meaning == "complained":
                event = e.Complained(**common, by="data_subject", via="suppression_list")
            else:
                event = e.OptedOut(**common, by="data_subject", via="suppression_list", channels=EMAIL)
            yield Statement(
                email, record, event, f"{meaning}:{digest(email.casefold() or record, moment(span))}", None, row
            )

    def _kind_of_bounce(self) -> Literal["hard", "soft"]:
        words = " ".join(self._standing[one.at] for one in self._sayings)
        return bounce_kind(words, next((found[0].strip() for found in [_SMTP(words)] if found), ""))


def _is_status(name: str) -> bool:
    return name in _STATUS or name.endswith(("status", "state"))


def _status(cell: str) -> Meaning | None:
    word = fold(cell)
    if not word or word in _FINE:
        return "nothing"
    return _reached(cell)


def _reached(cell: str) -> Meaning | None:
    if _SMTP(cell):  # what a mail server answers is nobody's wish, whatever words it uses
        return "bounced"
    if speaks_of(cell, SPAM):
        return "complained"
    if speaks_of(cell, _LEFT):
        return "left"
    return "bounced" if speaks_of(cell, _UNDELIVERED) else None


def _is_flag(table: Table, index: int) -> bool:
    """Whether it holds yes and no alone. Numbers may count anything, so they are both there, or the label speaks."""
    cells, flags = _filled(table, index), Flags()
    if not cells or any(flags.read(cell) is None for cell in cells):
        return False
    numbers = all(cell.isdigit() for cell in cells)
    return not numbers or len(cells) > 1 or _speaks_of_stops(name := table.header[index]) or _says_yes(name)


def _speaks_of_stops(label: str) -> bool:
    return speaks_of(_last(label), _NO) or speaks_of_opting_out(_last(label))


def _says_yes(label: str) -> bool:
    """Whether a label says that somebody is written to, and nothing that may turn it round."""
    words = words_of(label)
    return any(word in _YES for word in words) and all(word in _YES or word in _BESIDE_YES for word in words)


def _is_turned(label: str) -> bool:
    """Whether a label that speaks of stops may mean those who did not: `not unsubscribed`, `opt-out reversed`."""
    words = words_of(label)
    turned = any(word in _TURNING for word in words)
    return turned or any(word in _NOT and _left_after(words[at + 1 :]) for at, word in enumerate(words))


def _left_after(words: Sequence[str]) -> bool:
    """Whether what follows is a word for having left, and not what somebody wants no more of."""
    return bool(words) and "".join(words[:2]).startswith(_GONE)


def _flag(table: Table, index: int) -> Says:
    """What yes and no mean in a column, by its label. Raises UnreadableInput (ambiguous)."""
    name, flags = _last(table.header[index]), Flags()
    if _speaks_of_stops(name) and not _is_turned(table.header[index]):
        meant: Mapping[bool | None, Meaning] = {True: "left", False: "nothing"}
    elif _says_yes(table.header[index]):
        meant = {True: "nothing", False: "left"}
    else:
        raise _unclear(table, index)
    return lambda cell: meant.get(flags.read(cell)) if cell else "nothing"


def _filled(table: Table, index: int) -> set[str]:
    """What stands in a column, each once; a row that cannot be read says nothing."""
    return {text for _, cells in table.rows(lambda _: None) if (text := cells[index].strip())}


def _unclear(table: Table, index: int) -> UnreadableInput:
    return UnreadableInput(
        "ambiguous",
        f"{table.name} is taken for a list of people who said no, by its name or its columns, and its column "
        f"“{table.header[index][:_SHOWN]}” says of each row what this program does not understand.",
        "If everybody in it said no, give it with --stops; if not, write a mapping beside it that says which rows did: "
        "see docs/how-to/bring-other-files.md.",
    )


def _last(label: str) -> str:
    """A label, folded, without the path before it: `SuppressedDestinationSummaries.Reason` is `reason`."""
    name = label.partition(" (")[0].strip()
    return fold(_unpathed(name.replace("reason.code", "reasoncode")))


def _unpathed(label: str) -> str:
    return label.rpartition(".")[2] if _PATH(label) else label


_PATH = re.compile(r"\w+(?:\.\w+)+\Z").match
_NAMING = frozenset(map(fold, f"{_EMAIL}|{OPT_OUTS.columns['record']}|id|uuid".split("|")))


def _is_of(known: tuple[str, ...], names: Sequence[str]) -> bool:
    given = {name for name in names if name}
    return given == set(known) if "created" in known else set(known) <= given


def _places(table: Table) -> dict[str, tuple[int, ...]]:
    layout = Layout(KIND, {"email": _EMAIL, "record": OPT_OUTS.columns["record"], "at": _WHEN}, (), SAYS)
    header = [_unpathed(label) for label in table.header]
    return dict(places(header, layout, fold))

"""Which column of an export is which property: by label in four languages, or by internal name.

Labels are compared folded (`fold`): case, spaces, hyphens of any kind, accents and punctuation do not
count. A header cell that matches no wording is left out, and listed as such.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from adapters.encodings import UnreadableInput
from adapters.hubspot.wordings import INTERNAL, LABELS, LANGUAGES, OPTED_OUT_OF

_DEFAULT_EXPORT = ("record_id", "email", "marketing", "opted_out", "legal_basis", "lifecycle", "created")

OPT_OUT, IGNORE = "opt_out", "ignore"
"""What a person may say of a column that speaks of opting out: it shows opt-outs, or means nothing."""
_OPT_OUT_STEMS = """
opt out|opted out|unsubscri|suppress|do not mail|do not email|do not contact|dont contact|do not call
do not text|do not send|do not want|dont want|dnc|blacklist|blocklist|no marketing|no newsletter|no email
no mailing|stop marketing|stop newsletter|newsletter stop|stop email|marketing declined|marketing refused
exclude from marketing|excluded from marketing|consent withdrawn|withdrawn consent|consent revoked
revoked consent|permission revoked|withdrew consent|consent refused|consent denied|permission denied
permission withdrawn|objected|objection to|gdpr objection|removed from list|removed from mailing
robinson list|spam complaint|erasure request|contact forbidden|einwilligung widerrufen
einwilligung entzogen|widerrufen|widerruf der|werbewiderruf|kein newsletter|keinen newsletter
keine werbung|keine mail|keine e-mail|nicht anschreiben|nicht kontaktieren|nicht mehr anschreiben
gesperrt|newsletter gekündigt|newsletter beendet|newsletter storniert|abonnement beendet
abonnement gekündigt|abbestellt|refus de|refuse la prospection|opposition à|opposition prospection
ne plus contacter|sans newsletter|refus newsletter|baja comercial|baja newsletter|no desea|no enviar
oposición|non inviare|não enviar|bezwaar|niet mailen|geen mail|geen nieuwsbrief|nie wysyłać|ingen reklam
inga utskick|abgemeldet|abmeldung|abbestell|widerspr|sperrliste|werbesperre|désabonn|désinscri
ne pas contacter|descadastr|assinatura cancel|inscrição cancel|suscripción cancel|canceló la suscripción
darse de baja|dado de baja|no contactar|afgemeld|uitgeschreven|disiscri|avregistr|avanmäld|avmeldt
afmeldt|frameldt|peruuttanut|wypisan|rezygnacj|odhláš|leiratkoz|dezabon|abonelikten|配信停止|受信拒否|退订|退訂|取消订阅
取消訂閱|수신거부|구독취소|ยกเลิกการ
"""
"""Parts of words that speak of opting out, in the languages of HubSpot's interface."""
_STATUS_STEMS = (
    *("status", "state", "stand", "zustand", "etat", "estado", "stato", "newsletter", "mailing", "subscri", "abonn"),
    *("suscri", "iscri", "consent", "einwilligung", "permission", "optin", "communication", "kommunikation"),
)
"""Parts of the labels, folded, of columns in whose cells somebody may say that they left."""
_OPTED_OUT_OF_ID = re.compile(r"hs_email_optout_(\d+)\Z", re.IGNORECASE).match


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each property stands.

    at         property -> column index
    types      (index, subscription type as the header names it) of each per-type opt-out
    twins      (index, index, property) of two columns for one property: they must agree in every row
    suspects   (index, header cell) of columns that speak of opting out, and are no property
    statuses   (index, header cell) of other columns whose cells may say so: a status, a newsletter, a consent
    left_out   header cells no property claims; `language` the one most labels were in, or `internal`
    """

    at: Mapping[str, int]
    types: tuple[tuple[int, str], ...]
    twins: tuple[tuple[int, int, str], ...]
    left_out: tuple[str, ...]
    language: str
    suspects: tuple[tuple[int, str], ...] = ()
    statuses: tuple[tuple[int, str], ...] = ()

    @property
    def shows_opt_outs(self) -> bool:
        """Some column says who opted out."""
        return "opted_out" in self.at or bool(self.types)

    @property
    def hides_opt_outs(self) -> bool:
        """No column is known to say who opted out: one that only speaks of it may be of phone calls."""
        return not self.shows_opt_outs

    @property
    def missing(self) -> tuple[str, ...]:
        """Properties no column gives: unknown, never false."""
        absent = tuple(name for name in LABELS if name not in self.at and name != "hard_bounce_text")
        return absent if self.types else (*absent, "opted_out_of_type")


def fold(text: str) -> str:
    """Letters and digits alone, without case and accents: what two wordings are compared by."""
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filter(str.isalnum, decomposed))


def recognise(header: Sequence[str], names: Mapping[str, str] | None = None) -> Columns:
    """Find the properties in a header. `names`: header cell -> property, said by a person; it goes first.

    Raises UnreadableInput (`unknown_property`) when `names` speaks of a property there is none of.
    """
    said = _said(names or {})
    at: dict[str, int] = {}
    types: list[tuple[int, str]] = []
    twins: list[tuple[int, int, str]] = []
    left_out: list[str] = []
    spoken: dict[str, int] = {}
    for index, label in enumerate(header):
        if not label:
            continue
        name, language = (said[label.casefold()], "") if label.casefold() in said else _property(label)
        if name in (OPT_OUT, IGNORE):
            if name == OPT_OUT:
                types.append((index, label))
            continue
        if name is None and (kind := _opted_out_of(label)) is not None:
            types.append((index, kind[0]))
            language = kind[1]
        elif name is None:
            left_out.append(label)
        elif name in at:
            twins.append((at[name], index, name))
        else:
            at[name] = index
        spoken[language] = spoken.get(language, 0) + bool(language)
    # `E-mail` and `Lifecycle Stage` are words of several languages, so the majority speaks
    language = max(spoken, key=lambda key: spoken[key], default="") or LANGUAGES[0]
    suspects, statuses = [], []
    for index, label in enumerate(header):
        if label in left_out and speaks_of_opting_out(label):
            suspects.append((index, label))
        elif label in left_out and any(stem in fold(label) for stem in _STATUS_STEMS):
            statuses.append((index, label))
    return Columns(at, tuple(types), tuple(twins), tuple(left_out), language, tuple(suspects), tuple(statuses))


def speaks_of_opting_out(label: str) -> bool:
    """Whether the name of a column, or of a file, speaks of people who said no."""
    text = fold(label)
    return any(stem in text for stem in _stems())


_LEFT = frozenset(
    (
        *("withdrawn", "revoked", "declined", "cancelled", "canceled", "left", "widerrufen", "zuruckgezogen"),
        *("gekundigt", "abgelehnt", "retire", "refuse", "revogado", "revocato", "ritirato", "ingetrokken"),
    )
)


def says_left(cell: str) -> bool:
    """Whether a cell says that somebody opted out: by a word of the labels, or by one that means it in a status."""
    return speaks_of_opting_out(cell) or fold(cell) in _LEFT


@cache
def _stems() -> tuple[str, ...]:
    return tuple(fold(stem) for line in _OPT_OUT_STEMS.split("\n") for stem in line.split("|") if stem)


def is_contacts_export(columns: Columns) -> bool:
    """Whether the header has, beside the address, anything a HubSpot contacts export has."""
    return bool(columns.types) or any(name in columns.at for name in _DEFAULT_EXPORT if name != "email")


def used(label: str) -> bool:
    """Whether a header cell is read at all."""
    return _property(label)[0] is not None or _opted_out_of(label) is not None


def _said(names: Mapping[str, str]) -> dict[str, str]:
    for label, name in names.items():
        if name not in (*LABELS, OPT_OUT, IGNORE):
            raise UnreadableInput(
                "unknown_property",
                f"“{label}” is mapped to “{name}”, which is not a property.",
                f"Choose one of: {OPT_OUT}, {IGNORE}, {', '.join(LABELS)}.",
            )
    return {label.strip().casefold(): name for label, name in names.items()}


@cache
def _wordings() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, wordings in LABELS.items():
        for language, synonyms in zip((*LANGUAGES, INTERNAL), (*wordings[1:], wordings[0]), strict=True):
            for label in filter(None, synonyms.split("|")):
                found.setdefault(fold(label), (name, language))
    return found


@cache
def _prefixes() -> dict[str, str]:
    return {fold(label): language for language, labels in OPTED_OUT_OF.items() for label in labels.split("|")}


def _property(label: str) -> tuple[str | None, str]:
    if "_" in label:
        # an internal name is matched whole: `hs_email_optout` is no other spelling of anything
        name = next((n for n, w in LABELS.items() if label.lower() in w[0].split("|")), None)
        return name, INTERNAL if name else ""
    return _wordings().get(fold(label), (None, ""))


def _opted_out_of(label: str) -> tuple[str, str] | None:
    """(type, language) of a per-type opt-out column, or None."""
    found = _OPTED_OUT_OF_ID(label)
    if found:
        return found[1], INTERNAL
    prefix, colon, kind = label.partition(":")
    language = _prefixes().get(fold(prefix)) if colon else None
    return (kind.strip(), language) if language and kind.strip() else None

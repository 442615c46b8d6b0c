"""In which encoding are these bytes? Settled by the bytes, by a person, or assumed and said so."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import chardet

Ask = Callable[[tuple[str, ...], Mapping[str, tuple[str, ...]]], str | None]
"""(candidates, likeliest first; for each, lines that tell them apart) -> the choice; None: the likeliest."""

LEGACY = ("cp1252", "mac_roman")
"""What Excel on Windows and on a Mac write. A detector left to itself names far rarer ones, wrongly."""

PREVIEW_LINES = 3
_SAMPLE = 128 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_READABLE = re.compile(r"(utf_?-?(8|16|32)|ascii|cp\d|iso8859|latin|mac|koi8|shift_jis|euc_|gb|big5)").match
_UNFIT = re.compile("[\0\udc80-\udcff]").search
_UNFIT_ELSEWHERE = re.compile("[\0\ufffd]").search


class UnreadableInput(Exception):  # noqa: N818  it names what is wrong, as the reader will say it
    """A whole input that cannot be taken in.

    code    a token, stable across versions
    remedy  what to do about it, in one sentence
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Decoding:
    """The encoding to read with; whether it was assumed; lines that show what it makes of the bytes."""

    encoding: str
    assumed: bool
    preview: tuple[str, ...] = ()


def known_encoding(name: str) -> str:
    """Python's name of a text encoding somebody asked for. Raises UnreadableInput when it has none."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if not _READABLE(found):
        raise UnreadableInput(
            "unknown_encoding",
            f"“{name}” is not an encoding that this program reads.",
            "Try utf-8, utf-16, cp1252 (Windows) or mac_roman (Mac).",
        )
    # a mark at the start is no part of the first header cell, whether there is one or not
    return "utf-8-sig" if found == "utf-8" else _spelled(found)


def marked(head: bytes) -> str | None:
    """The encoding a byte order mark states, or that UTF-16's pattern of NULs gives away."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    sample = head[: len(head) & ~1][:4096]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    # Latin text in UTF-16 has a NUL in nearly every pair, always on the same side
    if half >= 2 and odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half >= 2 and even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def choose(lines: Iterable[bytes], ask: Ask | None) -> Decoding:
    """Decide for bytes that are not all UTF-8 and carry no mark.

    Mostly UTF-8 with a few broken lines is UTF-8 (those lines will be rejected); else the detector chooses
    among `LEGACY`. Either way it is assumed, unless `ask` answers.
    """
    fit, unfit, sample = 0, 0, bytearray()
    for line in lines:
        if line.isascii():
            continue
        if _is_utf8(line):
            fit += 1
            continue
        unfit += 1
        if len(sample) < _SAMPLE:
            sample += line[:_SAMPLE]
    detected = _detect(bytes(sample))
    if fit >= 4 * unfit:
        candidates = ("utf-8", detected, *(name for name in LEGACY if name != detected))
    else:
        candidates = (detected, *(name for name in LEGACY if name != detected))
    shown = sample.splitlines()[:PREVIEW_LINES]
    previews = {name: tuple(printable(bytes(line), name) for line in shown) for name in candidates}
    answer = ask(candidates, previews) if ask is not None else None
    if answer is None:
        return Decoding(candidates[0], True, previews[candidates[0]])
    encoding = known_encoding(answer)
    return Decoding(encoding, False, tuple(printable(bytes(line), encoding) for line in shown))


def printable(line: bytes, encoding: str, limit: int = 400) -> str:
    """One line as the encoding reads it, fit to be shown."""
    return line.decode(encoding, "replace").strip("\ufeff\r\n")[:limit]


def errors_for(encoding: str) -> str:
    """How to decode so that every byte that does not fit stays visible to `unfit`."""
    return "surrogateescape" if encoding.startswith("utf-8") else "replace"


def unfit(text: str, encoding: str) -> bool:
    """Whether decoded text holds bytes that did not fit, or NUL.

    U+FFFD is told apart in UTF-8 alone: there it may be what the exporting system itself wrote.
    """
    look = _UNFIT if encoding.startswith("utf-8") else _UNFIT_ELSEWHERE
    return look(text) is not None


def _detect(sample: bytes) -> str:
    found = chardet.detect(sample, include_encodings=LEGACY, compat_names=False)["encoding"] or LEGACY[0]
    name = _spelled(codecs.lookup(found).name)
    return name if name in LEGACY else LEGACY[0]


def _spelled(name: str) -> str:
    """`mac-roman` as `LEGACY` spells it; other names as they are."""
    return next((known for known in LEGACY if known == name.replace("-", "_")), name)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

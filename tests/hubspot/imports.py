"""Imports: a file that changes contacts, makes marketing contacts of them, or opts a whole list out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

import msgspec

from tests.hubspot.calls import invalid
from tests.hubspot.contacts import Contact
from tests.hubspot.journal import Actor, iso

if TYPE_CHECKING:
    from tests.hubspot.state import State

_WAYS = ("CREATE", "UPDATE", "UPSERT")


@dataclass(slots=True)
class Import:
    """One import. `marketing`: what its flag said of its contacts; None: nothing."""

    id: int
    name: str
    at: int
    request: dict[str, Any]
    opt_out: bool = False
    marketing: bool | None = None
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    state: str = "DONE"

    def shown(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "id": str(self.id),
            "state": self.state,
            "importName": self.name,
            "importRequestJson": self.request,
            "createdAt": iso(self.at),
            "updatedAt": iso(self.at),
            "optOutImport": self.opt_out,
            "metadata": {"counters": self.counts, "fileIds": [str(self.id)], "objectLists": []},
        }


class Imports:
    """All of them. `demotes`: whether a flag of false makes marketing contacts non-marketing, which nobody says."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.all: dict[int, Import] = {}
        self.demotes = False

    def receive(self, body: bytes, content_type: str) -> Import:
        """A call with a file."""
        request, files = _parts(body, content_type)
        rows: list[dict[str, str]] = []
        for description in request.get("files") or []:
            name = str(description.get("fileName"))
            if name not in files:
                raise invalid(f"The file {name} is not part of the request")
            mappings = description.get("fileImportPage", {}).get("columnMappings") or []
            rows.extend(_rows(files[name], mappings))
        if not request.get("name") or not request.get("files"):
            raise invalid("Some required fields were not set: [name, files]")
        return self.run(rows, request)

    def opt_out_list(self, *emails: str, name: str = "Opt-out list") -> Import:
        """Somebody in the portal imports an opt-out list."""
        with self._state.lock:
            rows = [{"email": email} for email in emails]
            return self.run(rows, {"name": name, "optOutImport": True})

    def run(self, rows: list[dict[str, str]], request: dict[str, Any]) -> Import:
        """Do it at once."""
        state = self._state
        made = Import(
            610_001 + len(self.all), str(request["name"]), state.journal.now(), request,
            opt_out=bool(request.get("optOutImport")), marketing=request.get("marketableContactImport"),
        )  # fmt: skip
        self.all[made.id] = made
        who = Actor("import", "IMPORT", str(made.id), made.name)
        way = str((request.get("importOperations") or {}).get("0-1", "UPSERT"))
        if way not in _WAYS:
            raise invalid(f"{way} is no import operation")
        made.counts = {"TOTAL_ROWS": len(rows), "CREATED_OBJECTS": 0, "UPDATED_OBJECTS": 0, "ERRORS": 0}
        for place, row in enumerate(rows, 1):
            if made.opt_out:
                state.addresses.set_all(row.get("email", ""), True, who, state.journal.now())
            else:
                self._row(made, place, row, way, who)
        made.counts["ERRORS"] = len(made.errors)
        return made

    def _row(self, made: Import, place: int, row: dict[str, str], way: str, who: Actor) -> None:
        state = self._state
        record = row.pop("hs_object_id", "")
        faults = list(state.definitions.faults(row))
        key = record or row.get("email", "")
        contact = state.contacts.find(key) if key else None
        if faults:
            made.errors.append(_error(made, place, faults[0]["error"], faults[0]["name"]))
        elif contact is None and (way == "UPDATE" or not row.get("email")):
            made.errors.append(_error(made, place, "UNKNOWN_OBJECT", "email"))
        elif contact is not None and way == "CREATE":
            made.errors.append(_error(made, place, "DUPLICATE_OBJECT", "email"))
        else:
            at = state.journal.now()
            if contact is None:
                contact = state.contacts.add({**row, "hs_was_imported": "true"}, who, at)
                state.show(contact, at=at)
                made.counts["CREATED_OBJECTS"] += 1
            else:
                made.counts["UPDATED_OBJECTS"] += 1
                for name, value in row.items():
                    state.contacts.set(contact, name, value, who, at)
            self._flag(made, contact, who, at)

    def _flag(self, made: Import, contact: Contact, who: Actor, at: int) -> None:
        if made.marketing or (made.marketing is False and self.demotes):
            self._state.marketing.set(
                contact, bool(made.marketing), who, at, reason="CONTACT_IMPORT", reason_id=str(made.id)
            )


def _parts(body: bytes, content_type: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    if not content_type.startswith("multipart/form-data"):
        raise invalid("An import is sent as multipart/form-data")
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    request: dict[str, Any] | None = None
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if name == "importRequest":
            try:
                request = msgspec.json.decode(content, type=dict[str, Any])
            except msgspec.DecodeError:
                raise invalid("importRequest is no JSON object") from None
        elif name == "files":
            files[part.get_filename() or ""] = content
    if request is None:
        raise invalid("Some required fields were not set: [importRequest]")
    return request, files


def _rows(content: bytes, mappings: list[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    names = {str(one["columnName"]): str(one["propertyName"]) for one in mappings if one.get("propertyName")}
    special = {str(one["columnName"]) for one in mappings if one.get("columnType") == "HUBSPOT_OBJECT_ID"}
    for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
        found = {names[column]: value for column, value in row.items() if column in names}
        for column in special:
            found["hs_object_id"] = row[column]
        yield found


def _error(made: Import, place: int, kind: str, name: str) -> dict[str, Any]:
    return {
        "id": str(len(made.errors) + 1),
        "createdAt": made.at,
        "errorType": kind,
        "objectType": "CONTACT",
        "sourceData": {"lineNumber": place, "containsEncryptedProperties": False},
        "knownColumnNumber": 0,
        "invalidPropertyValue": {"propertyName": name},
    }

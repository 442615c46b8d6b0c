"""The evidence map: read with every mistake told at once, adopted once, written for a person to fill in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from adapters.cli.map import app
from adapters.evidence_map.adopting import Adopted, adopt_map
from adapters.evidence_map.reading import EvidenceMap, read_map
from adapters.evidence_map.shape import SECTIONS, By, Price
from adapters.evidence_map.writing import MOST_CAMPAIGNS, extend_map, write_map
from adapters.statements import BoxFound, FormFound, Found, NameFound
from adapters.tabular import UnreadableInput
from adapters.tokens import token_of
from adapters.wiring import House, init_ledger
from ledger import events as e
from projections.verdicts import Money
from tests.ledgers import open_house

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
BY = '[by]\nname = "Dana Weiss"\nrole = "data protection officer"\non = 2026-11-20\n'
FORM = """
[[form]]
key = "newsletter-footer-2021"
form = "Newsletter footer"
box = "I would like the newsletter"
ticked_before = false
required = false
shown_from = 2021-01-01
shown_to = 2023-05-01
wording = "evidence/words.html"
purposes = ["marketing.similar", "marketing.other"]
channels = ["email"]
senders = ["own", "Müller & Söhne"]
evidence = ["evidence/footer.html"]
"""
SALE = """
[[sale]]
key = "online-shop-2023"
pipeline = "Online shop"
kind = "purchase"
seller = "own"
collected_from_person = true
refusal_offered = true
refusals_recorded = true
shown_from = 2023-01-01
evidence = ["evidence/checkout.html"]
"""
REST = """
[[type]]
key = "product-news"
type = "Product News"
purposes = ["marketing.similar"]
evidence = ["evidence/footer.html"]

[[campaign]]
key = "spring"
campaign = "Spring 2024"
purpose = "marketing.similar"

[[list]]
key = "fair"
list = "Trade fair Hannover"
note = "cards handed over at the stand"
by = { name = "Jo Berg", role = "head of sales", on = 2026-11-21 }

[money]
tier = 50000
price = 2300
currency = "EUR"
step = 5000
renewal = 2027-03-01

[columns]
"Meine Spalte" = "legal_basis"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files that show something."""
    (tmp_path / "evidence").mkdir()
    for name in ("words", "footer", "checkout"):
        (tmp_path / f"evidence/{name}.html").write_text(f"<p>{name}</p>")
    return tmp_path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty ledger."""
    with open_house(tmp_path / "ledger", {}) as house:
        yield house


def written(folder: Path, *parts: str) -> Path:
    path = folder / "audit.toml"
    path.write_text("".join(parts), encoding="utf-8")
    return path


def read(folder: Path, *parts: str) -> EvidenceMap:
    return read_map(written(folder, *parts))


def mistakes(folder: Path, *parts: str) -> list[str]:
    with pytest.raises(UnreadableInput) as caught:
        read(folder, *parts)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def sha(folder: Path, name: str) -> str:
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


# --- reading -------------------------------------------------------------------------------------


def test_a_form_is_read_with_its_days_words_and_files(folder: Path) -> None:
    fact = read(folder, BY, FORM).declarations()[0]
    said = fact.event
    assert isinstance(said, e.FormDeclared)
    assert (said.key, said.form, said.box) == (
        "newsletter-footer-2021",
        "newsletter-footer",
        "i-would-like-the-newsletter",
    )
    assert (said.ticked_before, said.required) == (False, False)
    assert (said.shown_from, said.shown_to) == (datetime(2021, 1, 1, tzinfo=UTC), datetime(2023, 5, 1, tzinfo=UTC))
    assert (said.purposes, said.channels) == (("marketing.similar", "marketing.other"), ("email",))
    assert said.to == ("own", token_of("Müller & Söhne"))
    assert said.wording == sha(folder, "evidence/words.html")
    assert said.evidence == (sha(folder, "evidence/footer.html"),)
    assert (said.occurred_from, said.precision, said.by) == (datetime(2026, 11, 20, tzinfo=UTC), "day", "officer")
    assert fact.payload == {
        "name": "Dana Weiss",
        "role": "data protection officer",
        "on": "2026-11-20",
        "form": "Newsletter footer",
        "box": "I would like the newsletter",
        "senders": ["own", "Müller & Söhne"],
    }


def test_what_is_not_said_stays_unknown(folder: Path) -> None:
    bare = '[[form]]\nkey = "f"\nform = "F"\nbox = "B"\n[[sale]]\nkey = "s"\n'
    form, sale = (fact.event for fact in read(folder, BY, bare).declarations())
    assert isinstance(form, e.FormDeclared)
    assert isinstance(sale, e.SaleDeclared)
    assert (form.ticked_before, form.required, form.wording, form.evidence) == (None, None, None, ())
    assert (sale.pipeline, sale.kind, sale.refusal_offered, sale.refusals_recorded) == (None, "unknown", None, None)


def test_a_sign_up_only_form_names_no_box_and_a_type_switched_on_is_one(folder: Path) -> None:
    stanzas = (
        '[[form]]\nkey = "a"\nform = "F"\nsign_up_only = true\n'
        '[[form]]\nkey = "b"\nform = "F"\nswitches_on = "Product News"\n'
        '[[form]]\nkey = "c"\nform = "G"\nsign_up_only = true\n'
    )
    found = read(folder, BY, stanzas)
    boxes = [fact.event.box for fact in found.declarations() if isinstance(fact.event, e.FormDeclared)]
    assert boxes == [None, "type.product-news", None]
    assert found.wanted.boxes == {"f": frozenset({"type.product-news"}), "g": frozenset()}


def test_money_columns_and_the_one_who_signs_a_single_stanza(folder: Path) -> None:
    found = read(folder, BY, SALE, REST)
    assert found.money == Money(tier=50_000, price=2300.0, currency="EUR", step=5_000, renewal=date(2027, 3, 1))
    assert found.columns == {"Meine Spalte": "legal_basis"}
    assert found.declarations()[-1].payload == {
        "name": "Jo Berg",
        "role": "head of sales",
        "on": "2026-11-21",
        "note": "cards handed over at the stand",
        "list": "Trade fair Hannover",
    }


def test_a_map_saved_by_a_windows_editor_is_read(folder: Path) -> None:
    path = folder / "audit.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (BY + FORM).replace("\n", "\r\n").encode())
    assert len(read_map(path).stanzas) == 1


def test_every_mistake_is_told_at_once_with_its_place_and_what_to_write(folder: Path) -> None:
    told = mistakes(
        folder,
        '[by]\nname = "Dana Weiss"\nrole = " "\non = "yesterday"\n',
        '[[form]]\nkey = "one"\nform = "F"\nbox = "B"\nticked_before = "no"\npurposes = ["marketing.all"]\n',
        '[[form]]\nform = "F"\nbox = "B"\nrequird = true\n',
        '[[sale]]\nkey = "two"\nkind = "gift"\nevidence = ["evidence/nowhere.pdf"]\n',
        '[[type]]\nkey = "two"\ntype = "News"\npurposes = []\n',
        "[moneyy]\ntier = 5\n",
    )
    expected = (
        "[by], role: ' ' is empty; write that person's role",
        "[by], on: 'yesterday' will not do; write the day it was declared, without quotes: 2026-11-20",
        "[[form]] one, ticked_before: 'no' will not do; write true or false, or leave it out where nobody knows",
        "[[form]] one, purposes: 'marketing.all' is not a purpose; write a list of purposes",
        "[[form]] number 2, key: is missing; write a name of its own",
        "[[form]] number 2, requird: there is no such field; did you mean required?",
        "[[sale]] two, kind: 'gift' will not do; write purchase, subscription",
        "[[type]] two, key: [[type]] number 1 has the key of [[sale]] number 1; write another",
        "[[type]] two, purposes: [] will not do; write a list of purposes",
        "[moneyy]: there is no such section; did you mean money?",
    )
    for one in expected:
        assert any(line.startswith(one) for line in told), (one, told)
    assert len(told) == len(expected)


@pytest.mark.parametrize(
    ("stanza", "told"),
    [
        ('key = "a"\nform = "F"', "[[form]] a, box: write exactly one of"),
        ('key = "a"\nform = "F"\nbox = "B"\nsign_up_only = true', "[[form]] a, box: write exactly one of"),
        ('key = "a"\nform = "F"\nsign_up_only = false', "[[form]] a, sign_up_only: false will not do; write true"),
        ('key = "a"\nform = "F"\nsign_up_only = true\nrequired = true', "[[form]] a, required: a form for nothing but"),
        (
            'key = "a"\nform = "F"\nbox = "B"\nshown_from = 2022-01-01\nshown_to = 2022-01-01',
            "[[form]] a, shown_to: 2022-01-01 does not come after shown_from",
        ),
        (
            'key = "a"\nform = "F"\nbox = "B"\nshown_from = 2022-01-01T10:00:00Z',
            "[[form]] a, shown_from: 2022-01-01 10:00:00+00:00 will not do; write the first day, without quotes",
        ),
        ('key = "a b"\nform = "F"\nbox = "B"', "[[form]] a b, key: 'a b' will not do; write a name of its own"),
        ('key = "a"\nform = "F"\nbox = "B"\nchannels = ["fax"]', "[[form]] a, channels: 'fax' is not a channel"),
        ('key = "a"\nform = "F"\nbox = "B"\nsenders = ["Own"]', "[[form]] a, senders: 'Own' is read as a company"),
        ('key = "a"\nform = "F"\nbox = "B"\nwording = "evidence"', "[[form]] a, wording: 'evidence' is a folder"),
        ('key = "a"\nform = "F"\nbox = "B"\nevidence = ["empty"]', "[[form]] a, evidence: 'empty' is empty"),
        (
            'key = "a"\nform = "F"\nbox = "B"\nby = { name = "D", role = "R" }',
            "[[form]] a, by.on: is missing; write the",
        ),
    ],
)
def test_a_stanza_that_says_nothing_certain_is_refused(folder: Path, stanza: str, told: str) -> None:
    (folder / "empty").touch()
    (line,) = mistakes(folder, BY, f"[[form]]\n{stanza}\n")
    assert line.startswith(told)


def test_somebody_must_answer_for_it(folder: Path) -> None:
    (line,) = mistakes(folder, SALE)
    assert line.startswith("[[sale]] online-shop-2023, by: nobody answers for it; write [by] with name, role and on")


def test_two_stanzas_may_not_speak_of_one_thing_on_one_day(folder: Path) -> None:
    """Or which of them counts would hang on which was changed last."""
    other = (
        FORM.replace("newsletter-footer-2021", "later")
        .replace("2021-01-01", "2023-04-30")
        .replace("2023-05-01", "2024-01-01")
    )
    (line,) = mistakes(folder, BY, FORM, other)
    assert (
        line
        == "[[form]] later: speaks of what [[form]] newsletter-footer-2021 speaks of; end one of them with shown_to"
    )
    assert len(read(folder, BY, FORM, other.replace("2023-04-30", "2023-05-01")).stanzas) == 2
    every = '[[sale]]\nkey = "any"\nkind = "purchase"\n'
    (line,) = mistakes(folder, BY, SALE, every)
    assert line.startswith("[[sale]] any: speaks of what [[sale]] online-shop-2023 speaks of")
    (line,) = mistakes(
        folder, BY, REST, '[[type]]\nkey = "n"\ntype = "product  NEWS"\npurposes = ["marketing.other"]\n'
    )
    assert line.endswith("write one stanza for both")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[[form]\n", "is not TOML: Expected"),
        (b"\xff\xfe[\x00", "is not UTF-8 text"),
        (b"form = 1\n", "[form]: write [[form]], in double brackets"),
        (b"by = 1\n", "[by]: 1 will not do"),
        (b"money = 1\n", "[money]: 1 will not do"),
        (b"[columns]\na = 1\n", '[columns]: write "Header cell" = "property", both in quotes'),
    ],
)
def test_a_file_that_is_no_map_says_why(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "audit.toml"
    path.write_bytes(data)
    with pytest.raises(UnreadableInput) as caught:
        read_map(path)
    assert told in caught.value.message


def test_a_map_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="cannot be read: No such file"):
        read_map(tmp_path / "nowhere.toml")


def test_the_reference_page_shows_a_map_that_reads_and_names_every_setting(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/evidence-map.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    (tmp_path / "evidence").mkdir()
    for name in re.findall(r"evidence/[a-z0-9.-]+", shown):
        (tmp_path / name).write_text("shown")
    assert len(read(tmp_path, shown).stanzas) == len(SECTIONS)
    models: list[type[BaseModel]] = [*SECTIONS.values(), By, Price]
    for model in models:
        assert [name for name in model.model_fields if f"`{name}`" not in page and f"{name} =" not in page] == []


# --- adopting ------------------------------------------------------------------------------------


def test_what_a_map_declares_is_recorded_once(folder: Path, house: House) -> None:
    found = read(folder, BY, FORM, SALE, REST)
    assert adopt_map(house, found, AT) == Adopted(5, 0, 0)
    head = house.ledger.log.last_position()
    declared = house.catalogue.declared.by_key
    assert set(declared) == {"newsletter-footer-2021", "online-shop-2023", "product-news", "spring", "fair"}
    assert house.payload(declared["fair"].event)["name"] == "Jo Berg"
    adopted = house.catalogue.maps[-1].event
    assert isinstance(adopted, e.EvidenceMapAdopted)
    assert house.ledger.log.document(adopted.document) == (folder / "audit.toml").read_bytes()
    for name in ("words", "footer", "checkout"):
        path = folder / f"evidence/{name}.html"
        assert house.ledger.log.document(sha(folder, f"evidence/{name}.html")) == path.read_bytes()
    assert adopt_map(house, read_map(found.path), AT) == Adopted(0, 0, 5)
    assert house.ledger.log.last_position() == head


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ticked_before = false", "ticked_before = true"),
        ('box = "I would like', 'note = "seen in the archive"\nbox = "I would like'),
        ("on = 2026-11-20", "on = 2026-11-22"),
        ('form = "Newsletter footer"', 'form = "newsletter FOOTER"'),
        ("2023-05-01", "2023-05-02"),
    ],
)
def test_only_what_differs_is_recorded_again(folder: Path, house: House, old: str, new: str) -> None:
    signed = SALE + 'by = { name = "Jo Berg", role = "head of sales", on = 2026-11-21 }\n'
    adopt_map(house, read(folder, BY, FORM, signed), AT)
    changed = (BY + FORM + signed).replace(old, new)
    assert changed != BY + FORM + signed
    assert adopt_map(house, read(folder, changed), AT) == Adopted(1, 0, 1)
    assert len(house.catalogue.maps) == 2


def test_another_file_of_evidence_under_the_same_name_is_another_declaration(folder: Path, house: House) -> None:
    adopt_map(house, read(folder, BY, FORM, SALE), AT)
    (folder / "evidence/footer.html").write_text("a better picture")
    assert adopt_map(house, read(folder, BY, FORM, SALE), AT) == Adopted(1, 0, 1)
    held = house.catalogue.declared.by_key["newsletter-footer-2021"].event
    assert held.evidence == (sha(folder, "evidence/footer.html"),)


def test_a_stanza_taken_out_is_withdrawn_and_put_back_is_recorded(folder: Path, house: House) -> None:
    adopt_map(house, read(folder, BY, FORM, SALE), AT)
    assert adopt_map(house, read(folder, BY, SALE), AT) == Adopted(0, 1, 1)
    assert set(house.catalogue.declared.by_key) == {"online-shop-2023"}
    assert adopt_map(house, read(folder, ""), AT) == Adopted(0, 1, 0)
    assert house.catalogue.declared.forms == {}
    assert adopt_map(house, read(folder, BY, FORM), AT) == Adopted(1, 0, 0)


def test_what_another_source_declared_is_left_alone(folder: Path, house: House) -> None:
    theirs = read(folder, BY, SALE).declarations()[0]
    event = e.SaleDeclared(stream=theirs.event.stream, source="review", key="by-review", kind="purchase")
    house.ledger.record(theirs._replace(event=event))
    assert adopt_map(house, read(folder, BY, FORM), AT) == Adopted(1, 0, 0)
    assert adopt_map(house, read(folder, BY), AT) == Adopted(0, 1, 0)
    assert set(house.catalogue.declared.by_key) == {"by-review"}


def test_a_file_changed_between_reading_and_adopting_is_noticed(folder: Path, house: House) -> None:
    found = read(folder, BY, FORM)
    (folder / "evidence/footer.html").write_text("something else")
    with pytest.raises(UnreadableInput, match="changed while"):
        adopt_map(house, found, AT)
    assert house.catalogue.declared.by_key == {}


# --- writing -------------------------------------------------------------------------------------


def found_in_files() -> Found:
    return Found(
        forms={
            "newsletter-footer": FormFound(
                "Newsletter footer",
                1_203,
                date(2021, 1, 5),
                date(2024, 6, 30),
                {
                    "i-would-like-the-newsletter": BoxFound("I would like the newsletter", 812, 391),
                    "type.product-news": BoxFound("Product News", 500, 0),
                },
            ),
            "contact-us": FormFound('Contact "us"', 40),
        },
        pipelines={"online-shop": NameFound("Online shop", 90, date(2023, 1, 2), date(2026, 1, 2))},
        types={"product-news": NameFound("Product News", 12)},
        campaigns={f"mail-{n:02}": NameFound(f"Mail {n:02}", 100 - n) for n in range(30)}
        | {"77": NameFound("", 1_000)},
        lists={token_of("Messe München 🎪"): NameFound("Messe\nMünchen 🎪", 7)},
    )


def filled(text: str) -> str:
    """The map as a person might fill it in: every setting uncommented, every blank answered."""
    answers = {
        "on": "2026-11-20",
        "name": '"Dana Weiss"',
        "role": '"officer"',
        "ticked_before": "false",
        "shown_from": "2021-01-01",
        "shown_to": "2026-01-01",
        "wording": '"evidence/words.html"',
        "purposes": '["marketing.similar"]',
        "channels": '["email"]',
        "senders": '["own"]',
        "evidence": '["evidence/footer.html"]',
        "kind": '"purchase"',
        "seller": '"own"',
        "purpose": '"marketing.similar"',
        "note": '"said by the one who brought it"',
        "tier": "50000",
        "price": "2300.0",
        "currency": '"EUR"',
        "step": "5000",
        "renewal": "2027-03-01",
    } | dict.fromkeys(("required", "collected_from_person", "refusal_offered", "refusals_recorded"), "true")
    lines = [re.sub(r"^#(?=\S)", "", line) for line in text.splitlines()]
    return "\n".join(
        re.sub(r"^([a-z_]+) =\s*(\"\"|\[\])?\s*(#.*)?$", lambda m: f"{m[1]} = {answers[m[1]]}", x) for x in lines
    )


def test_a_map_as_written_declares_nothing(folder: Path) -> None:
    path = folder / "audit.toml"
    write_map(path, found_in_files(), "Sample Goods GmbH", AT)
    found = read_map(path)
    assert (found.stanzas, found.money, found.columns, found.by) == ((), None, {}, None)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Evidence map of Sample Goods GmbH, first written on 2026-11-23")
    assert '# Form "Newsletter footer": 1,203 submissions, 2021-01-05 to 2024-06-30.' in text
    assert '# Box "I would like the newsletter": ticked by 812, left by 391.' in text
    assert '# Pipeline "Online shop": 90 won deals, 2023-01-02 to 2026-01-02.' in text
    assert all(line.startswith("#") or not line for line in text.splitlines())


def test_filled_in_it_reads_and_names_what_the_files_name(folder: Path) -> None:
    """The tokens a filled-in stanza leads to are those the facts hold."""
    path = folder / "audit.toml"
    found = found_in_files()
    write_map(path, found, "Sample Goods GmbH", AT)
    evidence_map = read(folder, filled(path.read_text(encoding="utf-8")))
    events = [fact.event for fact in evidence_map.declarations()]
    forms = {(said.form, said.box) for said in events if isinstance(said, e.FormDeclared)}
    assert forms == {
        ("newsletter-footer", "i-would-like-the-newsletter"),
        ("newsletter-footer", "type.product-news"),
        ("contact-us", None),
    }
    assert {said.pipeline for said in events if isinstance(said, e.SaleDeclared)} == {"online-shop"}
    assert {said.subscription_type for said in events if isinstance(said, e.TypeDeclared)} == {"product-news"}
    campaigns = [said.campaign for said in events if isinstance(said, e.CampaignDeclared)]
    assert campaigns == ["77", *(f"mail-{n:02}" for n in range(MOST_CAMPAIGNS - 1))]
    assert {said.list for said in events if isinstance(said, e.ImportDeclared)} == set(found.lists)
    assert evidence_map.money == Money(tier=50_000, price=2300.0, currency="EUR", step=5_000, renewal=date(2027, 3, 1))
    assert evidence_map.columns == {"Header cell": "legal_basis"}


def test_the_same_findings_write_the_same_bytes(tmp_path: Path) -> None:
    whole = found_in_files()
    turned = Found(*(dict(reversed(getattr(whole, name).items())) for name in Found.__dataclass_fields__))
    write_map(tmp_path / "a.toml", whole, "Sample Goods GmbH", AT)
    write_map(tmp_path / "b.toml", turned, "Sample Goods GmbH", AT)
    assert (tmp_path / "a.toml").read_bytes() == (tmp_path / "b.toml").read_bytes()


def test_a_map_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "audit.toml"
    path.write_text("# mine\n")
    with pytest.raises(FileExistsError):
        write_map(path, found_in_files(), "Sample Goods GmbH", AT)
    assert path.read_text() == "# mine\n"


def test_a_map_just_written_speaks_of_everything(tmp_path: Path) -> None:
    path = tmp_path / "audit.toml"
    write_map(path, found_in_files(), "Sample Goods GmbH", AT)
    before = path.read_bytes()
    assert extend_map(path, found_in_files()) == 0
    assert path.read_bytes() == before


def test_only_what_is_new_is_added_and_only_at_the_end(folder: Path) -> None:
    path = folder / "audit.toml"
    write_map(path, found_in_files(), "Sample Goods GmbH", AT)
    path.write_text(filled(path.read_text(encoding="utf-8")).rstrip("\n"), encoding="utf-8")
    before = path.read_bytes()
    found = found_in_files()
    found.forms["newsletter-footer"].boxes["partners"] = BoxFound("Partners", 3, 9)
    found.forms["webinar"] = FormFound("Webinar", 5)
    found.pipelines["field-sales"] = NameFound("Field sales", 4)
    assert extend_map(path, found) == 3
    after = path.read_bytes()
    assert after.startswith(before)
    assert b'#box = "Partners"' in after[len(before) :]
    assert extend_map(path, found) == 0
    declared = len(read_map(path).stanzas)
    assert len(read(folder, filled(after.decode())).stanzas) == declared + 3


def test_what_a_map_says_in_its_own_layout_is_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.toml"
    said = (
        "form = [{ key = 'k', form = 'NEWSLETTER  footer', box = 'i would like the newsletter' }]\n"
        "sale = [{ key = 'every' }]\n"
        "type = [{ key = 't', type = 'Product News', purposes = ['marketing.similar'] }]\n"
    )
    path.write_text(said)
    found = found_in_files()
    found.campaigns.clear()
    found.lists.clear()
    assert extend_map(path, found) == 2  # the form's other box, and the form without one
    assert path.read_text().startswith(said)


def test_two_boxes_whose_names_lead_to_one_key_get_keys_of_their_own(folder: Path) -> None:
    found = Found(
        forms={
            "a": FormFound("A", 1, boxes={"b-c": BoxFound("B C")}),
            "a-b": FormFound("A B", 1, boxes={"c": BoxFound("C")}),
        }
    )
    write_map(folder / "audit.toml", found, "X", AT)
    keys = re.findall(r'#key = "(.*)"', (folder / "audit.toml").read_text())
    assert keys == ["a-b-c", "a-b-c-2"]


# --- the command line ----------------------------------------------------------------------------


def test_a_map_is_checked_and_adopted_from_the_command_line(folder: Path) -> None:
    path = written(folder, BY, FORM, REST)
    checked = CliRunner().invoke(app, ["check", str(path)], catch_exceptions=False)
    assert checked.exit_code == 0
    assert "4 declarations, 2 files that they name" in checked.output
    assert "spring, by Dana Weiss, data protection officer, 2026-11-20: no evidence" in checked.output
    init_ledger(folder / "new", {})
    asked = ["adopt", str(path), "--ledger", str(folder / "new"), "--json"]
    for counts in ((4, 0, 0), (0, 0, 4)):
        done = CliRunner().invoke(app, asked, catch_exceptions=False)
        assert json.loads(done.stdout) == dict(zip(("recorded", "withdrawn", "unchanged"), counts, strict=True))
    told = CliRunner().invoke(app, ["check", str(path), "--json"], catch_exceptions=False)
    assert json.loads(told.stdout)["without_evidence"] == ["spring", "fair"]

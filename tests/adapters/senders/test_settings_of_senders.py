"""A sender is listened to where its setting is there and can be meant; what is wrong is named, and not quoted."""

from __future__ import annotations

import pytest

from adapters.cli.senders import senders_of
from adapters.settings import PREFIX, Settings, SettingsError
from tests.adapters.senders.test_sendgrid import PUBLISHED_KEY
from tests.adapters.senders.world import TOPIC

GOOD = {
    "MAILCHIMP_SECRET": "a-long-and-secret-tail, one-more-secret-of-before",
    "POSTMARK_SECRET": "user:pass:word",
    "SENDGRID_KEY": PUBLISHED_KEY,
    "SES_TOPICS": f"{TOPIC},{TOPIC}-2",
}


def senders(said: dict[str, str]) -> list[str]:
    settings = Settings.read({PREFIX + name: value for name, value in said.items()})
    return [one.name for one in senders_of(settings)]


def test_those_that_are_set_are_listened_to() -> None:
    assert senders({}) == []
    assert senders(GOOD) == ["mailchimp", "postmark", "sendgrid", "ses"]
    for name, value in GOOD.items():
        assert senders({name: value}) == [name.partition("_")[0].lower()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAILCHIMP_SECRET", ""),
        ("MAILCHIMP_SECRET", "too-short"),
        ("MAILCHIMP_SECRET", "a-long-and-secret-tail,too-short"),
        ("POSTMARK_SECRET", "only-a-user"),
        ("POSTMARK_SECRET", ":only-a-password"),
        ("SENDGRID_KEY", "no key at all"),
        ("SES_TOPICS", " , "),
    ],
)
def test_what_cannot_be_meant_is_named_and_not_quoted(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        senders({name: value})
    assert not value.strip() or value not in str(caught.value)

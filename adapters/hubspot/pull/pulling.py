"""A pull from beginning to end: which kinds there are, in which order, and what each came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from adapters.hubspot.api.portal import RefusedError
from adapters.hubspot.pull.contacts import pull_contacts
from adapters.hubspot.pull.deals import pull_deals
from adapters.hubspot.pull.forms import pull_forms, pull_submissions
from adapters.hubspot.pull.mail import pull_events, pull_timeline
from adapters.hubspot.pull.run import Pull
from adapters.hubspot.pull.statuses import pull_statuses

KINDS: Mapping[str, Callable[[Pull], None]] = {
    "contacts": pull_contacts,
    "timeline": pull_timeline,
    "events": pull_events,
    "statuses": pull_statuses,
    "forms": pull_forms,
    "submissions": pull_submissions,
    "deals": pull_deals,
}
"""Who is there first; then what happened, before how things stand now, which is news only where it is another."""


def pull_all(pull: Pull, only: Sequence[str] = ()) -> list[RefusedError]:
    """Pull the kinds wanted, all by default; what this token or portal does not allow is left out and returned.

    Raises AwayError, and RefusedError where the token is not known at all. Either way the same call goes on later.
    """
    refused = []
    for name, run in KINDS.items():
        if only and name not in only:
            continue
        try:
            run(pull)
        except RefusedError as error:
            if error.status == 401:
                raise
            refused.append(error)
    return refused

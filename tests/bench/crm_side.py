"""HubSpot's side of `bench_crm`, as a process: a fake portal of so many contacts, asked and told by lines.

`calls` answers how many calls it was asked, `rate N` allows so many in ten seconds, and 0 any number;
`professional` takes the batch calls of subscriptions away.
"""

from __future__ import annotations

import sys

from tests.hubspot.service import fake
from tests.hubspot.state import State


def email(number: int) -> str:
    """The address of one of them."""
    return f"person-{number}@example.com"


def main() -> None:
    """Run until standard input ends."""
    state = State(rate=None)
    ids = [state.add_contact(email(number), quietly=True) for number in range(int(sys.argv[1]))]
    with fake(state) as here:
        print(here.url, here.token, ids[0], flush=True)
        for line in sys.stdin:
            word, _, number = line.strip().partition(" ")
            if word == "rate":
                state.limit(int(number) or None)
            elif word == "professional":
                state.enterprise(False)
            print(len(state.calls), flush=True)


if __name__ == "__main__":
    main()

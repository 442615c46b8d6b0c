"""`review.xlsx`, made in the same pass as the audit's other files."""

from __future__ import annotations

from io import BytesIO

from adapters.review.questions import Questions, Stamp
from adapters.review.workbook import write_review
from ledger.policy.rules import Policy
from projections.verdicts import Audit, Verdict


class ReviewSheet:
    """Sees every decision of an audit, then is a workbook of questions."""

    name = "review.xlsx"

    def __init__(self, policy: Policy, stamp: Stamp) -> None:
        self._policy, self._stamp, self._questions = policy, stamp, Questions()

    def see(self, verdict: Verdict) -> None:
        """Take one decision in."""
        self._questions.see(verdict)

    def content(self, audit: Audit) -> bytes:
        """The bytes of the workbook: the same for the same audit."""
        to = BytesIO()
        write_review(to, audit, self._questions, self._policy, self._stamp)
        return to.getvalue()

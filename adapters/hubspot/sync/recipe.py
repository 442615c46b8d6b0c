"""How a portal is made to set the marketing status from our property: by hand, once."""

from __future__ import annotations

RECIPE = """\
HubSpot has no documented call that sets the marketing status of a contact. A workflow in the portal does it, from
the property that consent-ledger writes. Make it once; it needs Marketing Hub Professional or Enterprise.

Workflow 1, down: whoever may not be written to
  1. Automation > Workflows > Create workflow > From scratch > Contact-based.
  2. Enrolment trigger: "Consent ledger: verdict" is any of Non marketing, Undecided, Awaiting approval.
     Turn re-enrolment on for the same trigger.
  3. Action: "Set marketing contact status" > Set as non-marketing contact.
  4. Enrol existing contacts too when you turn it on. HubSpot lowers the number at its next update date.

Workflow 2, up: whoever may be written to
  1. Contact-based again; enrolment trigger: "Consent ledger: verdict" is any of Marketing. Re-enrolment on.
  2. Action: "Set marketing contact status" > Set as marketing contact.
  consent-ledger writes Marketing on a contact that is none yet only as far as somebody approved it
  (consent-ledger hubspot approve N) and within CONSENT_LEDGER_CRM_CAP: a higher tier cannot be taken back.

Without workflows (Starter): a static list
  1. Contacts > Lists > Create list > Contact-based > Static list, filtered once by "Consent ledger: verdict".
  2. Settings > Account & Billing > Usage & Limits > Manage marketing contacts > Use a list.
  3. Again after each sync: a static list does not follow the property.

Then look: consent-ledger drift shows whose marketing status is not what the verdict says.
"""

"""Where laws, decisions and help pages stand: addresses to follow by hand, nothing is loaded from them."""

from __future__ import annotations

EPD_13 = "https://eur-lex.europa.eu/eli/dir/2002/58/oj"
UWG_7 = "https://www.gesetze-im-internet.de/uwg_2004/__7.html"
PECR_22 = "https://www.legislation.gov.uk/uksi/2003/2426/regulation/22"
CASL_1 = "https://laws-lois.justice.gc.ca/eng/acts/e-1.6/page-1.html"
HONDA_FLYBE = "https://www.lewissilkin.com/hk/insights/ico-fines-flybe-and-honda"
MORRISONS = "https://www.privacylaws.com/news/morrisons-supermarket-chain-fined-for-not-respecting-email-opt-outs/"
HUBSPOT_OPT_OUT = "https://knowledge.hubspot.com/marketing-email/import-an-opt-out-list"
HUBSPOT_NON_MARKETING = "https://knowledge.hubspot.com/contacts/set-contacts-as-non-marketing"
HUBSPOT_EXCLUDE = "https://knowledge.hubspot.com/marketing-email/how-do-i-create-an-email-suppression-list"

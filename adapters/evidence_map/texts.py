"""The words of a map's first writing: what each section is for, and what each setting asks."""

HEAD = """\
# Evidence map of {controller}, first written on {day} from what the files contain.
#
# The files show what people did: a form sent in, a box ticked, a deal won. They do not show what stood beside the
# box, or what was offered at a sale. Say so here, answer for it by name, and put a file beside it that shows it.
#
# How to: lines that begin with #[ or #name are settings. Take the # away, fill in what is true, and run
# `consent-ledger map check` on this file. Where nobody knows, leave the line as it is: unknown is an answer.
# Leave a whole stanza as it is, and nothing is declared.
#
# What counts, and what does not:
# - evidence is a file that shows it: a screenshot or saved page of the form, the contract, the mail. Paths begin
#   where this file lies. It is kept for ever beside the log, so it must not name or show the people concerned.
# - Without such a file the people stay "claimed, not shown": nobody may be written to because of it.
# - A box that was ticked before the person came, or that the form could not be sent without, grants nothing,
#   however well it is shown. Say what is true.
# - A list that was imported never grants anything by itself, whatever is declared of it.
# - Take a stanza out, and what rested on it ends with the next run.

# Who answers for what is declared below. One stanza alone: by = {{ name = "...", role = "...", on = 2026-11-20 }}
#[by]
#name = ""              # name and surname
#role = ""              # e.g. data protection officer
#on =                   # the day, without quotes: 2026-11-20
"""

FORMS = """\
# --- Forms -------------------------------------------------------------------------------------------------------
# What did the form show, from when to when? Look at the page itself, its editor's history, a web archive, the
# ticket that asked for it. A form that was changed is two stanzas, each with its own days.
#   box             the words beside the box whose tick said yes
#   sign_up_only    true instead of a box: signing up was all that this form was for
#   switches_on     instead of a box: the subscription type that sending in the form switches on
#   says_minor      true beside a box that says "I am under 16" or the like: whoever ticked it gets no marketing
#   ticked_before   was the box ticked when the page opened?
#   required        could the form not be sent without it?
#   shown_from, shown_to   the first day it looked like this, and the first day on which it did so no more
#   wording         a text or page file with the exact words the person saw; without it, what they knew is not shown
#   purposes        what the words name: marketing.similar (like what they bought), marketing.other,
#                   marketing.survey, marketing.third_party, marketing.charitable, marketing.political
#   channels        email, sms, phone, post
#   senders         who was named: "own" is this company; another by its name
"""

SALES = """\
# --- Sales -------------------------------------------------------------------------------------------------------
# A won deal is a sale only if somebody says what was sold, and that refusal of advertising was offered then.
#   pipeline        leave it out to speak of every pipeline
#   kind            purchase, subscription, free_account_service, membership, service, lease, barter, insurance,
#                   loan or contract
#   seller          "own", or the name of the company that sold; another company's customers are not yours
#   collected_from_person  did the address come from the customers themselves?
#   refusal_offered        could they refuse advertising, plainly and free, where they gave the address?
#   refusals_recorded      does whoever refused then stand in the files with an opt-out?
"""

TYPES = """\
# --- Subscription types ------------------------------------------------------------------------------------------
# Leaving a type stops all marketing, unless it is shown here what the type means. A type that is not declared
# stops every purpose that no other type is declared to mean.
"""

CAMPAIGNS = """\
# --- Campaigns ---------------------------------------------------------------------------------------------------
# Which purpose had the mails? A mail that is known to be marketing shows that a consent was in use; some laws let
# a consent lapse that is not. The largest {most} campaigns.
"""

LISTS = """\
# --- Lists -------------------------------------------------------------------------------------------------------
# Where did an imported list come from? This is kept for the record and grants nothing.
"""

MONEY = """\
# --- What marketing contacts cost --------------------------------------------------------------------------------
# From your contract; nothing is assumed. Tiers fall only at renewal.
#[money]
#tier =                 # marketing contacts paid for, e.g. 50000
#price =                # paid for them a month, e.g. 2300.0
#currency = ""          # EUR, USD, GBP ...
#step =                 # contacts between two tiers, e.g. 5000
#renewal =              # 2027-03-01

# --- Columns with names of your own ------------------------------------------------------------------------------
#[columns]
#"Header cell" = "legal_basis"
"""

FORM_FIELDS = """\
#ticked_before =        # true or false
#required =             # true or false
#shown_from =           # 2021-01-01
#shown_to =             # 2023-05-01
#wording = ""           # evidence/words.html
#purposes = []          # ["marketing.similar"]
#channels = []          # ["email"]
#senders = []           # ["own"]
#evidence = []          # ["evidence/screenshot.png"]
"""

SIGN_UP_FIELDS = "".join(
    line for line in FORM_FIELDS.splitlines(keepends=True) if not line.startswith(("#ticked", "#required"))
)

SALE_FIELDS = """\
#kind = ""              # purchase
#seller = ""            # own
#collected_from_person =   # true or false
#refusal_offered =      # true or false
#refusals_recorded =    # true or false
#shown_from =           # 2023-01-01
#shown_to =             # 2025-01-01
#evidence = []          # ["evidence/checkout.html"]
"""

TYPE_FIELDS = """\
#purposes = []          # ["marketing.similar"]
#evidence = []          # ["evidence/preferences-page.html"]
"""

CAMPAIGN_FIELDS = """\
#purpose = ""           # marketing.similar
#evidence = []          # ["evidence/mail.html"]
"""

LIST_FIELDS = """\
#note = ""              # who brought it, when, from where
#evidence = []          # ["evidence/contract.pdf"]
"""

"""The conditions of rules in words: one name for each, whether it is met, missing, or what would change the answer."""

from __future__ import annotations

NEEDS: dict[str, str] = {
    "act_is_affirmative": "an affirmative act (a ticked box, a sign-up, a reply)",
    "informed": "clear information beforehand",
    "specific": "a consent to something specific",
    "sender_named": "the sender's name in what was agreed to",
    "purpose_covered": "wording that covers this purpose",
    "channel_covered": "wording that covers this channel",
    "proof_individual": "a record of this very opt-in, not of a form or a habit",
    "by_data_subject": "an act of this person, and of nobody else",
    "address_verified": "a double opt-in confirmation",
    "sale_or_negotiation": "a sale",
    "purchase": "a purchase",
    "contract": "a contract",
    "enquiry": "an enquiry",
    "relationship": "a running contract or a recent purchase",
    "relationship_before_the_law": "a relationship from before the law",
    "seller_is_sender": "a seller that is the sender",
    "collected_from_person": "an address that came from the customer",
    "opt_out_offered_at_collection": "an offer to refuse when the address was collected",
    "not_refused": "a customer who did not refuse",
    "charity": "a sender that is a charity",
    "collected_directly": "details that the charity collected itself",
    "collected_since_commencement": "details collected since the rule began",
    "messages_exchanged": "messages that were exchanged",
    "no_refusing_statement_proved": "a published address without a refusal of advertising beside it",
    "role_relevance_proved": "a message that fits the published role",
    "recipient_professional": "a recipient in a business role",
    "corporate_subscriber": "a recipient at a company",
    "role_relevant": "a message that fits the recipient's role",
    "informed_of_right_to_object": "notice of the right to object",
    "country_declared": "the recipient's country, beyond a guess from an IP address or the like",
    "asked_by_the_person": "a question of this person",
    "form_sent_in": "a form that was sent in",
    "possible_time": "a time that can be right (the one claimed cannot)",
    "on_record_by_then": "a record of it from before the moment asked about",
    "begun_by_then": "a beginning before the moment asked about",
    "rule_in_force": "a rule in force at the moment asked about",
    "not_lapsed": "a period that has not run out",
}
"""Each condition as a thing that can be on record. "Evidence of" may stand before every one."""

UNMET: dict[str, str] = {
    "act_is_affirmative": "the act on record is not an affirmative act",
    "informed": "the information was missing",
    "specific": "it was not specific",
    "sender_named": "it names another sender",
    "purpose_covered": "its wording does not cover this purpose",
    "channel_covered": "its wording does not cover this channel",
    "proof_individual": "its proof is of a form or a habit, not of this very opt-in",
    "by_data_subject": "somebody else did it",
    "address_verified": "the address was not confirmed",
    "seller_is_sender": "the seller is another company than the sender",
    "collected_from_person": "the address did not come from the customer",
    "opt_out_offered_at_collection": "there was no offer to refuse when the address was collected",
    "not_refused": "an offer to refuse was accepted",
    "charity": "the sender is not a charity",
    "collected_directly": "the details were not collected by the charity itself",
    "collected_since_commencement": "the details were collected before the rule began",
    "messages_exchanged": "no messages were exchanged",
    "relationship_before_the_law": "the relationship began after the law",
    "no_refusing_statement_proved": "a refusal of advertising stood beside the published address",
    "recipient_professional": "the recipient is not in a business role",
    "corporate_subscriber": "the recipient is not at a company",
    "role_relevant": "the message does not fit the recipient's role",
    "informed_of_right_to_object": "there was no notice of the right to object",
    "asked_by_the_person": "somebody else asked",
}
"""Each condition that what is on record contradicts, as a sentence."""


OBLIGATIONS: dict[str, str] = {
    "unsubscribe_present": "contain a way to unsubscribe",
    "unsubscribe_works": "have an unsubscribe link that works",
    "unsubscribe_free": "cost nothing to unsubscribe from",
    "unsubscribe_without_login": "let people unsubscribe without logging in",
    "postal_address_present": "contain the sender's postal address",
    "sender_identified": "say who sends it",
    "subject_honest": "have an honest subject line",
    "relevant_to_role": "fit the recipient's role",
    "no_promotional_element": "contain no advertising",
}
"""What a message must do, after the words "The message must"."""


def obligation_in_words(token: str) -> str:
    """What a message must do; of a message that does not, what it does not do."""
    name = token.removeprefix("message:")
    words = OBLIGATIONS.get(name, name.replace("_", " "))
    return f"the message does not {words}" if token.startswith("message:") else words


def need_in_words(token: str) -> str:
    """A condition as a thing that can be on record."""
    return NEEDS.get(token, token.replace("_", " "))


def unmet_in_words(token: str) -> str:
    """A contradicted condition, as a clause."""
    return UNMET.get(token, f"what is on record speaks against this: {need_in_words(token)}")


def evidence_of(token: str) -> str:
    """What would show a condition."""
    return f"evidence of {need_in_words(token)}"

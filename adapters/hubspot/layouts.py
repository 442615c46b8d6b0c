"""The columns of HubSpot's files of evidence, as its screens and its APIs name them. A table, and nothing else.

Wordings are compared folded (`labels.fold`), without `properties.` before and `(…)` behind; the first
that a row fills speaks for the field.
"""

from __future__ import annotations

from adapters.layouts import Layout

_EMAIL = (
    "Recipient|Email|E-mail|Email address|Recipient email|Contact email|normalizedEmailId|subscriberIdString"
    "|E-Mail-Adresse|Empfänger|Adresse e-mail|Destinataire|Correo|Correo electrónico|Destinatario"
)
_RECORD = "Contact ID|Record ID|Contact Record ID|contact_id|contactId|vid|Kontakt-ID|Datensatz-ID|ID de contacto"
_FORM = "Form name|Form|Form title|formName|Formularname|Formular|Nom du formulaire|Formulaire|Formulario"
_FORM_ID = "Form ID|Form GUID|formId|form-id|formGuid"
_TYPE = "Subscription type|Subscription|Subscription name|subscriptionName|Abonnementtyp|Abonnement|Tipo de suscripción"
_TYPE_ID = "Subscription ID|Subscription type ID|subscriptionId|subscriptionTypeId"
_WHEN = "Timestamp|Date|Time|Occurred at|occurredAt|Event date|Created|createdAt|Datum|Zeitpunkt|Date et heure|Fecha"

_LEFT = (
    "Unsubscribe date|Unsubscribed date|Unsubscribed on|Unsubscribed at|Date unsubscribed|Opt-out date|Opted out on"
    "|Abmeldedatum|Date de désabonnement|Fecha de baja"
)


def _changes(wordings: str) -> str:
    """As an element of `changes` in the timeline, and as it stands alone."""
    return "|".join(f"changes.{wording}" for wording in wordings.split("|")) + "|" + wordings


DEALS = Layout(
    "deals",
    {
        "deal": "Deal ID|Record ID|Record ID - Deal|hs_object_id|dealId|deal_id|id|Deal-ID|Datensatz-ID",
        "stage": "Deal Stage|dealstage|Deal-Phase|Dealphase|Phase de la transaction|Étape de la transaction"
        "|Etapa del negocio",
        "won": "Is closed won|Is won|Closed won|hs_is_closed_won",
        "pipeline": "Pipeline|Deal pipeline|pipelineName|Pipeline de transactions|Pipeline del negocio",
        "closed": "Close Date|closedate|Closed date|Date closed|Abschlussdatum|Date de clôture|Date de fermeture"
        "|Fecha de cierre",
        "contacts": "Associated Contact IDs|Associated Contact ID|associations.contacts.results.id"
        "|associations.contacts.id|associations.contacts|associatedVids|associations.associatedVids"
        "|Contact IDs|Contact ID|contact_id|Zugehörige Kontakt-IDs|IDs des contacts associés"
        "|ID de contactos asociados",
        "email": "Associated Contact Email|Associated Contact Emails|Contact email|Email|E-mail|Associated Contact"
        "|Associated Contacts|Zugehöriger Kontakt|Zugehörige Kontakte|Contact associé|Contacto asociado",
    },
    (("stage", "contacts"), ("stage", "email"), ("won", "contacts"), ("won", "email")),
    "deals: Deal Stage, and Associated Contact IDs or Email",
)
EVENTS = Layout(
    "events",
    {
        "email": "recipient|Recipient email|Email|Email address",
        "type": "type|Event type|eventType|Event",
        "at": "created|Timestamp|Occurred at|occurredAt|Event date|Date|createdAt",
        "id": "id|Event ID|eventId",
        "sent_id": "sentBy.id|sent_by_id",
        "sent_at": "sentBy.created|sent_by_created",
        "campaign": "campaignName|Campaign|Campaign name|Email name|emailCampaignName",
        "campaign_id": "emailCampaignId|email_campaign_id|Email campaign ID|Campaign ID|emailCampaignGroupId",
        "subject": "subject|Email subject|Subject line",
        "from": "from|From address|Sender",
        "list": "listName|List|List name|Workflow|workflowName",
        "category": "category|Bounce category",
        "status": "status|Bounce status",
        "drop": "dropReason|drop_reason|Drop reason",
        "portal_status": "portalSubscriptionStatus|portal_subscription_status|Portal subscription status",
        "types": "subscriptions.id|subscriptions.subscriptionId|Subscription ID",
        "types_to": "subscriptions.status|Subscription status",
        "bounced": "bounced",
        "source": "source|Source",
        "filtered": "filteredEvent|filtered_event|Filtered event",
    },
    (("email", "type", "at"), ("email", "at", "id", "campaign_id"), ("email", "at", "id", "sent_id")),
    "e-mail events: recipient, type, created",
)
RECIPIENTS = Layout(
    "events",
    {
        "email": "Recipient|Recipient email|Email|Empfänger|Destinataire|Destinatario",
        "sent": "Sent At|Sent|Send date|Sent date|Gesendet am|Envoyé le|Enviado el",
        "campaign": "Email name|Campaign|Campaign name",
        "subject": "Subject|Subject line|Email subject",
        "not_sent": "Not Sent Reason|Reason not sent",
        "bounce": "Bounce|Bounced|Hard bounced",
        "bounce_reason": "Bounce Reason|Bounce category|Bounce type",
        "spam": "Spam Report|Spam Reports|Reported spam|Marked as spam",
        "unsubscribed": "Unsubscribed|Unsubscribe",
    },
    (("email", "sent", "not_sent"), ("email", "sent", "bounce"), ("email", "sent", "unsubscribed")),
    "a campaign's recipients: Recipient, Sent At, Not Sent Reason, Bounce, Spam Report, Unsubscribed",
)
SUBSCRIPTIONS = Layout(
    "subscriptions",
    {
        "email": _EMAIL,
        "record": _RECORD,
        "change": _changes(
            "change|Subscription change|Status change|New status|Subscription status|statusState|status"
        ),
        "about": _changes("changeType|Change type|Status type"),
        "type": _changes(_TYPE),
        "type_id": _changes(_TYPE_ID),
        "source": _changes("source|Change source|Source of change|sourceOfStatus"),
        "at": _changes(f"timestamp|Change date|Changed at|{_WHEN}"),
        "form": _changes(
            "formName|Form name|Form|Caused by form|Source form|causedByForm|Formular|Formulaire|Formulario"
        ),
        "form_id": _changes("formId|Form ID|causedByEvent.formId|Form GUID"),
        "confirmed": _changes("Double opt-in|doubleOptIn|Double opt-in status|Confirmation status"),
    },
    (("email", "change", "about"), ("email", "change", "type"), ("email", "change", "type_id")),
    "subscription events: Recipient or Email, Change, Subscription or Change type, Timestamp",
)
FORMS = Layout(
    "forms",
    {
        "email": "Email|E-mail|Email address|emailAddress|E-Mail-Adresse|Adresse e-mail|Courriel|Correo"
        "|Correo electrónico|Dirección de correo electrónico",
        "record": "Contact ID|Record ID|contact_id|contactId|vid|Kontakt-ID",
        "at": "Conversion Date|Submission date|Submitted at|submittedAt|Submitted on|Date submitted|Submission time"
        "|Submitted|Einsendedatum|Übermittlungsdatum|Conversion-Datum|Date de conversion|Date de soumission"
        "|Fecha de conversión|Fecha de envío",
        "stamp": "timestamp",
        "id": "conversionId|Conversion ID|conversion-id|conversion_id|Submission ID",
        "form": _FORM,
        "form_id": _FORM_ID,
        "page": "Conversion Page|Page|Page title|Page name|pageName|Conversion Title|page_id",
        "url": "pageUrl|Page URL|Conversion Page URL|page_url|URL",
        "ip": "IP address|ipAddress|IP",
    },
    (("at", "email"), ("at", "record"), ("stamp", "id", "email"), ("stamp", "id", "record")),
    "form submissions: Email, Conversion Date or submittedAt",
)
UNSUBSCRIBES = Layout(
    "unsubscribes",
    {
        "email": _EMAIL,
        "record": _RECORD,
        "all": "Unsubscribed from all email|Unsubscribed from all emails|Unsubscribed from all|Opted out of all email"
        "|Unsubscribed|Opted out|hs_email_optout|Von allen E-Mails abgemeldet|Désabonné de tous les e-mails"
        "|Suscripción cancelada a todos los correos",
        "type": f"{_TYPE}|Unsubscribed from|Email type",
        "reason": "Reason|Unsubscribe reason|Reason type|Suppression reason|Unsubscribe or bounce|Event|Grund|Raison"
        "|Motivo",
        "kind": "Type|Status|Event type",
        "left": _LEFT,
        "at": f"{_WHEN}|Bounce date|Bounced at",
        "bounce": "Bounced|Bounce|Hard bounced|Hard bounce|Is bounced",
        "bounce_reason": "Bounce reason|Hard bounce reason|Bounce type|Bounce category",
        "spam": "Spam report|Spam reports|Marked as spam|Reported spam|Spam|Spam complaint|Complaint",
    },
    (
        ("email", "all", "at"),
        ("email", "all", "reason"),
        ("email", "all", "type"),
        ("email", "reason", "at"),
        ("email", "type", "at"),
        ("email", "left"),
        ("email", "bounce"),
        ("email", "bounce_reason"),
        ("email", "spam"),
    ),
    "unsubscribes and bounces: Email, Unsubscribed from all email or Reason, Date",
)
OPT_OUTS = Layout(
    "opt_outs",
    {
        "email": _EMAIL,
        "record": _RECORD,
        "left": _LEFT,
        "at": _WHEN,
    },
    (("email",),),
    "an opt-out list: a file with “opt-out” in its name and a column Email",
)

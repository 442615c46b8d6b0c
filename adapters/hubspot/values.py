"""What a cell of a consent column says: four languages, internal values, and what nobody foresaw.

A `Vocabulary` knows a closed list of wordings, compared folded. A wording it does not know reads as
`UNKNOWN`, and the caller lists it: it is never rounded to yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from adapters.hubspot.labels import fold

Unknown: TypeAlias = Literal["?"]
UNKNOWN: Final[Unknown] = "?"
"""A cell says something this program has no meaning for."""

YES = (
    "yes|true|1|ja|wahr|oui|vrai|si|verdadero|y|x|on|checked|t|j|✓|✔|☑|✅"
    "|sim|verdadeiro|vero|waar|sant|sann|sandt|kyllä|tosi|tak|prawda|igen|igaz|ano|pravda|áno|da|adevărat|evet|doğru"
    "|はい|真|是|예|참|ใช่|จริง|да|истина|так|ναι|αληθές"
)
NO = (
    "no|false|0|nein|falsch|non|faux|falso|n|off|unchecked|f|☐|✗|✘|❌"
    "|não|nao|nee|onwaar|nej|falskt|falsk|usant|usann|nei|ei|epätosi|nie|fałsz|nem|hamis|ne|nepravda|nu|fals|hayır|yanlış"
    "|いいえ|偽|否|假|不是|아니요|거짓|ไม่|ไม่ใช่|เท็จ|нет|ложь|ні|όχι|ψευδές"
)
"""In the languages of HubSpot's interface and of spreadsheets, with letters and marks that stand for them."""

MARKETING_YES = (
    "true|1|yes|ja|oui|si|marketing contact|marketing contacts|marketing|Marketing-Kontakt|Marketingkontakt"
    "|Als Marketing-Kontakt festgelegt|contact marketing|contacto de marketing|set as marketing contact"
)
MARKETING_NO = (
    "false|0|no|nein|non|non-marketing contact|non marketing|not a marketing contact|Kein Marketing-Kontakt"
    "|Nicht-Marketing-Kontakt|Kein Marketingkontakt|Nichtmarketingkontakt"
    "|Als Nicht-Marketing-Kontakt festgelegt"
    "|contact non marketing|contact hors marketing|pas un contact marketing|contacto de no marketing"
    "|contacto que no es de marketing|contacto no de marketing|no es contacto de marketing"
    "|contacto sin marketing|set as non-marketing contact"
)

LEGAL_BASIS: Mapping[str, str] = {
    "consent": "Freely given consent from contact|Freely given consent"
    "|Freiwillig erteilte Einwilligung des Kontakts|Freiwillig erteilte Einwilligung vom Kontakt"
    "|Freiwillig erteilte Zustimmung des Kontakts|Freiwillige Einwilligung des Kontakts"
    "|Freiwillige Zustimmung des Kontakts|Vom Kontakt freiwillig erteilte Einwilligung"
    "|Consentement librement donné par le contact|Consentement donné librement par le contact"
    "|Consentement libre du contact|Consentement accordé librement par le contact"
    "|Consentimiento otorgado libremente por el contacto|Consentimiento libre del contacto"
    "|Consentimiento dado libremente por el contacto|Consentimiento libremente otorgado por el contacto"
    "|Consentimiento otorgado libremente del contacto",
    "contract": "Performance of a contract|Performance of contract"
    "|Erfüllung eines Vertrags|Erfüllung eines Vertrages|Vertragserfüllung"
    "|Exécution d'un contrat|Exécution du contrat"
    "|Ejecución de un contrato|Cumplimiento de un contrato|Realización de un contrato",
}
_INTEREST = "Legitimate interest|Berechtigtes Interesse|Legitimes Interesse|Intérêt légitime|Interés legítimo"
_INTEREST_IN: Mapping[str, str] = {
    "interest_customer": "existing customer|customer|bestehender Kunde|Bestandskunde|vorhandener Kunde"
    "|client existant|client actuel|cliente existente|cliente actual",
    "interest_prospect": "prospect/lead|prospect|lead|Interessent/Lead|potenzieller Kunde/Lead"
    "|potenzieller Kunde|Interessent|prospect ou lead|client potentiel/lead|prospecto/lead"
    "|cliente potencial/lead|posible cliente/lead|cliente potencial|posible cliente",
    "interest_other": "other|Sonstiges|Andere|Anderes|Sonstige|autre|autres|otro|otros|otra",
}
NOT_APPLICABLE = (
    "Not applicable|N/A|Nicht zutreffend|Nicht anwendbar|Entfällt|Sans objet|Non applicable|No aplicable"
    "|No se aplica|No aplica|No procede|No corresponde"
)

CONFIRMED = (
    "User clicked confirmation|Confirmed|Confirmed due to form"
    "|Benutzer hat auf Bestätigung geklickt|Nutzer hat auf Bestätigung geklickt"
    "|Benutzer hat Bestätigung angeklickt|Benutzer hat auf die Bestätigung geklickt"
    "|Nutzer hat auf die Bestätigung geklickt|Bestätigt|Aufgrund eines Formulars bestätigt"
    "|Bestätigt aufgrund eines Formulars|Aufgrund von Formular bestätigt|Bestätigt aufgrund von Formular"
    "|Bestätigt durch Formular"
    "|L'utilisateur a cliqué sur la confirmation|L'utilisateur a cliqué sur confirmer|Confirmé"
    "|Confirmé grâce à un formulaire|Confirmé en raison d'un formulaire|Confirmé par formulaire"
    "|Confirmé suite à un formulaire"
    "|El usuario hizo clic en la confirmación|El usuario hizo clic en confirmación|Confirmado"
    "|Confirmado debido a un formulario|Confirmado por formulario|Confirmado por un formulario"
)
NOT_CONFIRMED = (
    "Confirmation Pending|Confirmation Email Sent|Confirmed from previous behavior"
    "|HubSpot Rep. marked confirmed|Customer marked confirmed"
    "|Bestätigung ausstehend|Ausstehende Bestätigung|Bestätigungs-E-Mail gesendet"
    "|Bestätigungs-E-Mail wurde gesendet|Aufgrund von früherem Verhalten bestätigt"
    "|Bestätigt aufgrund von früherem Verhalten|Bestätigt durch vorheriges Verhalten"
    "|Von HubSpot-Mitarbeiter als bestätigt markiert|Vom HubSpot-Mitarbeiter als bestätigt markiert"
    "|Vom Kunden als bestätigt markiert|Von Kunde als bestätigt markiert"
    "|Confirmation en attente|E-mail de confirmation envoyé|Confirmé d'après un comportement précédent"
    "|Confirmé en raison d'un comportement précédent|Confirmé par un comportement antérieur"
    "|Marqué comme confirmé par un représentant HubSpot|Marqué comme confirmé par le client"
    "|Confirmación pendiente|Correo de confirmación enviado|Correo electrónico de confirmación enviado"
    "|Confirmado por comportamiento anterior|Confirmado por comportamiento previo"
    "|Marcado como confirmado por un representante de HubSpot|Marcado como confirmado por el cliente"
)

LIFECYCLE: Mapping[str, str] = {
    "subscriber": "Subscriber|Abonnent|Abonné|Suscriptor",
    "lead": "Lead|Cliente potencial",
    "marketingqualifiedlead": "Marketing Qualified Lead|MQL|Marketing-qualifizierter Lead"
    "|Lead qualifié marketing"
    "|Lead marketing qualifié|Lead calificado para marketing|Lead cualificado para marketing",
    "salesqualifiedlead": "Sales Qualified Lead|SQL|Sales-qualifizierter Lead|Vertriebsqualifizierter Lead"
    "|Lead qualifié commercial|Lead qualifié pour la vente|Lead calificado para ventas"
    "|Lead cualificado para ventas",
    "opportunity": "Opportunity|Opportunität|Chance|Verkaufschance|Opportunité|Oportunidad",
    "customer": "Customer|Kunde|Client|Cliente",
    "evangelist": "Evangelist|Fürsprecher|Promoteur|Ambassadeur|Évangéliste|Promotor|Evangelista|Embajador",
    "other": "Other|Sonstiges|Andere|Anderes|Autre|Otro",
}

SOURCE_TYPE: Mapping[str, str] = {
    "ad": "AD|Ads|Anzeige|Publicité|Anuncio",
    "contact_import": "CONTACT_IMPORT|Import|Imported|Kontaktimport|Import de contacts|Importación de contactos",
    "conversation": "CONVERSATION|Conversations|Konversation|Conversación",
    "form_submission": "FORM_SUBMISSION|Form|Forms|Formulareinsendung|Soumission de formulaire|Envío de formulario",
    "initial_state": "INITIAL_STATE|Anfangsstatus|État initial|Estado inicial",
    "integrator_set": "INTEGRATOR_SET|Integration|Intégration|Integración",
    "user_set": "USER_SET|User|Manually set|Benutzer|Utilisateur|Usuario",
    "workflow": "WORKFLOW|Workflows|Flujo de trabajo",
    "email": "EMAIL|E-Mail|Correo",
    "sample_contact": "SAMPLE_CONTACT|Beispielkontakt|Exemple de contact|Contacto de muestra",
}

QUARANTINE: Mapping[str, str] = {
    "recipient_complaint": "RECIPIENT_COMPLAINT|Spam complaint|Complaint|Beschwerde des Empfängers"
    "|Empfängerbeschwerde|Plainte du destinataire|Queja del destinatario|Reclamación del destinatario",
    "on_list_import": "ON_LIST_IMPORT",
    "high_hard_bounce_rate": "HIGH_HARD_BOUNCE_RATE",
    "multiple_cancelled_campaigns": "MULTIPLE_CANCELLED_CAMPAIGNS",
    "form_abuse": "FORM_ABUSE",
    "suspension_remediation": "SUSPENSION_REMEDIATION",
    "blocklist_remediation": "BLOCKLIST_REMEDIATION",
    "trust_safety_remediation": "TRUST_SAFETY_REMEDIATION",
    "undeliverable_address": "UNDELIVERABLE_ADDRESS",
    "other": "OTHER|Sonstiges|Andere|Autre|Otro",
}
_COMPLAINT = ("complain", "beschwerde", "plainte", "queja", "reclamacion")

HARD_BOUNCE: Mapping[str, str] = {
    "content": "CONTENT|Inhalt|Contenu|Contenido",
    "mailbox_full": "MAILBOX_FULL|Postfach voll|Boîte pleine|Boîte de réception pleine|Buzón lleno",
    "other": "OTHER|Sonstiges|Andere|Autre|Otro",
    "policy": "POLICY|Richtlinie|Politique|Política",
    "spam": "SPAM",
    "unknown_user": "UNKNOWN_USER|Unbekannter Benutzer|Unbekannter Nutzer|Utilisateur inconnu|Usuario desconocido",
}


def _key(text: str) -> str:
    """What wordings are compared by: folded; a mark that has no letters, by itself."""
    return fold(text) or text.strip().rstrip("\ufe0e\ufe0f")


class Vocabulary:
    """Folded wording -> token. `read` never fails: a wording it does not know is `UNKNOWN`."""

    def __init__(self, wordings: Mapping[str, str]) -> None:
        self._tokens = {_key(wording): token for token, joined in wordings.items() for wording in joined.split("|")}

    def read(self, cell: str) -> str | Unknown:
        """The token of a cell that is not empty."""
        return self._tokens.get(_key(cell), UNKNOWN)


class Values:
    """The vocabularies of every column, built once for an export."""

    def __init__(self) -> None:
        interest = {
            token: "|".join(f"{stem} {tail}" for stem in _INTEREST.split("|") for tail in tails.split("|"))
            for token, tails in _INTEREST_IN.items()
        }
        self._basis = Vocabulary({**LEGAL_BASIS, **interest, "": NOT_APPLICABLE})
        self._confirmed = Vocabulary({"confirmation": CONFIRMED, "": NOT_CONFIRMED})
        self._marketing = Vocabulary({"yes": MARKETING_YES, "no": MARKETING_NO})
        self._flag = Vocabulary({"yes": YES, "no": NO})
        self._quarantine = Vocabulary(QUARANTINE)
        self._hard_bounce = Vocabulary(HARD_BOUNCE)
        self._lifecycle = Vocabulary(LIFECYCLE)
        self._source_type = Vocabulary(SOURCE_TYPE)

    def flag(self, cell: str) -> bool | Unknown:
        """A yes/no cell; an empty one is no."""
        return False if not cell else _truth(self._flag.read(cell))

    def marketing(self, cell: str) -> bool | Unknown | None:
        """The HubSpot flag; an empty cell says nothing."""
        return None if not cell else _truth(self._marketing.read(cell))

    def legal_basis(self, cell: str) -> tuple[tuple[str, ...], bool]:
        """(claims sorted, all of it known) of a `;`-joined cell. A wording nobody foresaw claims `other`."""
        tokens = {self._basis.read(part) for part in cell.split(";") if part.strip()}
        known = UNKNOWN not in tokens
        claims = (tokens - {UNKNOWN, ""}) | (set() if known else {"other"})
        return tuple(sorted(claims)), known

    def double_opt_in(self, cell: str) -> tuple[str, ...] | Unknown:
        """`confirmation` where the person confirmed; nothing for pending, inferred or marked by somebody."""
        if not cell:
            return ()
        token = self._confirmed.read(cell)
        return UNKNOWN if token == UNKNOWN else (token,) if token else ()

    def quarantine(self, cell: str) -> str | Unknown:
        """The reason as a token. Whatever speaks of a complaint is one, in wordings not foreseen too."""
        token = self._quarantine.read(cell)
        if token == UNKNOWN and any(word in fold(cell) for word in _COMPLAINT):
            return "recipient_complaint"
        return token

    def hard_bounce(self, cell: str) -> str | Unknown:
        """The reason as a token."""
        return self._hard_bounce.read(cell)

    def lifecycle(self, cell: str) -> str | None:
        """The stage as a token; a portal's own stage is `custom`."""
        token = self._lifecycle.read(cell) if cell else None
        return "custom" if token == UNKNOWN else token

    def source_type(self, cell: str) -> str | None:
        """What set the HubSpot flag, as a token; `other` for what is not foreseen."""
        token = self._source_type.read(cell) if cell else None
        return "other" if token == UNKNOWN else token


def _truth(word: str) -> bool | Unknown:
    return UNKNOWN if word == UNKNOWN else word == "yes"

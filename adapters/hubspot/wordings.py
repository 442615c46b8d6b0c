"""The labels of the properties that are read, as HubSpot has worded them. A table, and nothing else.

HubSpot writes labels in the portal user's language and has reworded several over the years, so each property
lists every wording known.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "de", "fr", "es")
INTERNAL = "internal"
"""In place of a language: the export was made with internal names."""

# property -> (internal names, then for each of LANGUAGES its labels, `|` between synonyms)
LABELS: Mapping[str, tuple[str, ...]] = {
    "record_id": (
        "hs_object_id|vid",
        "Record ID|Contact ID|Record ID - Contact",
        "Datensatz-ID|Kontakt-ID|Datensatz-ID - Kontakt|Eintrag-ID",
        "ID de la fiche d'informations|ID de fiche d'informations|ID de l'enregistrement|ID du contact",
        "ID de registro|ID del registro|ID de contacto|ID del contacto|ID de registro - Contacto",
    ),
    "email": (
        "email",
        "Email|E-mail|Email address",
        "E-Mail|E-Mail-Adresse",
        "E-mail|Adresse e-mail|Courriel|Adresse courriel",
        "Correo|Correo electrónico|Dirección de correo electrónico|Dirección de correo",
    ),
    "additional_emails": (
        "hs_additional_emails",
        "Additional email addresses|Additional emails",
        "Zusätzliche E-Mail-Adressen|Weitere E-Mail-Adressen",
        "Adresses e-mail supplémentaires|Autres adresses e-mail|E-mails supplémentaires",
        "Direcciones de correo electrónico adicionales|Correos electrónicos adicionales|Correos adicionales",
    ),
    "merged_records": (
        "hs_merged_object_ids",
        "Merged record IDs|Merged object IDs",
        "Zusammengeführte Datensatz-IDs|IDs zusammengeführter Datensätze|Zusammengeführte Objekt-IDs",
        "ID de fiches d'informations fusionnées|ID des fiches d'informations fusionnées|ID d'enregistrements fusionnés"
        "|ID des enregistrements fusionnés|ID d'objets fusionnés",
        "ID de registros fusionados|ID de registro fusionados|ID de registros combinados|ID de objetos fusionados",
    ),
    "merged_contacts": (
        "hs_calculated_merged_vids",
        "Merged contact IDs|Merged contact VIDs|Calculated merged VIDs",
        "Zusammengeführte Kontakt-IDs|IDs zusammengeführter Kontakte",
        "ID des contacts fusionnés|IDs des contacts fusionnés|ID de contacts fusionnés",
        "ID de contactos fusionados|ID de contacto fusionados|ID de contactos combinados",
    ),
    "marketing": (
        "hs_marketable_status",
        "Marketing contact status",
        "Marketing-Kontaktstatus|Marketingkontakt-Status|Marketing-Kontakt-Status"
        "|Status als Marketing-Kontakt"
        "|Status des Marketing-Kontakts|Marketingkontaktstatus",
        "Statut de contact marketing|Statut du contact marketing|Statut des contacts marketing",
        "Estado de contacto de marketing|Estado del contacto de marketing|Estado de contactos de marketing",
    ),
    "until_next_update": (
        "hs_marketable_until_renewal",
        "Marketing contact until next update",
        "Marketing-Kontakt bis zur nächsten Aktualisierung|Marketing-Kontakt bis zum nächsten Update"
        "|Marketingkontakt bis zur nächsten Aktualisierung",
        "Contact marketing jusqu'à la prochaine mise à jour",
        "Contacto de marketing hasta la próxima actualización|Contacto de marketing hasta la siguiente actualización",
    ),
    "marketing_reason": (
        "hs_marketable_reason_type",
        "Marketing contact status source type",
        "Quellentyp des Marketing-Kontaktstatus|Marketing-Kontaktstatus: Quellentyp"
        "|Quellentyp für Marketing-Kontaktstatus|Typ der Quelle des Marketing-Kontaktstatus",
        "Type de source du statut de contact marketing|Type de source du statut du contact marketing",
        "Tipo de fuente del estado de contacto de marketing|Tipo de fuente de estado de contacto de marketing"
        "|Tipo de fuente del estado del contacto de marketing",
    ),
    "marketing_reason_name": (
        "hs_marketable_reason_id",
        "Marketing contact status source name",
        "Quellenname des Marketing-Kontaktstatus|Marketing-Kontaktstatus: Quellenname"
        "|Name der Quelle des Marketing-Kontaktstatus",
        "Nom de la source du statut de contact marketing|Nom de source du statut de contact marketing",
        "Nombre de la fuente del estado de contacto de marketing|Nombre de fuente del estado de contacto de marketing",
    ),
    "legal_basis": (
        "hs_legal_basis",
        "Legal basis for processing contact's data|Legal basis for processing contacts data|Legal basis",
        "Rechtsgrundlage für die Verarbeitung der Kontaktdaten|Rechtsgrundlage für die Verarbeitung der Daten"
        " des Kontakts|Rechtsgrundlage für die Verarbeitung von Kontaktdaten|Rechtliche Grundlage für die"
        " Verarbeitung von Kontaktdaten|Rechtliche Grundlage für die Verarbeitung der Daten des Kontakts"
        "|Rechtsgrundlage zur Verarbeitung der Kontaktdaten|Rechtsgrundlage",
        "Base légale pour le traitement des données du contact|Base légale du traitement des données du"
        " contact|Base juridique pour le traitement des données du contact|Base juridique du traitement des"
        " données du contact|Fondement juridique du traitement des données du contact|Base légale",
        "Base legal para procesar los datos del contacto|Base legal para el procesamiento de los datos del"
        " contacto|Base jurídica para el tratamiento de los datos del contacto|Base legal para procesar datos"
        " de contacto|Fundamento jurídico para procesar los datos del contacto|Base legal",
    ),
    "opted_out": (
        "hs_email_optout",
        "Unsubscribed from all email|Opted out of all email|Unsubscribed from all emails",
        "Von allen E-Mails abgemeldet|Abmeldung von allen E-Mails|Von sämtlichen E-Mails abgemeldet"
        "|Alle E-Mails abbestellt",
        "Désabonné de tous les e-mails|Désabonnement de tous les e-mails|Désinscrit de tous les e-mails"
        "|S'est désabonné de tous les e-mails",
        "Suscripción cancelada a todos los correos|Suscripción cancelada a todos los correos electrónicos"
        "|Canceló la suscripción a todos los correos electrónicos"
        "|Cancelada la suscripción a todos los correos"
        "|Baja de todos los correos electrónicos|Dado de baja de todos los correos electrónicos",
    ),
    "double_opt_in": (
        "hs_emailconfirmationstatus",
        "Marketing email confirmation status|Email confirmation status",
        "Bestätigungsstatus der Marketing-E-Mail|Bestätigungsstatus für Marketing-E-Mails"
        "|Bestätigungsstatus von Marketing-E-Mails|Marketing-E-Mail-Bestätigungsstatus",
        "Statut de confirmation de l'e-mail marketing|Statut de confirmation des e-mails marketing"
        "|Statut de confirmation d'e-mail marketing",
        "Estado de confirmación del correo de marketing|Estado de confirmación de correo electrónico de"
        " marketing|Estado de confirmación del correo electrónico de marketing"
        "|Estado de confirmación de correos de marketing",
    ),
    "quarantined": (
        "hs_email_quarantined",
        "Email Address Quarantined|Email Quarantined",
        "E-Mail-Adresse in Quarantäne|E-Mail-Adresse unter Quarantäne|E-Mail-Adresse unter Quarantäne gestellt",
        "Adresse e-mail mise en quarantaine|Adresse e-mail en quarantaine",
        "Dirección de correo en cuarentena|Dirección de correo electrónico en cuarentena|Correo en cuarentena",
    ),
    "quarantine_reason": (
        "hs_email_quarantined_reason",
        "Email address automated quarantine reason",
        "Grund für die automatische Quarantäne der E-Mail-Adresse|Grund für automatische Quarantäne der"
        " E-Mail-Adresse|Automatischer Quarantänegrund der E-Mail-Adresse",
        "Raison de la mise en quarantaine automatique de l'adresse e-mail|Motif de la mise en quarantaine"
        " automatique de l'adresse e-mail|Raison de mise en quarantaine automatique de l'adresse e-mail",
        "Motivo de cuarentena automática de la dirección de correo|Motivo de la cuarentena automática de la"
        " dirección de correo electrónico|Motivo de cuarentena automatizada de la dirección de correo",
    ),
    "quarantine_reason_manual": (
        "hs_email_customer_quarantined_reason",
        "Email address quarantine reason",
        "Grund für die Quarantäne der E-Mail-Adresse|Grund für Quarantäne der E-Mail-Adresse"
        "|Quarantänegrund der E-Mail-Adresse",
        "Raison de la mise en quarantaine de l'adresse e-mail|Motif de la mise en quarantaine de l'adresse"
        " e-mail|Raison de mise en quarantaine de l'adresse e-mail",
        "Motivo de cuarentena de la dirección de correo|Motivo de la cuarentena de la dirección de correo"
        " electrónico|Motivo de cuarentena de la dirección de correo electrónico",
    ),
    "hard_bounce": (
        "hs_email_hard_bounce_reason_enum",
        "Email hard bounce reason",
        "Grund für Hard Bounce der E-Mail|Grund für E-Mail-Hard-Bounce|Grund für den Hard Bounce der E-Mail"
        "|Hard-Bounce-Grund der E-Mail|E-Mail-Hard-Bounce-Grund",
        "Raison du hard bounce de l'e-mail|Raison du rejet définitif de l'e-mail|Motif du hard bounce de"
        " l'e-mail|Motif du rejet définitif de l'e-mail|Raison du rebond définitif de l'e-mail",
        "Motivo de rebote fuerte del correo|Motivo de rebote duro del correo electrónico|Motivo de rebote"
        " fuerte del correo electrónico|Motivo del rebote permanente del correo|Motivo de rebote definitivo"
        " del correo",
    ),
    "hard_bounce_text": ("hs_email_hard_bounce_reason", "", "", "", ""),
    "invalid": (
        "hs_email_bad_address",
        "Invalid email address",
        "Ungültige E-Mail-Adresse",
        "Adresse e-mail non valide|Adresse e-mail invalide",
        "Dirección de correo no válida|Dirección de correo electrónico no válida|Correo electrónico no válido",
    ),
    "lifecycle": (
        "lifecyclestage",
        "Lifecycle Stage",
        "Lifecycle-Phase|Lifecycle Stage|Lebenszyklusphase",
        "Phase du cycle de vie|Étape du cycle de vie|Phase de cycle de vie",
        "Etapa del ciclo de vida|Etapa de ciclo de vida|Fase del ciclo de vida",
    ),
    "form_submissions": (
        "num_conversion_events",
        "Number of Form Submissions",
        "Anzahl der Formulareinsendungen|Anzahl an Formulareinsendungen|Anzahl Formulareinsendungen",
        "Nombre de soumissions de formulaires|Nombre de soumissions de formulaire|Nombre d'envois de formulaires",
        "Número de envíos de formularios|Número de envíos de formulario|Cantidad de envíos de formularios",
    ),
    "deal_closed": (
        "recent_deal_close_date",
        "Recent Deal Close Date|Most recent deal close date",
        "Abschlussdatum des letzten Deals|Letztes Deal-Abschlussdatum|Abschlussdatum des neuesten Deals"
        "|Datum des letzten Deal-Abschlusses",
        "Date de clôture de la dernière transaction|Date de fermeture de la dernière transaction"
        "|Date de clôture de la transaction récente",
        "Fecha de cierre del negocio reciente|Fecha de cierre de negocio reciente|Fecha de cierre del negocio"
        " más reciente",
    ),
    "closed": (
        "closedate",
        "Close Date",
        "Abschlussdatum",
        "Date de clôture|Date de fermeture",
        "Fecha de cierre",
    ),
    "country": (
        "country",
        "Country/Region|Country",
        "Land/Region|Land",
        "Pays/Région|Pays",
        "País/región|País o región|País",
    ),
    "state": (
        "state",
        "State/Region|State|State/Province",
        "Bundesland/Region|Bundesland|Staat/Region|Bundesland/Kanton|Bundesstaat/Region",
        "État/Région|État|État/Province|Département/Région|Région",
        "Estado/región|Estado o región|Estado|Provincia/Región|Provincia",
    ),
    "country_code": (
        "hs_country_region_code",
        "Country/Region Code|Country Code",
        "Länder-/Regionscode|Ländercode",
        "Code du pays/de la région|Code pays/région",
        "Código de país/región|Código de país o región",
    ),
    "ip_country": (
        "ip_country",
        "IP Country",
        "IP-Land|Land der IP",
        "Pays IP|Pays de l'IP|IP pays",
        "País IP|País de la IP|IP país|País de IP",
    ),
    "ip_country_code": (
        "ip_country_code",
        "IP Country Code",
        "IP-Ländercode|IP-Landescode|IP-Länderkürzel|Ländercode der IP",
        "Code pays IP|Code du pays IP|Code de pays IP|Code pays de l'IP",
        "Código de país IP|Código de país de la IP|Código de país de IP|Código IP de país",
    ),
    "ip_state": (
        "ip_state",
        "IP State/Region|IP State",
        "IP-Bundesland/Region|IP-Bundesland|IP-Staat/Region|IP-Region",
        "État/Région IP|Région IP|État/Région de l'IP|État IP",
        "Estado/región IP|Estado o región IP|Estado/Región de la IP|Estado/región de IP",
    ),
    "phone": (
        "phone",
        "Phone Number|Phone",
        "Telefonnummer|Telefon",
        "Numéro de téléphone|Téléphone",
        "Número de teléfono|Teléfono",
    ),
    "language": (
        "hs_language",
        "Preferred language",
        "Bevorzugte Sprache",
        "Langue préférée|Langue de préférence",
        "Idioma preferido|Idioma de preferencia",
    ),
    "created": (
        "createdate",
        "Create Date|Created Date",
        "Erstellungsdatum|Erstellt am",
        "Date de création",
        "Fecha de creación",
    ),
    "modified": (
        "lastmodifieddate",
        "Last Modified Date",
        "Datum der letzten Änderung|Letztes Änderungsdatum|Zuletzt geändert am|Datum der letzten Bearbeitung"
        "|Zuletzt bearbeitet am",
        "Date de dernière modification|Date de la dernière modification",
        "Fecha de última modificación|Fecha de la última modificación|Última fecha de modificación",
    ),
    "source": (
        "hs_analytics_source",
        "Original Source|Original Traffic Source|Original Source Type",
        "Ursprüngliche Quelle|Originalquelle|Ursprüngliche Traffic-Quelle|Typ der ursprünglichen Quelle",
        "Source d'origine|Source originale|Source de trafic d'origine|Type de source d'origine",
        "Fuente original|Fuente de tráfico original|Tipo de fuente original",
    ),
}

# before the colon of `Opted out of email: <type>`
OPTED_OUT_OF = {
    "en": "Opted out of email|Opted out of emails|Unsubscribed from email",
    "de": "Von E-Mail abgemeldet|Von E-Mails abgemeldet|Abgemeldet von E-Mail|E-Mail-Opt-out"
    "|Opt-out für E-Mail|E-Mail abbestellt|Von folgender E-Mail abgemeldet",
    "fr": "Désabonné de l'e-mail|Désabonné des e-mails|Désabonnement de l'e-mail|Désinscrit de l'e-mail"
    "|Désinscription de l'e-mail|Désabonnement des e-mails|S'est désabonné de l'e-mail",
    "es": "Suscripción cancelada al correo|Suscripción cancelada al correo electrónico|Baja de correo"
    "|Baja del correo electrónico|Canceló la suscripción al correo electrónico|Optó por no recibir correo"
    "|Cancelada la suscripción al correo|Exclusión de correo electrónico",
}

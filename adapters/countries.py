"""Names and codes of countries and states, as they stand in CRM cells. Tables, and nothing else."""

from __future__ import annotations

ENGLISH = """
AF Afghanistan|AX Åland Islands|AL Albania|DZ Algeria|AS American Samoa|AD Andorra|AO Angola|AI Anguilla
AQ Antarctica|AG Antigua and Barbuda|AR Argentina|AM Armenia|AW Aruba|AU Australia|AT Austria|AZ Azerbaijan
BS Bahamas|BS The Bahamas|BH Bahrain|BD Bangladesh|BB Barbados|BY Belarus|BE Belgium|BZ Belize|BJ Benin
BM Bermuda|BT Bhutan|BO Bolivia|BQ Bonaire|BQ Caribbean Netherlands|BA Bosnia and Herzegovina|BW Botswana
BV Bouvet Island|BR Brazil|IO British Indian Ocean Territory|BN Brunei|BN Brunei Darussalam|BG Bulgaria
BF Burkina Faso|BI Burundi|KH Cambodia|CM Cameroon|CA Canada|CV Cape Verde|CV Cabo Verde|KY Cayman Islands
CF Central African Republic|TD Chad|CL Chile|CN China|CX Christmas Island|CC Cocos (Keeling) Islands
CO Colombia|KM Comoros|CG Congo|CG Republic of the Congo|CD Democratic Republic of the Congo|CK Cook Islands
CR Costa Rica|CI Cote d'Ivoire|CI Ivory Coast|HR Croatia|CU Cuba|CW Curacao|CY Cyprus|CZ Czech Republic
CZ Czechia|DK Denmark|DJ Djibouti|DM Dominica|DO Dominican Republic|EC Ecuador|EG Egypt|SV El Salvador
GQ Equatorial Guinea|ER Eritrea|EE Estonia|SZ Eswatini|SZ Swaziland|ET Ethiopia|FK Falkland Islands
FO Faroe Islands|FJ Fiji|FI Finland|FR France|GF French Guiana|PF French Polynesia
TF French Southern Territories|GA Gabon|GM Gambia|GM The Gambia|GE Georgia|DE Germany|GH Ghana|GI Gibraltar
GR Greece|GL Greenland|GD Grenada|GP Guadeloupe|GU Guam|GT Guatemala|GG Guernsey|GN Guinea|GW Guinea-Bissau
GY Guyana|HT Haiti|HM Heard Island and McDonald Islands|VA Vatican City|VA Holy See|HN Honduras|HK Hong Kong
HU Hungary|IS Iceland|IN India|ID Indonesia|IR Iran|IQ Iraq|IE Ireland|IE Republic of Ireland|IM Isle of Man
IL Israel|IT Italy|JM Jamaica|JP Japan|JE Jersey|JO Jordan|KZ Kazakhstan|KE Kenya|KI Kiribati|KP North Korea
KR South Korea|KR Korea, Republic of|KR Republic of Korea|XK Kosovo|KW Kuwait|KG Kyrgyzstan|LA Laos
LV Latvia|LB Lebanon|LS Lesotho|LR Liberia|LY Libya|LI Liechtenstein|LT Lithuania|LU Luxembourg|MO Macau
MO Macao|MG Madagascar|MW Malawi|MY Malaysia|MV Maldives|ML Mali|MT Malta|MH Marshall Islands|MQ Martinique
MR Mauritania|MU Mauritius|YT Mayotte|MX Mexico|FM Micronesia|MD Moldova|MC Monaco|MN Mongolia|ME Montenegro
MS Montserrat|MA Morocco|MZ Mozambique|MM Myanmar|MM Burma|NA Namibia|NR Nauru|NP Nepal|NL Netherlands
NL The Netherlands|NL Holland|NC New Caledonia|NZ New Zealand|NI Nicaragua|NE Niger|NG Nigeria|NU Niue
NF Norfolk Island|MK North Macedonia|MK Macedonia|MP Northern Mariana Islands|NO Norway|OM Oman|PK Pakistan
PW Palau|PS Palestine|PS State of Palestine|PA Panama|PG Papua New Guinea|PY Paraguay|PE Peru|PH Philippines
PN Pitcairn|PL Poland|PT Portugal|PR Puerto Rico|QA Qatar|RE Reunion|RO Romania|RU Russia
RU Russian Federation|RW Rwanda|BL Saint Barthélemy|SH Saint Helena|KN Saint Kitts and Nevis|LC Saint Lucia
MF Saint Martin|PM Saint Pierre and Miquelon|VC Saint Vincent and the Grenadines|WS Samoa|SM San Marino
ST Sao Tome and Principe|SA Saudi Arabia|SN Senegal|RS Serbia|SC Seychelles|SL Sierra Leone|SG Singapore
SX Sint Maarten|SK Slovakia|SI Slovenia|SB Solomon Islands|SO Somalia|ZA South Africa|GS South Georgia
SS South Sudan|ES Spain|LK Sri Lanka|SD Sudan|SR Suriname|SJ Svalbard and Jan Mayen|SE Sweden|CH Switzerland
SY Syria|TW Taiwan|TJ Tajikistan|TZ Tanzania|TH Thailand|TL Timor-Leste|TL East Timor|TG Togo|TK Tokelau
TO Tonga|TT Trinidad and Tobago|TN Tunisia|TR Turkey|TR Türkiye|TM Turkmenistan|TC Turks and Caicos Islands
TV Tuvalu|UG Uganda|UA Ukraine|AE United Arab Emirates|AE UAE|GB United Kingdom|GB UK|GB U.K.
GB Great Britain|GB England|GB Scotland|GB Wales|GB Northern Ireland
GB United Kingdom of Great Britain and Northern Ireland|US United States|US United States of America|US USA
US U.S.A.|US U.S.|US America|UM United States Minor Outlying Islands|UY Uruguay|UZ Uzbekistan|VU Vanuatu
VE Venezuela|VN Vietnam|VN Viet Nam|VG British Virgin Islands|VI US Virgin Islands|VI U.S. Virgin Islands
WF Wallis and Futuna|EH Western Sahara|YE Yemen|ZM Zambia|ZW Zimbabwe
"""
"""ISO 3166-1 alpha-2 code, a space, a name; HubSpot's spellings beside ISO's."""

OTHER_LANGUAGES = """
DE Deutschland|DE Bundesrepublik Deutschland|DE Allemagne|DE Alemania|AT Österreich|AT Autriche|CH Schweiz
CH Suisse|CH Suiza|CH Svizzera|LI Fürstentum Liechtenstein|FR Frankreich|FR Francia|ES Spanien|ES Espagne
ES España|IT Italien|IT Italie|IT Italia|PT Portogallo|IE Irland|IE Irlande|IE Irlanda
GB Vereinigtes Königreich|GB Großbritannien|GB Royaume-Uni|GB Reino Unido|GB Gran Bretaña|GB Grande-Bretagne
GB Inglaterra|GB Angleterre|GB Schottland|GB Écosse|GB Escocia|US Vereinigte Staaten
US Vereinigte Staaten von Amerika|US États-Unis|US Estados Unidos|US EE. UU.|US EEUU
US États-Unis d'Amérique|US Estados Unidos de América|CA Kanada|CA Canadá|AU Australien|AU Australie
BE Belgien|BE Belgique|BE Bélgica|BE België|NL Niederlande|NL Pays-Bas|NL Países Bajos|NL Nederland
NL Holanda|LU Luxemburg|LU Luxemburgo|DK Dänemark|DK Danemark|DK Dinamarca|SE Schweden|SE Suède|SE Suecia
NO Norwegen|NO Norvège|NO Noruega|FI Finnland|FI Finlande|FI Finlandia|IS Island|IS Islande|IS Islandia
PL Polen|PL Pologne|PL Polonia|PL Polska|CZ Tschechien|CZ Tschechische Republik|CZ Tchéquie
CZ République tchèque|CZ Chequia|CZ República Checa|SK Slowakei|SK Slovaquie|SK Eslovaquia|HU Ungarn
HU Hongrie|HU Hungría|SI Slowenien|SI Slovénie|SI Eslovenia|HR Kroatien|HR Croatie|HR Croacia|RO Rumänien
RO Roumanie|RO Rumania|RO Rumanía|BG Bulgarien|BG Bulgarie|GR Griechenland|GR Grèce|GR Grecia|CY Zypern
CY Chypre|CY Chipre|MT Malte|EE Estland|EE Estonie|LV Lettland|LV Lettonie|LV Letonia|LT Litauen|LT Lituanie
LT Lituania|TR Türkei|TR Turquie|TR Turquía|UA Ukraine (Ukraina)|UA Ucrania|RU Russland|RU Russie|RU Rusia
RS Serbien|RS Serbie|BR Brasilien|BR Brésil|BR Brasil|MX Mexiko|MX Mexique|MX México|AR Argentinien
AR Argentine|JP Japon|JP Japón|CN Chine|IN Indien|IN Inde|IN la India|ZA Südafrika|ZA Afrique du Sud
ZA Sudáfrica|NZ Neuseeland|NZ Nouvelle-Zélande|NZ Nueva Zelanda|KR Südkorea|KR Corée du Sud|KR Corea del Sur
SG Singapur|SG Singapour|AE Vereinigte Arabische Emirate|AE Émirats arabes unis|AE Emiratos Árabes Unidos
MA Marokko|MA Maroc|MA Marruecos|TN Tunesien|TN Tunisie|TN Túnez|DZ Algerien|DZ Algérie|DZ Argelia|CL Chili
CO Kolumbien|CO Colombie|PE Pérou|PE Perú
"""
"""German, French and Spanish names where they differ, for the countries that CRMs are full of."""

STATES = """
US Alabama|US Alaska|US Arizona|US Arkansas|US California|US Colorado|US Connecticut|US Delaware|US Florida
US Georgia|US Hawaii|US Idaho|US Illinois|US Indiana|US Iowa|US Kansas|US Kentucky|US Louisiana|US Maine
US Maryland|US Massachusetts|US Michigan|US Minnesota|US Mississippi|US Missouri|US Nebraska|US Nevada
US New Hampshire|US New Jersey|US New Mexico|US New York|US North Carolina|US North Dakota|US Ohio
US Oklahoma|US Oregon|US Pennsylvania|US Rhode Island|US South Carolina|US South Dakota|US Tennessee
US Texas|US Utah|US Vermont|US Virginia|US Washington|US West Virginia|US Wisconsin|US Wyoming
US District of Columbia|CA Alberta|CA British Columbia|CA Manitoba|CA New Brunswick
CA Newfoundland and Labrador|CA Nova Scotia|CA Ontario|CA Prince Edward Island|CA Quebec|CA Québec
CA Saskatchewan|CA Northwest Territories|CA Nunavut|CA Yukon|CA Colombie-Britannique|CA Nouveau-Brunswick
CA Nouvelle-Écosse|CA Terre-Neuve-et-Labrador|DE Baden-Württemberg|DE Bayern|DE Bavaria|DE Berlin
DE Brandenburg|DE Bremen|DE Hamburg|DE Hessen|DE Hesse|DE Mecklenburg-Vorpommern|DE Niedersachsen
DE Lower Saxony|DE Nordrhein-Westfalen|DE North Rhine-Westphalia|DE Rheinland-Pfalz|DE Rhineland-Palatinate
DE Saarland|DE Sachsen|DE Saxony|DE Sachsen-Anhalt|DE Saxony-Anhalt|DE Schleswig-Holstein|DE Thüringen
DE Thuringia|AU New South Wales|AU Queensland|AU South Australia|AU Tasmania|AU Western Australia
AU Australian Capital Territory
"""
"""What stands in a state column and belongs to one country (Montana and Victoria do not)."""

STATE_CODES = {
    "US": "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC"
    " ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC",
    "CA": "AB BC MB NB NL NS NT NU ON PE QC SK YT",
    "DE": "BW BY BE BB HB HH HE MV NI NW NRW RP SL SN ST SH TH",
    "AU": "NSW VIC QLD WA SA TAS ACT NT",
    "CH": "AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH",
    "IT": "AG AL AN AO AP AQ AR AT AV BA BG BI BL BN BO BR BS BT BZ CA CB CE CH CL CN CO CR CS CT CZ EN FC FE"
    " FG FI FM FR GE GO GR IM IS KR LC LE LI LO LT LU MB MC ME MI MN MO MS MT NA NO NU OR PA PC PD PE PG"
    " PI PN PO PR PT PU PV PZ RA RC RE RG RI RM RN RO SA SI SO SP SR SS SU SV TA TE TN TO TP TR TS TV UD"
    " VA VB VC VE VI VR VT VV",
    "BR": "AC AL AP AM BA CE DF ES GO MA MT MS MG PA PB PR PE PI RJ RN RS RO RR SC SP SE TO",
    "MX": "AGS BC BCS CDMX COL DGO GTO JAL MEX MICH NL OAX PUE QRO SIN SLP SON TAMPS TLAX VER YUC ZAC",
}
"""A code counts only where no other of these countries has it. The last four are here to take codes away."""
CODED_STATES = ("US", "CA", "DE", "AU")

DIALLING = """
1 US CA|7 RU KZ|20 EG|27 ZA|30 GR|31 NL|32 BE|33 FR|34 ES|36 HU|39 IT|40 RO|41 CH|43 AT|44 GB|45 DK|46 SE
47 NO|48 PL|49 DE|51 PE|52 MX|54 AR|55 BR|56 CL|57 CO|60 MY|61 AU|62 ID|63 PH|64 NZ|65 SG|66 TH|81 JP|82 KR
84 VN|86 CN|90 TR|91 IN|92 PK|94 LK|212 MA|213 DZ|216 TN|234 NG|254 KE|350 GI|351 PT|352 LU|353 IE|354 IS
355 AL|356 MT|357 CY|358 FI|359 BG|370 LT|371 LV|372 EE|373 MD|374 AM|375 BY|376 AD|377 MC|378 SM|380 UA
381 RS|382 ME|383 XK|385 HR|386 SI|387 BA|389 MK|420 CZ|421 SK|423 LI|852 HK|886 TW|966 SA|971 AE|972 IL
974 QA|995 GE
"""
"""Dialling code, then its countries. More than one: any of them."""

LANGUAGES = """
it IT|pl PL|cs CZ|sk SK|sl SI|hu HU|ro RO|bg BG|da DK|fi FI|et EE|lv LV|lt LT|no NO|nb NO|nn NO|is IS|mt MT
hr HR|sv SE|ja JP|ko KR|he IL|th TH|vi VN|tr TR|italian IT|polish PL|czech CZ|slovak SK|slovenian SI
hungarian HU|romanian RO|bulgarian BG|danish DK|finnish FI|estonian EE|latvian LV|lithuanian LT|norwegian NO
icelandic IS|croatian HR|swedish SE|japanese JP|korean KR
"""
"""Languages of one country, nearly. German, French, Spanish, Dutch, Portuguese, Greek and English are not."""

NO_COUNTRY_DOMAINS = """
io co ai me tv eu cc ws fm am ly gg sh ac gl to vc la nu tk ml ga cf gq im so st sc pw bz mn ag lc dj ms tl
vg sx as cx gs hn pn mu ad asia
"""
"""Country-code domains sold to everybody."""

CODES = frozenset(entry[:2] for line in ENGLISH.split("\n") for entry in line.split("|") if entry)
"""Every country by its two letters (ISO 3166-1 alpha-2, and XK)."""

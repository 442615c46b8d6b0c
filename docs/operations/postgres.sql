-- Read once by the image of PostgreSQL, while its volume is empty: the role the program works as.
-- What it may do, `consent-ledger database upgrade` grants: add to the log, and never change it.
\getenv password CONSENT_LEDGER_WRITER_PASSWORD
CREATE ROLE ledger_writer LOGIN PASSWORD :'password';

"""How an audit and a `why` are shown: a page, a terminal, files for the CRM. It judges nothing."""

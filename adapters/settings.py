"""Configuration, read once: from the environment passed in, checked, and handed on as one value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

PREFIX = "CONSENT_LEDGER_"
_SERVER = r"^postgres(ql)?://"
_WEB = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"
_SERVER_OR_FILE = r"^(sqlite:///|postgres(ql)?://)"


class SettingsError(ValueError):
    """A variable of the environment that cannot be meant. Its value is not quoted: it may hold a password."""


_SPACED = "is empty, or contains a space or a line break: copy the token again"


class Settings(BaseModel):
    """What an environment may say. Every name stands behind `CONSENT_LEDGER_`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dir: Path = Field(default=Path("consent-ledger"), description="the ledger's directory")
    keys: str | None = Field(default=None, description="master key, 32 bytes as base64; else a key file")
    database_url: str | None = Field(
        default=None,
        pattern=_SERVER,
        description="postgresql://USER@HOST/DATABASE for log, vault and views; else files",
    )
    kafka: str | None = Field(default=None, description="Kafka's bootstrap servers, host:port[,host:port]")
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="before every topic's name")
    record_ids: bool = Field(default=False, description="name CRM record ids on the status topic")
    publish_rate: int = Field(default=1_000, gt=0, description="status values a second after a change of policy")
    mirror_url: str | None = Field(
        default=None,
        pattern=_SERVER_OR_FILE,
        description="database of the mirror, postgresql://USER@HOST/DATABASE or sqlite:////FILE",
    )
    http_host: str = Field(default="127.0.0.1", description="address the HTTP service listens on")
    http_port: int = Field(default=8080, ge=0, le=65_535, description="port the HTTP service listens on")
    http_proxies: str = Field(
        default="127.0.0.1,::1", description="addresses of proxies whose X-Forwarded-For is believed, by commas"
    )
    http_connections: int = Field(default=512, gt=0, description="connections to the HTTP service at once")
    http_head_seconds: float = Field(default=10.0, gt=0, description="seconds until a request's headers are here")
    http_body_seconds: float = Field(
        default=30.0, gt=0, description="seconds until a request's body is here, and until an answer is taken"
    )
    http_head_bytes: int = Field(default=32_768, ge=1_024, description="bytes of a request's line and headers")
    http_headers: int = Field(default=100, ge=8, description="headers of a request")
    http_key_rate: float = Field(default=100.0, ge=0, description="requests a second by one key; 0: any number")
    http_key_burst: int = Field(default=1_000, gt=0, description="requests at once by one key")
    http_source_rate: float = Field(
        default=10.0, ge=0, description="requests a second without a key, by address; 0: any number"
    )
    http_source_burst: int = Field(default=100, gt=0, description="requests at once without a key, by address")
    http_lock_seconds: float = Field(
        default=3.0, gt=0, description="seconds a fact waits for others who write to the database"
    )
    metrics_port: int | None = Field(default=None, ge=0, le=65_535, description="port for a worker's metrics")

    worker_session: float = Field(default=10.0, gt=0, description="seconds after which a lost worker is replaced")
    worker_stuck_after: float = Field(default=60.0, gt=0, description="seconds without progress: not ready any more")

    public_url: str | None = Field(
        default=None, pattern=_WEB, description="where webhooks reach the service, https://consent.example.org"
    )
    hubspot_url: str = Field(default="https://api.hubapi.com", pattern=_WEB, description="HubSpot's API")
    hubspot_api: str = Field(
        default="legacy", pattern=r"^(legacy|20[0-9]{2}-[0-9]{2})$", description="legacy (v1 to v4), or a dated version"
    )
    hubspot_token: SecretStr | None = Field(default=None, description="token of the private app or service key")
    hubspot_secret: SecretStr | None = Field(
        default=None, description="client secret that signs its webhooks; two, by a comma, while it is changed"
    )
    hubspot_portal: int | None = Field(
        default=None, gt=0, description="id of the portal: its webhooks alone are believed where an app is in several"
    )
    hubspot_app: int | None = Field(default=None, gt=0, description="id of our own app: its changes are our echoes")
    crm_cap: int | None = Field(default=None, ge=0, description="marketing contacts that may not be exceeded")
    crm_update_day: int | None = Field(
        default=None, ge=1, le=31, description="day of the month on which HubSpot updates marketing contacts"
    )
    mailchimp_secret: SecretStr | None = Field(
        default=None, description="last part of the path of its webhooks; two, by a comma, while it is changed"
    )
    postmark_secret: SecretStr | None = Field(default=None, description="USER:PASSWORD in the URL of its webhooks")
    sendgrid_key: str | None = Field(default=None, description="public key that its event webhooks are signed with")
    ses_topics: str | None = Field(default=None, description="ARNs of the SNS topics that may report, by commas")

    @field_validator("hubspot_token")
    @classmethod
    def _has_no_space(cls, token: SecretStr | None) -> SecretStr | None:
        """ValueError for a token that no header can hold: HubSpot would seem not to answer."""
        text = token.get_secret_value() if token is not None else None
        if text is not None and (not text or any(letter.isspace() for letter in text)):
            raise ValueError(_SPACED)
        return token

    @field_validator("database_url", "mirror_url")
    @classmethod
    def _has_a_port(cls, url: str | None) -> str | None:
        """ValueError where the port is not a number; what stands in the rest, the driver says."""
        _ = urlsplit(url or "").port
        return url

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises SettingsError with the names of what is wrong, and what each is."""
        given = {name: env[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in env}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            wrong = dict.fromkeys(str(one["loc"][0]) for one in error.errors(include_input=False))
        raise SettingsError("\n".join(f"{PREFIX}{name.upper()} {cls._problem(name)}" for name in wrong))

    @classmethod
    def _problem(cls, name: str) -> str:
        """What is wrong with a setting; never its value."""
        if name == "hubspot_token":
            return _SPACED
        return f"is not understood; it is for: {cls.model_fields[name].description}"

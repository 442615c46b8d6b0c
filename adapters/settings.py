"""Configuration, read once: from the environment passed in, checked, and handed on as one value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "CONSENT_LEDGER_"


class Settings(BaseModel):
    """What an environment may say. Every name stands behind `CONSENT_LEDGER_`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dir: Path = Field(default=Path("consent-ledger"), description="the ledger's directory")
    keys: str | None = Field(default=None, description="master key, 32 bytes as base64; else a key file")

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises pydantic.ValidationError with the name of what is wrong."""
        return cls.model_validate(
            {name: env[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in env}
        )

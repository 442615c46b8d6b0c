"""What happens in the portal beside the API, told over HTTP: for a fake that runs as a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from tests.hubspot.state import State


class Act(BaseModel):
    """The arguments of whatever is to happen."""

    email: str = ""
    other: str = ""
    type_id: int | None = None
    form: str | None = None
    on: bool = True
    seconds: float = 0.0


def add_control(app: FastAPI, state: State) -> None:
    """Paths below /fake, which HubSpot has not."""
    acts: dict[str, Callable[[Act], object]] = {
        "person-opts-out": lambda act: state.person_opts_out(act.email, act.type_id),
        "person-opts-in": lambda act: state.person_opts_in(act.email, act.form, act.type_id or 1_002),
        "user-sets-status": lambda act: state.user_sets_status(act.email, act.on, act.type_id),
        "app-sets-status": lambda act: state.app_sets_status(act.email, act.on, act.type_id),
        "user-sets-marketing": lambda act: state.user_sets_marketing(act.email, act.on),
        "merge": lambda act: state.merge(act.email, act.other),
        "delete": lambda act: state.delete(act.email),
        "gdpr-delete": lambda act: state.gdpr_delete(act.email),
        "workflow": lambda act: setattr(state.marketing, "workflow", act.on),
        "update-date": lambda _: state.update_date(),
        "outage": lambda act: state.chaos.outage(act.seconds),
        "storm": lambda act: state.chaos.storm_429(act.seconds),
        "latency": lambda act: state.chaos.latency(act.seconds),
        "recover": lambda _: state.chaos.recover(),
    }

    @app.post("/fake/{name}")
    def happen(name: str, act: Act) -> dict[str, Any]:
        if name not in acts:
            raise HTTPException(404, f"known: {', '.join(acts)}")
        try:
            return {"result": acts[name](act)}
        except KeyError:
            raise HTTPException(404, "there is no such contact or form") from None

    @app.get("/fake/turned-on")
    def turned_on() -> list[dict[str, Any]]:
        return [{**flip._asdict(), "actor": flip.actor._asdict()} for flip in state.turned_on()]

    @app.get("/fake/counts")
    def counts() -> dict[str, int]:
        with state.lock:
            return {
                "contacts": len(state.contacts),
                "marketing": state.marketing.count(),
                "calls": len(state.calls),
                "changes": len(state.journal.changes),
            }

"""The ledger over HTTP: record facts, ask the gate, the status, the why and the history."""

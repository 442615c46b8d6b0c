"""What is fetched comes from a host that proves who it is; a redirection leads nowhere."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from adapters.esp.fetching import MOST_BYTES, fetch
from adapters.receiving import AwayError


class Answers(BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_GET(self) -> None:
        """`/status/size`."""
        _, status, size, *_ = self.path.split("/")
        body = b"x" * int(size.partition("?")[0])
        self.send_response(int(status))
        self.send_header("Location", "/200/7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    (tmp_path / "host.pem").write_bytes(made)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "host.pem", tmp_path / "key.pem")
    server = HTTPServer(("localhost", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "host.pem"))
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_given_out_is_had_and_nothing_else(url: str) -> None:
    assert fetch(f"{url}/200/5") == b"xxxxx"
    assert fetch(f"{url}/200/5?a=b") == b"xxxxx"
    for nothing in ("302/1", "404/1", "403/0", f"200/{MOST_BYTES + 1}"):
        assert fetch(f"{url}/{nothing}") is None
    for later in ("500/1", "503/1", "429/1"):
        with pytest.raises(AwayError, match="localhost answered"):
            fetch(f"{url}/{later}")


def test_a_host_that_cannot_prove_who_it_is_or_is_not_there_is_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(AwayError, match="does not answer"):
        fetch(f"{url}/200/5")
    with pytest.raises(AwayError, match="does not answer"):
        fetch("https://localhost:1/x")

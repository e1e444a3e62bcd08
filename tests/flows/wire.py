"""The wire, as far as the strangers, proxies and fakes of the flows need it."""
import base64
import os
import socket
import ssl
import struct

HELLO, WELCOME, REFUSED, TASK, CHALLENGE, PROOF = 1, 2, 3, 15, 26, 27
ROLE, VERSION, URL, INSTANCE, PID, HOST, MESSAGE = 1, 2, 3, 4, 5, 6, 7
LIBRARY_VERSION, CREDENTIAL, NONCE, PROOF_KEY = 27, 30, 31, 32
DAEMON, AGENT = 2, 3
HEADER = struct.Struct("<HBBIQQQIIII")
MAGIC = 0x6B54


def attribute(key, value):
    if isinstance(value, int):
        value = struct.pack("<Q", value)
    if isinstance(value, str):
        value = value.encode()
    return struct.pack("<HH", key, len(value)) + value


def frame(kind, *attributes):
    body = b"".join(attribute(key, value) for key, value in attributes)
    return HEADER.pack(MAGIC, 1, kind, len(body), 0, 0, 0, 0, 0, 0, 0) + body


def hello(version, url="", role=DAEMON, credential=None):
    """What a daemon says of itself; `credential`: the 16 bytes of an id."""
    said = [(ROLE, role), (VERSION, version)]
    if credential is not None:
        return frame(HELLO, *said, (CREDENTIAL, credential), (NONCE, os.urandom(32)))
    return frame(HELLO, *said, (LIBRARY_VERSION, version), (URL, url), (INSTANCE, os.urandom(16)),
                 (PID, os.getpid()), (HOST, "localhost"))


def frames(data):
    """The frames that data begins with, as (kind, {key: value}, payload)."""
    while len(data) >= HEADER.size:
        magic, _, kind, size, payload, *_ = HEADER.unpack_from(data)
        if magic != MAGIC or len(data) < HEADER.size + size + payload:
            return
        values, at = {}, HEADER.size
        while at < HEADER.size + size:
            key, length = struct.unpack_from("<HH", data, at)
            values[key] = data[at + 4:at + 4 + length]
            at += 4 + length
        yield kind, values, data[at:at + payload]
        data = data[at + payload:]


def unverified(minimum=None, maximum=None, certificate=None):
    """TLS that asks nobody who they are."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if minimum is not None:
        context.minimum_version = minimum
    if maximum is not None:
        context.maximum_version = maximum
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def parse(url):
    """(scheme, host or name, port, path)"""
    scheme, rest = url.split("://", 1)
    if scheme in ("abstract", "ipc"):
        return scheme, rest, 0, ""
    place, slash, path = rest.partition("/")
    host, _, port = place.rpartition(":")
    return scheme, host or "127.0.0.1", int(port), slash + path


class WebSocket:
    """A client's end: each send is one masked binary message."""

    def __init__(self, stream, path):
        self.stream, self.rest = stream, b""
        key = base64.b64encode(os.urandom(16)).decode()
        stream.sendall(f"GET {path or '/'} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.rest:
            more = stream.recv(4096)
            if not more:
                raise ConnectionError("closed instead of an answer to GET")
            self.rest += more
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError("answered " + head.split(b"\r\n")[0].decode(errors="replace"))

    def sendall(self, data):
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.stream.sendall(b"\x82" + size + mask + masked)

    def recv(self, _):
        """The content of what has come; b"" at the end."""
        while True:
            if len(self.rest) >= 2:
                size, at = self.rest[1] & 127, 2
                if size == 126 and len(self.rest) >= 4:
                    size, at = struct.unpack_from(">H", self.rest, 2)[0], 4
                if len(self.rest) >= at + size:
                    kind, content = self.rest[0] & 15, self.rest[at:at + size]
                    self.rest = self.rest[at + size:]
                    if kind == 8:
                        return b""
                    if content:
                        return content
                    continue
            more = self.stream.recv(4096)
            if not more:
                return b""
            self.rest += more

    def settimeout(self, seconds):
        self.stream.settimeout(seconds)

    def close(self):
        self.stream.close()


def dial(url, tls=None, limit=20):
    """A stream to whoever listens there, with what the scheme asks for done."""
    scheme, host, port, path = parse(url)
    if scheme in ("abstract", "ipc"):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(limit)
        stream.connect("\0" + host if scheme == "abstract" else host)
        return stream
    stream = socket.create_connection((host, port), timeout=limit)
    if scheme in ("tls+tcp", "wss"):
        stream = (tls or unverified()).wrap_socket(stream, server_hostname=host)
    return WebSocket(stream, path) if scheme in ("ws", "wss") else stream


def credential(line):
    """The parts of a credential line, laid out as wire/credential.h says."""
    data = base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))
    if not data.startswith(b"tenkai\x01"):
        raise ValueError("no credential")
    pin = data[56:88] if data[55] else None
    return {"id": data[7:23], "token": data[23:55], "pin": pin}

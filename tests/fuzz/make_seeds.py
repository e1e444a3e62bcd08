#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets to tests/data/fuzz.

They are kept in the repository, so this only needs to run again when the format
of frames changes. Few and small: they show the fuzzer what right input looks
like, it finds the wrong ones by itself.
"""
import base64
import hashlib
import pathlib
import struct

data = pathlib.Path(__file__).resolve().parent.parent / "data" / "fuzz"

HELLO, WELCOME, SUBMIT, TASK, FINISHED, PING, SEGMENT = 1, 2, 6, 15, 16, 18, 21
CHALLENGE, PROOF = 26, 27


def attribute(key, value):
    if isinstance(value, int):
        value = struct.pack("<Q", value)
    return struct.pack("<HH", key, len(value)) + value


def frame(kind, attributes=b"", payload=b"", task=0, stream=0, announced=None, magic=0x6B54, version=1):
    size = len(payload) if announced is None else announced
    head = struct.pack("<HBBIQQQIIII", magic, version, kind, len(attributes), size, 1, task, 1, 0, stream, 0)
    return head + attributes + payload


hello = frame(HELLO, attribute(1, 2) + attribute(2, b"0.1.0") + attribute(5, 1234))
submit = frame(SUBMIT, attribute(9, 5000) + attribute(10, b"label"), b"payload", task=7)
frames = {
    "hello": hello,
    "conversation": hello + frame(WELCOME) + submit + frame(PING),
    "finished": frame(FINISHED, attribute(26, 1), b"x" * 300, task=7) + frame(PING),
    "segments": frame(TASK, b"", b"", stream=5, announced=12)
    + frame(SEGMENT, b"", b"hello ", stream=5) + frame(SEGMENT, b"", b"world!", stream=5),
    "unknown_attribute": frame(HELLO, attribute(60000, b"from the future")),
    "other_version": frame(HELLO, version=2),
    "not_a_frame": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "attribute_too_long": frame(HELLO, struct.pack("<HH", 10, 500) + b"abc"),
    "payload_too_large": frame(SUBMIT, announced=2**63),
}
urls = {
    "tcp": "tcp://10.75.32.90:5555", "any": "tcp://:0", "ipv6": "ws://[2001:db8::7]:80/1",
    "zone": "tcp://[fe80::1%eth0]:1", "tls": "tls+tcp://login-1.example:443", "wss": "wss://h:37955/a/b?c=d",
    "abstract": "abstract://3f2a9c", "ipc": "ipc:///tmp/tenkai", "user": "ws://anna:secret@h:1/", "scheme": "http://h:1",
    "port": "tcp://h:65536", "quote": "ws://h:1/'", "control": "ws://h:1/\x1b[2J", "utf8": "ipc:///tmp/展開",
}


def fields(pin=b"", not_after=0, uses=1, ranks=0, urls=()):
    """Of a credential: what stands between its version and its checksum."""
    numbers = struct.pack("<QIIB", not_after, uses, ranks, len(urls))
    texts = b"".join(struct.pack("<H", len(url)) + url for url in urls)
    return bytes(range(16)) + bytes(range(32)) + bytes([len(pin) > 0]) + pin + numbers + texts


def line(content, version=1):
    content = b"tenkai" + bytes([version]) + content
    return base64.urlsafe_b64encode(content + hashlib.sha256(content).digest()[:4]).rstrip(b"=")


for_slot = fields(b"p" * 32, 1893456000, urls=[b"wss://login1:37955/1", b"wss://10.75.32.90:37955/1"])
good = line(for_slot)
# The first byte: 'f' for fields, 't' for text.
credentials = {
    "fields_of_slot": b"f" + for_slot,
    "fields_of_job": b"f" + fields(b"p" * 32, uses=3, ranks=64, urls=[b"tls+tcp://[2001:db8::7]:443"]),
    "fields_without_urls": b"f" + fields(),
    "fields_bad_url": b"f" + fields(urls=[b"http://h:1"]),
    "fields_too_many_urls": b"f" + fields(urls=[b"tcp://h:1"] * 65),
    "fields_trailing": b"f" + for_slot + b"more",
    "line": b"t" + good,
    "wrapped": b"t \t" + good[:80] + b"\r\n" + good[80:160] + b"\n  " + good[160:] + b"\r\n",
    "mistyped": b"t" + good[:100] + b"AA" + good[102:],
    "other_version": b"t" + line(for_slot, version=2),
    "not_a_credential": b"t-----BEGIN CERTIFICATE-----\nMIIB",
}

claim = frame(HELLO, attribute(1, 3) + attribute(2, b"0.1.0") + attribute(30, b"i" * 16) + attribute(31, b"n" * 32))
proof = frame(PROOF, attribute(3, b"wss://login1:37955/1") + attribute(32, b"p" * 32))
challenge = frame(CHALLENGE, attribute(2, b"0.1.0") + attribute(31, b"n" * 32) + attribute(32, b"p" * 32))
# The first byte: 'l' for what a listener gets, 'd' for a dialler.
handshakes = {
    "claim": b"l" + claim, "claim_and_proof": b"l" + claim + proof, "no_nonce": b"l" + hello,
    "challenge": b"d" + challenge, "two_challenges": b"d" + challenge + challenge, "welcome": b"d" + frame(WELCOME),
}

request = (b"GET /1 HTTP/1.1\r\nHost: 127.0.0.1:5555\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")


def message(opcode, payload, mask=b"mask"):
    if len(payload) < 126:
        length = bytes([0x80 | len(payload)])
    else:
        length = b"\xfe" + struct.pack(">H", len(payload))
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + length + mask + masked


sockets = {
    "upgrade": request + b"\r\n", "hello": request + b"\r\n" + message(2, hello),
    "ping": request + b"\r\n" + message(9, b"are you there") + message(8, b"\x03\xe8"),
    "text": request + b"\r\n" + message(1, "ä".encode()), "two_fields": request + b"Upgrade: h2c\r\n\r\n",
    "origin": request + b"Origin: http://evil\r\n\r\n", "post": b"POST" + request[3:] + b"\r\n",
    "long": request + b"\r\n" + message(2, hello * 20), "unmasked": request + b"\r\n\x82\x05hello",
}


def write(target, name, content):
    folder = data / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


for name, content in frames.items():
    # The first byte chooses the limit (odd: the large one), the second the size of the pieces.
    write("frame_reader", name, b"\x01\x07" + content)
for name, content in urls.items():
    write("url", name, content.encode())
for name, content in credentials.items():
    write("credential", name, content)
for name, content in handshakes.items():
    write("handshake", name, content)
for name, content in sockets.items():
    write("websocket", name, content)

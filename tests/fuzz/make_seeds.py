#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets to tests/data/fuzz.

They are kept in the repository, so this only needs to run again when the format
of frames changes. Few and small: they show the fuzzer what right input looks
like, it finds the wrong ones by itself.
"""
import pathlib
import struct

data = pathlib.Path(__file__).resolve().parent.parent / "data" / "fuzz"

HELLO, WELCOME, SUBMIT, TASK, FINISHED, PING, SEGMENT = 1, 2, 6, 15, 16, 18, 21


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


def write(target, name, content):
    folder = data / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


for name, content in frames.items():
    # The first byte chooses the limit (odd: the large one), the second the size of the pieces.
    write("frame_reader", name, b"\x01\x07" + content)
for name, content in urls.items():
    write("url", name, content.encode())

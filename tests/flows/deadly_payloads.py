#!/usr/bin/env python3
"""Plays a daemon that answers each task with the next payload of a file:

    deadly_payloads.py SOCKET VERSION FILE

SOCKET is the name of an abstract socket. FILE holds the payloads one after the
other, each behind its size (4 bytes, little endian).
"""
import os
import socket
import struct
import sys

HELLO, WELCOME, TASK, FINISHED, BYE = 1, 2, 15, 16, 20
HEADER = struct.Struct("<HBBIQQQIIII")


def attribute(key, value):
    if isinstance(value, int):
        value = struct.pack("<Q", value)
    return struct.pack("<HH", key, len(value)) + value


def frame(kind, attributes, payload, session=0, task=0, attempt=0):
    head = HEADER.pack(0x6B54, 1, kind, len(attributes), len(payload), session, task, attempt, 0, 0, 0)
    return head + attributes + payload


def receive(stream, size):
    read = stream.read(size)
    if len(read) < size:
        sys.exit(0)
    return read


def receive_frame(stream):
    _, _, kind, attributes, payload, session, task, attempt, _, _, _ = HEADER.unpack(receive(stream, HEADER.size))
    receive(stream, attributes + payload)
    return kind, session, task, attempt


def payloads(path):
    content = open(path, "rb").read()
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from("<I", content, at)
        yield content[at + 4:at + 4 + size]
        at += 4 + size


name, version, path = sys.argv[1:]
connection = socket.socket(socket.AF_UNIX)
connection.connect("\0" + name)
connection.sendall(frame(HELLO, attribute(1, 2) + attribute(2, version.encode()) + attribute(27, version.encode())
                         + attribute(3, b"abstract://" + name.encode()) + attribute(4, os.urandom(16))
                         + attribute(5, os.getpid()) + attribute(6, b"localhost"), b""))
stream = connection.makefile("rb")
answers = payloads(path)
while True:
    kind, session, task, attempt = receive_frame(stream)
    if kind == BYE:
        break
    if kind == TASK:
        connection.sendall(frame(FINISHED, b"", next(answers, b""), session, task, attempt))

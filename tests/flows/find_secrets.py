#!/usr/bin/env python3
"""Looks for secrets where there must be none:

    find_secrets.py LINES... -- PLACE... [-- ALLOWED...]

LINES are files that hold what is secret: credential lines, and private keys as PEM.
Each PLACE, a file or a folder and all below it, is searched for pieces of them, as
they are, as hexadecimal digits, and in both kinds of base64, wherever they begin.
ALLOWED are the files that may hold them, if nobody else can read them.

Writes how much was searched for and where, and a line for each find.
"""
import base64
import os
import re
import stat
import sys

import wire

piece_size = 12
line = rb"dGVua2Fp[A-Za-z0-9_-]{80,}"
key = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s(.*?)-----END", re.S)
password = re.compile(rb"^password: (.*)$", re.M)


def split_arguments(arguments):
    parts = [[]]
    for each in arguments:
        if each == "--":
            parts.append([])
        else:
            parts[-1].append(each)
    return parts + [[]] * (3 - len(parts))


def forms(piece):
    """How a piece of a secret could be written."""
    yield piece
    for text in (piece.hex(), piece.hex(" "), piece.hex(":")):
        yield text.encode()
        yield text.upper().encode()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + piece)
            # What the bytes around the piece have no part in.
            first = -(-8 * before // 6)
            yield text[first:8 * (before + len(piece)) // 6]


def pieces(secret):
    for at in (0, (len(secret) - piece_size) // 2, len(secret) - piece_size):
        yield secret[at:at + piece_size]


def needles(paths):
    """Each needle, and what it is of."""
    found, secrets = {}, set()
    for path in paths:
        with open(path, "rb") as file:
            content = file.read()
        for each in re.findall(line, content):
            token = wire.credential(each.decode())["token"]
            secrets.add(token)
            for piece in pieces(token):
                found.update((form, f"token of {path}") for form in forms(piece))
        for body in key.findall(content):
            secrets.add(body)
            found.update((row, f"private key of {path}") for row in body.split()[1:] if len(row) > 20)
        for word in password.findall(content):
            secrets.add(word)
            found[word] = f"password of {path}"
    return found, len(secrets)


def files(places):
    for place in places:
        if os.path.isfile(place):
            yield place
        for folder, _, names in os.walk(place):
            yield from (os.path.join(folder, name) for name in names)


def is_private(path):
    status = os.lstat(path)
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_mode & 0o777 == 0o600


sources, places, allowed = split_arguments(sys.argv[1:])
wanted, secrets = needles(sources)
# And any credential at all, also of those that nobody was shown.
pattern = re.compile(b"|".join([*(re.escape(each) for each in wanted), line]))
allowed = {os.path.realpath(each) for each in allowed}
searched = size = 0
for path in files(places):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        continue
    searched += 1
    size += len(content)
    hit = pattern.search(content)
    if not hit:
        continue
    if os.path.realpath(path) not in allowed:
        print(f"FOUND the {wanted.get(hit.group(), 'whole of a credential')} in {path}")
    elif not is_private(path):
        print(f"FOUND {path}, which others can read")
print(f"{secrets} secrets, {len(wanted)} texts, {searched} files, {size} bytes")

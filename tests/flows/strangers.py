#!/usr/bin/env python3
"""People who do not belong here, for the flows:

    strangers.py knock VERSION SECONDS URL...    greet, and stay without a word
    strangers.py tls VERSION URL CERTIFICATE ID   five who come over TLS
    strangers.py besiege SECONDS NUMBER ADDRESSES SCHEME:PORT...   only take up room
    strangers.py watch FILE STOP                  look at what other processes show
    strangers.py crowd SECONDS NUMBER NAME...     have names that others look for

They write a line for each thing that happened to them.
"""
import contextlib
import errno
import os
import resource
import select
import socket
import ssl
import sys
import threading
import time

import wire


def say(line):
    os.write(1, f"{line}\n".encode())  # whole, whoever else is speaking


# --- knock: at any door of ours ---


def listen(stream, until):
    """Everything that comes until the end of the stream or of the time; and whether it ended."""
    got = b""
    while time.monotonic() < until:
        try:
            stream.settimeout(max(0.1, until - time.monotonic()))
            more = stream.recv(65536)
        except TimeoutError:
            break
        except (OSError, ssl.SSLError):
            return got, True
        if not more:
            return got, True
        got += more
    return got, False


def describe(got, ended, seconds):
    names = {wire.WELCOME: "WELCOME", wire.REFUSED: "REFUSED", wire.TASK: "TASK", wire.CHALLENGE: "CHALLENGE"}
    kinds = [(names.get(kind, f"type {kind}"), values) for kind, values, _ in wire.frames(got)]
    message = next((values.get(wire.MESSAGE, b"").decode() for kind, values in kinds if kind == "REFUSED"), None)
    end = f"hung up after {seconds:.1f} s" if ended else "STILL OPEN"
    if not got:
        return f"not a byte, {end}"
    frames = " ".join(kind for kind, _ in kinds) or "no frame"
    return f"{len(got)} bytes, {frames}, {end}" + (f": {message}" if message else "")


def knock_once(url, first, seconds, tls=None):
    begun = time.monotonic()
    try:
        stream = wire.dial(url, tls, seconds)
    except ssl.SSLError as failed:
        return f"cannot come in: {failed.reason}"
    except OSError as failed:
        return f"cannot come in: {errno.errorcode.get(failed.errno, str(failed))}"
    try:
        stream.sendall(first)
    except OSError:
        pass  # they have hung up; perhaps with a word
    got, ended = listen(stream, begun + seconds)
    return describe(got, ended, time.monotonic() - begun)


def knock(version, seconds, *urls):
    seconds = float(seconds)
    threads = []
    # With the silent ones they stay below the 32 of one address that are let in at a time.
    room = threading.Semaphore(8)

    def visit(url, how, first):
        with room if first else contextlib.nullcontext():
            said = knock_once(url, first, seconds)
        say(f"{url} | {how} | {said}")

    for url in urls:
        greeting = wire.hello(version, url)
        for how, first in (("hello", greeting), ("silence", b""), ("hello", greeting)):
            threads.append(threading.Thread(target=visit, args=(url, how, first)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- tls: with everything but what counts ---


def tls(version, url, certificate, known):
    """Without a certificate; with one made at home; with a credential made up, and with the id of a real
    one, both for whoever has the right certificate; and by an old version of TLS."""
    anybody = wire.hello(version, url)
    own = wire.unverified(certificate=certificate)
    old = wire.unverified(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    guess = wire.frame(wire.PROOF, (wire.URL, url), (wire.INSTANCE, os.urandom(16)), (wire.PROOF_KEY, os.urandom(32)))

    def with_id(credential):
        return wire.hello(version, role=wire.AGENT, credential=credential) + guess

    say("no certificate | " + knock_once(url, anybody, 15))
    say("own certificate | " + knock_once(url, anybody, 15, own))
    say("no token | " + knock_once(url, with_id(os.urandom(16)), 15))
    say("known id | " + knock_once(url, with_id(bytes.fromhex(known)), 15))
    say("TLS 1.2 | " + knock_once(url, anybody, 15, old))


# --- besiege: many, who only take up room ---


def besiege(seconds, number, addresses, *ports):
    """`number` idle ones and as many that say a byte a second, at each port; half of them from
    127.0.0.1, the others from `addresses` more addresses."""
    number, addresses, begun = int(number), int(addresses), time.monotonic()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # What the slow ones begin to say: a greeting of ours, a ClientHello of TLS.
    words = {"tcp": wire.hello("0.0.0"), "wss": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500)}
    poll, slow, there = select.epoll(), {}, {}
    for i in range(2 * number):
        for port in ports:
            scheme, port = port.split(":")
            stream = socket.socket()
            stream.setblocking(False)
            stream.bind((f"127.0.9.{1 + i // 4 % addresses}" if i & 2 else "127.0.0.1", 0))
            stream.connect_ex(("127.0.0.1", int(port)))
            poll.register(stream, select.EPOLLIN)
            there[stream.fileno()] = stream
            if i & 1:
                slow[stream.fileno()] = iter(words[scheme])
    say(f"came: {len(there)} in {time.monotonic() - begun:.1f} s")
    told, last_gone, next_word, total = 0, begun, begun, len(there)
    while there and time.monotonic() < begun + float(seconds):
        for descriptor, _ in poll.poll(0.2, 4096):
            try:
                got = there[descriptor].recv(4096)
            except OSError:
                got = b""
            told = max(told, len(got))
            if got:
                continue
            poll.unregister(descriptor)
            there.pop(descriptor).close()
            slow.pop(descriptor, None)
            last_gone = time.monotonic()
        if time.monotonic() < next_word:
            continue
        next_word += 1
        for descriptor, rest in slow.items():
            try:
                there[descriptor].send(bytes([next(rest)]))
            except (OSError, StopIteration):
                pass
    say(f"turned away: {total - len(there)}, the last after {last_gone - begun:.1f} s")
    say(f"left: {len(there)}")
    say(f"most bytes that one was told: {told}")


# --- watch: what everybody can see of our processes ---


def watch(path, stop):
    """Command lines of all processes, each once, and what else of them could be read."""
    seen, readable, rounds, begun = set(), set(), 0, time.monotonic()
    before = set(os.listdir("/proc"))  # nothing of the flow has started yet
    with open(path, "wb") as shown:
        while not os.path.exists(stop) and time.monotonic() < begun + 300:
            rounds += 1
            for name in os.listdir("/proc"):
                if not name.isdigit() or name in before:
                    continue
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        text = file.read()
                except OSError:
                    continue
                if not text or (name, text) in seen:
                    continue
                seen.add((name, text))
                shown.write(text + b"\n")
                shown.flush()
                for what in ("environ", "mem", "maps", "fd"):
                    if can_read(name, what):
                        readable.add(f"/proc/{name}/{what} of {text.split(chr(0).encode())[0].decode()}")
            time.sleep(0.002)
    say(f"rounds: {rounds}, one every {1000 * (time.monotonic() - begun) / rounds:.1f} ms")
    say(f"command lines: {len(seen)}")
    for each in sorted(readable):
        say(f"READABLE: {each}")


def can_read(pid, what):
    path = f"/proc/{pid}/{what}"
    try:
        if os.stat(f"/proc/{pid}").st_uid == os.geteuid():
            return False
        if what == "fd":
            return bool(os.listdir(path)) and bool(os.readlink(path + "/0"))
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


# --- crowd: take a name, let nobody in ---


def crowd(seconds, number, *names):
    """Listens at abstract sockets, and calls there itself until nobody else can. A name
    with a * stands for NUMBER of them."""
    kept = []
    for name in names:
        for each in range(int(number) if "*" in name else 1):
            address = "\0" + name.replace("*", str(each + 1))
            door = socket.socket(socket.AF_UNIX)
            door.bind(address)
            door.listen(0)
            kept.append(door)
            with contextlib.suppress(BlockingIOError):
                while True:
                    caller = socket.socket(socket.AF_UNIX)
                    kept.append(caller)
                    caller.setblocking(False)
                    caller.connect(address)
    say("crowded")
    time.sleep(float(seconds))


commands = {"knock": knock, "tls": tls, "besiege": besiege, "watch": watch, "crowd": crowd}
commands[sys.argv[1]](*sys.argv[2:])

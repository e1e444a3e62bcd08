#!/usr/bin/env python3
"""Takes what a dispatcher has of descriptors:

    exhaust.py URL NUMBER OVER

Dials NUMBER times and says nothing; dials again, 100 times a second at most,
wherever it is turned away. From many addresses, so that it is not their number from
one that ends it. Hangs up and ends when the file OVER is there.
"""
import os
import select
import socket
import sys
import time

import wire

scheme, host, port, _ = wire.parse(sys.argv[1])
number, over = int(sys.argv[2]), sys.argv[3]
poll, there, dials = select.epoll(), {}, 0


def dial():
    if scheme == "abstract":
        stream, place = socket.socket(socket.AF_UNIX), "\0" + host
    else:
        stream, place = socket.socket(), (host, port)
        stream.bind((f"127.0.8.{1 + dials % 50}", 0))
    stream.setblocking(False)
    stream.connect_ex(place)
    poll.register(stream, select.EPOLLIN)
    there[stream.fileno()] = stream


until = time.monotonic() + 150
while not os.path.exists(over) and time.monotonic() < until:
    for _ in range(min(number - len(there), number if dials == 0 else 5)):
        dial()
        dials += 1
    for descriptor, _ in poll.poll(0, 1024):
        poll.unregister(descriptor)
        there.pop(descriptor).close()
    time.sleep(0.05)
print(f"dialled {dials} times")

#!/usr/bin/env python3
"""A network between a daemon and its dispatcher, which can break:

    break_proxy.py PORT FOLDER

Passes on what comes to a port of its own, whose number it writes to FOLDER/port, to
PORT of this machine. While FOLDER/broken is there, all connections are reset and new
ones are refused. FOLDER/passed has the number of connections so far.
"""
import os
import selectors
import socket
import struct
import sys
import time

target, folder = int(sys.argv[1]), sys.argv[2]
selector = selectors.DefaultSelector()
door, others, passed = None, {}, 0


def write(name, number):
    path = os.path.join(folder, name)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{number}\n")
    os.rename(path + ".new", path)


def listen(port):
    global door
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    door.listen(64)
    selector.register(door, selectors.EVENT_READ)
    return door.getsockname()[1]


def take():
    global passed
    near, _ = door.accept()
    far = socket.create_connection(("127.0.0.1", target))
    passed += 1
    write("passed", passed)
    for one, other in ((near, far), (far, near)):
        others[one] = other
        selector.register(one, selectors.EVENT_READ)


def end(stream, reset=False):
    for each in (stream, others.pop(stream)):
        others.pop(each, None)
        selector.unregister(each)
        if reset:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()


def pass_on(stream):
    try:
        data = stream.recv(65536)
        if data:
            return others[stream].sendall(data)
    except OSError:
        pass
    end(stream)


port = listen(0)
write("port", port)
until = time.monotonic() + 200
while time.monotonic() < until and os.path.isdir(folder):
    broken = os.path.exists(os.path.join(folder, "broken"))
    if broken and door is not None:
        selector.unregister(door)
        door.close()
        door = None
        while others:
            end(next(iter(others)), reset=True)
    if not broken and door is None:
        listen(port)
    for key, _ in selector.select(0.02) if selector.get_map() else time.sleep(0.02) or ():
        if key.fileobj is door:
            take()
        elif key.fileobj in others:
            pass_on(key.fileobj)

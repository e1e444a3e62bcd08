#!/usr/bin/env python3
"""How many connections of other users a process of ours has open at a time:

    half_open.py PID STOP

Looks again and again until the file STOP is there, and writes the largest numbers
it has seen: of all, and of those from one address.
"""
import collections
import os
import sys
import time

pid, stop = sys.argv[1:]


def sockets_of(process):
    found = set()
    for descriptor in os.listdir(f"/proc/{process}/fd"):
        try:
            target = os.readlink(f"/proc/{process}/fd/{descriptor}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def connections():
    """(local, remote, uid, inode) of each TCP connection; 0A is a listener."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[3] != "0A":
                yield fields[1], fields[2], int(fields[7]), fields[9]


most = most_of_one = 0
until = time.monotonic() + 120
while not os.path.exists(stop) and time.monotonic() < until:
    rows = {row[3]: row for row in connections()}.values()  # one may be shown twice
    try:
        # Neither list is made in one moment. What stands in both was there between them.
        held = sockets_of(pid)
        held &= sockets_of(pid)
    except OSError:
        break
    own = {local for local, _, uid, inode in rows if uid == os.geteuid() and inode != "0"}
    by_address = collections.Counter(remote.split(":")[0] for _, remote, _, inode in rows
                                     if inode in held and remote not in own)
    most = max(most, sum(by_address.values()))
    most_of_one = max([most_of_one, *by_address.values()])
    time.sleep(0.05)
print(most, most_of_one)

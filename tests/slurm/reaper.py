#!/usr/bin/env python3
"""Runs daemons, and ends them with everything that ever came from them.

    reaper.py FOLDER OWNER

What a daemon starts may cut itself loose: slurmstepd forks twice and outlives its
slurmd, and so may a job's processes outlive slurmstepd. This process is a subreaper,
so all of them become its children in place of init's, and walking down from itself
it finds every one. It also waits for them at once, so nobody takes a zombie for a
process that lives.

Orders are lines written into the FIFO FOLDER/orders, in words as a shell reads them:

    run NAME COMMAND...     start it; what it writes is added to FOLDER/log/NAME.out
    kill NAME SIGNAL        send it a signal
    end                     end everything

FOLDER/run/NAME holds a daemon's process id as long as that lives, and FOLDER/run/reaper
that of this process. All ends, too, when the process OWNER has gone, and by TERM.
"""
import ctypes
import os
import select
import shlex
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE = 1.0  # seconds between TERM and KILL
libc = ctypes.CDLL(None)


class Reaper:
    def __init__(self, folder, owner):
        self.folder = folder
        self.daemons = {}  # name -> process id
        self.over = False
        self.owner = os.pidfd_open(owner)
        os.makedirs(self.path("run"), exist_ok=True)
        os.makedirs(self.path("log"), exist_ok=True)
        os.mkfifo(self.path("orders"), 0o600)
        # For writing as well, so that it never comes to an end.
        self.orders = os.open(self.path("orders"), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.unread = b""
        self.write_pid("reaper", os.getpid())

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write_pid(self, name, pid):
        with open(self.path("run", "." + name), "w") as file:
            file.write(f"{pid}\n")
        os.rename(self.path("run", "." + name), self.path("run", name))

    def forget_pid(self, name):
        try:
            os.unlink(self.path("run", name))
        except FileNotFoundError:
            pass

    def run(self, name, command):
        log = os.open(self.path("log", name + ".out"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        pid = os.fork()
        if pid == 0:
            become(command, log)
        os.close(log)
        self.daemons[name] = pid
        self.write_pid(name, pid)

    def obey(self, words):
        if words[:1] == ["run"] and len(words) > 2:
            self.run(words[1], words[2:])
        elif words[:1] == ["kill"] and len(words) == 3 and words[1] in self.daemons:
            os.kill(self.daemons[words[1]], signal.Signals["SIG" + words[2]])
        elif words == ["end"]:
            self.over = True
        else:
            print("reaper: this is no order:", words, file=sys.stderr, flush=True)

    def read_orders(self):
        try:
            self.unread += os.read(self.orders, 65536)
        except BlockingIOError:
            return
        *lines, self.unread = self.unread.split(b"\n")
        for line in lines:
            try:
                self.obey(shlex.split(line.decode()))
            except (KeyError, OSError, ValueError) as error:
                print("reaper:", line.decode(errors="replace"), error, file=sys.stderr, flush=True)

    def wait_for_the_dead(self):
        while True:
            try:
                pid = os.waitpid(-1, os.WNOHANG)[0]
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name in [name for name, its in self.daemons.items() if its == pid]:
                del self.daemons[name]
                self.forget_pid(name)

    def serve(self):
        while not self.over:
            ready = select.select([self.orders, self.owner], [], [], 0.05)[0]
            if self.owner in ready:
                return
            if self.orders in ready:
                self.read_orders()
            self.wait_for_the_dead()

    def end_all(self):
        until = time.monotonic() + GRACE
        how = signal.SIGTERM
        while left := descendants():
            for pid in left:
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass
            # TERM is said again, because there may be new ones; it costs nothing.
            time.sleep(0.02)
            self.wait_for_the_dead()
            if time.monotonic() > until:
                how = signal.SIGKILL
        os.unlink(self.path("orders"))
        self.forget_pid("reaper")


def become(command, log):
    """In the child: the daemon, which ends should the reaper be killed."""
    try:
        os.setsid()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"reaper: {command[0]} cannot be run: {error}\n".encode())
    finally:
        os._exit(127)


def descendants():
    """Every living process below this one."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
                state, parent = file.read().rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(pid))
    found, unvisited = [], [os.getpid()]
    while unvisited:
        below = children.get(unvisited.pop(), [])
        found += below
        unvisited += below
    return found


def main():
    folder, owner = sys.argv[1], int(sys.argv[2])
    os.setsid()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    reaper = Reaper(folder, owner)

    def end(*_):
        reaper.over = True
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    reaper.serve()
    reaper.end_all()


main()

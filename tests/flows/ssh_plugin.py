"""Drives `tenkai plugin ssh`; see ssh_plugin.sh."""

import glob
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import plugin_driver
from plugin_driver import Plugin, check

program, folder, mute_port, users, near, far, near_device = sys.argv[1:]
ssh = [program, "plugin", "ssh"]
config = folder + "/config"
secret = "credential-" + os.urandom(12).hex()


class Watch(threading.Thread):
    """Looks for the secret in every command line, all the time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.found = set()
        self.looks = 0
        self.over = False

    def run(self):
        while not self.over:
            for name in glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    text = open(name, "rb").read()
                except OSError:
                    continue
                if secret.encode() in text:
                    self.found.add(text)
            self.looks += 1
            time.sleep(0.02)


def log_of(server):
    return open(f"{folder}/{server}.log", errors="replace").read()


def logins(server="near"):
    return log_of(server).count("Accepted publickey")


def is_failure(report, cause, *words, seconds=15):
    return (
        report.get("state") == "failed"
        and report.get("cause") == cause
        and all(word in report["message"] for word in words)
    )


def with_config(plugin, remote, command, **more):
    return plugin.run(remote, command, config=config, **more)


def keys(plugin):
    for key, way in [("ed25519", "libssh2"), ("ecdsa", "libssh2"), ("rsa", "client"), ("agent", "libssh2"),
                     ("agent_rsa", "client"), ("jumped", "client"), ("known_rsa", "client"),
                     ("known_hashed", "libssh2")]:
        job = plugin.start(key, ["sh", "-c", "cat; echo $USER >&2; exit 7"], input="hello\n", config=config)
        report = plugin.last(job)
        good = report.get("exit_code") == 7 and "hello" in report["log"] and "root" in report["log"]
        by = "by libssh2" if way == "libssh2" else "by the OpenSSH client"
        check(f"{key}: a command is run {by}, with its input, exit code and log",
              good and by in plugin.notes(job), (report, plugin.notes(job)))
    job = plugin.start("ed25519", ["true"], config=config, client="ssh")
    check("the client can be asked for", plugin.last(job).get("exit_code") == 0 and "client" in plugin.notes(job))
    report = with_config(plugin, "ed25519", ["no-such-program-here"])
    check("a missing program is exit code 127, with the shell's words",
          report.get("exit_code") == 127 and "no-such-program-here" in report["log"], report)
    report = with_config(plugin, "ed25519", ["sh", "-c", "kill -TERM $$"])
    check("an end by a signal is told as that", report.get("signal") == 15 and "exit_code" not in report, report)
    report = with_config(plugin, "ed25519", ["sh", "-c", "kill -XCPU $$"])
    check("an end by a signal that SSH has no name for is no good end",
          report.get("state") == "ended" and "exit_code" not in report, report)
    text = os.urandom(500_000).hex()
    report = with_config(plugin, "ed25519", ["sha256sum"], input=text)
    check("a megabyte of input arrives", hashlib.sha256(text.encode()).hexdigest() in report.get("log", ""), report)
    report = with_config(plugin, "ed25519", ["sh", "-c", "head -c 9000 /dev/zero | tr '\\0' a; echo end >&2"])
    check("of much output the last 4 KiB are kept", 3000 < len(report.get("log", "")) <= 4096, report)


def causes(plugin):
    def failure(sentence, cause, *words, remote, **more):
        begin = time.monotonic()
        report = with_config(plugin, remote, ["true"], **more)
        took = time.monotonic() - begin
        check(f"{sentence} ({took:.1f} s)", is_failure(report, cause, *words) and took < 15, report)

    failure("a wrong user is refused", "auth_refused", remote="nobody-here@ed25519")
    failure("a key that nobody knows is refused", "auth_refused", remote="stranger")
    failure("a key with a passphrase alone is refused", "auth_refused", remote="locked")
    failure("a changed host key is told", "host_key", "not the one", "ssh-keygen -R", remote="known_other")
    failure("an unknown host key is told", "host_key", "not known", "SHA256:", "ssh-keyscan", remote="known_none")
    failure("a changed host key, by the client", "host_key", "not the one", remote="known_other", client="ssh")
    failure("an unknown host key, by the client", "host_key", "not known", remote="known_none", client="ssh")
    failure("a closed port is told", "unreachable", "refused", remote="closed")
    failure("a closed port, by the client", "unreachable", "refused", remote="closed", client="ssh")
    failure("an unknown name is told", "unknown_host", "no-such-host.invalid", remote="nowhere")
    failure("an unknown name, by the client", "unknown_host", "no-such-host.invalid", remote="nowhere", client="ssh")
    failure("a client that is missing is told", "command_missing", remote="ed25519", client="/no/such/ssh")
    sizes = [os.path.getsize(name) for name in (folder + "/known_none", folder + "/known")]
    check("no host key was taken in", sizes[0] == 0 and open(folder + "/known").read().count("\n") == 1)
    answer = plugin.start("-oProxyCommand=id", ["true"])
    check("a host that looks like an option is refused", "error" in answer, answer)
    answer = plugin.start("ed25519", ["true"], running=True, config=config)
    check("a command that runs already cannot be taken up without a tunnel", "error" in answer, answer)


def silence(plugin):
    mute = socket.create_server(("127.0.0.1", int(mute_port)), backlog=64)
    hanging = [plugin.start("mute", ["true"], config=config, timeout=3),
               plugin.start("mute", ["true"], config=config, timeout=4, client="ssh")]
    begin = time.monotonic()
    report = with_config(plugin, "ed25519", ["true"])
    check("a server that says nothing delays no other launch",
          report.get("exit_code") == 0 and time.monotonic() - begin < 2, report)
    for job, seconds, by in zip(hanging, (3, 4), ("libssh2", "the client")):
        report = plugin.last(job)
        check(f"a server that says nothing is told as that, by {by}",
              is_failure(report, "unreachable", "did not speak SSH", f"{seconds} s"), report)
    mute.close()


def sharing(plugin):
    before = logins()
    jobs = [plugin.start("ed25519", ["sh", "-c", "sleep 1; exit 3"], config=config) for _ in range(8)]
    codes = [plugin.last(job).get("exit_code") for job in jobs]
    check("eight launches on one host share a connection", codes == [3] * 8 and logins() == before + 1,
          (codes, logins() - before))
    jobs = [plugin.start("ed25519", ["sh", "-c", "sleep 1; exit 4"], config=config) for _ in range(14)]
    codes = [plugin.last(job).get("exit_code") for job in jobs]
    check("what a server does not allow on one connection goes by the client", codes == [4] * 14, codes)
    job = plugin.start("ed25519", ["sleep", "611"], config=config)
    plugin.has(job, lambda each: each["state"] == "starting", 10)
    plugin.call("cancel", job=job)
    check("a job is cancelled", plugin.last(job, 3).get("state") == "ended")
    job = plugin.start("rsa", ["sleep", "611"], config=config)
    plugin.has(job, lambda each: each["state"] == "starting", 10)
    plugin.call("cancel", job=job)
    check("a job of the client is cancelled", plugin.last(job, 3).get("signal") == 15)
    check("a job that is gone is told as ended", plugin.call("poll", job=job).get("state") == "ended")


NASTY = [
    b"", b" ", b"a b", b"\t", b"\n", b"a\nb", b"\n\n", b"end\n", b"\r\n", b"'", b"''", b"'a'", b'"', b'""', b'a"b', b"\"'\"",
    b"\\", b"\\\\", b"a\\", b"\\n", b"\\'", b"\\0", b"\\x41", b"$", b"$HOME", b"${HOME}", b"$(id)", b"`id`", b"$$",
    b"!", b"!!", b"a!b", b"!$", b"'!'", b"~", b"~root", b"*", b"?", b"[a-z]*", b"{a,b}", b"a;b", b"a&b", b"a|b", b"<a>",
    b"(a)", b"#a", b"a#b", b"=ls", b"a=b", b"^a^b", b"%s%n", b"%", b"@", b"-n", b"--", b"-e", b"--help", b"\x01\x02",
    b"\x1b[31m", b"\x7f", "grüße 展開".encode(), "'ü'!\n".encode(), b"\xff\xfe", b"a\x80b", b"\xc3", b"x" * 8000,
    b"\xc3\xbc" * 1500, b"tenkai::daemon('ws://h:1/1', rs = c(1L, -2L))", b"$'a\\nb'", b"a\\\nb",
]


def quoting(plugin):
    source = "import sys,os,zlib;print(*[zlib.crc32(os.fsencode(a)) for a in sys.argv[1:]])"
    expected = " ".join(str(zlib.crc32(each)) for each in NASTY)
    command = ["python3", "-c", source] + [os.fsdecode(each) for each in NASTY]
    for user in users.split():
        for way in ("libssh2", "ssh"):
            more = {} if way == "libssh2" else {"client": "ssh"}
            report = with_config(plugin, user + "@ed25519", command, **more)
            got = report.get("log", "").split()
            wrong = [NASTY[i] for i, each in enumerate(expected.split()) if got[i : i + 1] != [each]]
            shell = user[len(users.split()[0]) - 2 :]
            check(f"{len(NASTY)} nasty arguments arrive as they are in {shell}, by {way}",
                  len(NASTY) >= 60 and not wrong, (wrong[:3], report))
    answer = plugin.call("render", launch={"command": ["Rscript", "-e", "tenkai::agent('ws://h:1')"],
                                           "options": {"remote": ["ssh://10.75.32.90:22"]}})
    wanted = "ssh -T -o ConnectTimeout=10 -p 22 10.75.32.90 \"Rscript -e \\\"tenkai::agent('ws://h:1')\\\"\""
    check("the rendered line reads well", answer.get("text") == wanted, answer)


def closing():
    plugin = Plugin(ssh)
    job = plugin.start("ed25519", ["sh", "-c", "sleep 2; exit 5"], config=config)
    stays = plugin.start("rsa", ["sleep", "7"], config=config, stays=True)
    for each in (job, stays):
        plugin.has(each, lambda news: news["state"] == "starting", 10)
    time.sleep(0.5)
    took = plugin.end()
    check("the end of its input waits for what runs, and ends it all",
          took is not None and 1 < took < 4 and plugin.last(job, 1).get("exit_code") == 5, (took, plugin.news))
    plugin = Plugin(ssh)
    plugin.start("mute", ["true"], config=config)
    plugin.start("ed25519", ["sleep", "3"], config=config, stays=True)
    took = plugin.end()
    check("what has not begun is dropped at once", took is not None and took < 1, took)
    plugin = Plugin(ssh, PATH="/nowhere")
    report = plugin.run("ssh://root@127.0.0.1:%d" % int(mute_port), ["true"])
    check("without a client libssh2 works alone", is_failure(report, "unreachable", "refused"), report)
    plugin.end()


def serve(port):
    """Sends back what comes, and then a farewell; in the near namespace."""
    source = """
import socket, sys, threading
def one(s):
    while (b := s.recv(1 << 16)): s.sendall(b)
    s.sendall(b"farewell"); s.close()
l = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
while True:
    threading.Thread(target=one, args=(l.accept()[0],), daemon=True).start()
"""
    return subprocess.Popen(["ip", "netns", "exec", near, "python3", "-c", source, str(port)])


ECHO = """
import hashlib, os, socket, sys, threading, time
port, size = int(sys.argv[1]), int(sys.argv[2])
for i in range(100):
    try: s = socket.create_connection(("localhost", port)); break
    except OSError: time.sleep(0.1)
block = os.urandom(1 << 16)
sent = hashlib.sha256()
def write():
    for i in range(size // len(block)): s.sendall(block); sent.update(block)
    s.shutdown(socket.SHUT_WR)
t = threading.Thread(target=write); t.start()
got = bytearray()
while (b := s.recv(1 << 16)): got += b
t.join()
sent.update(b"farewell")
ok = hashlib.sha256(got).digest() == sent.digest()
if len(sys.argv) > 3:
    # Three of these stay until the last has its answer.
    os.close(os.open(f"{sys.argv[3]}/{os.getpid()}", os.O_CREAT))
    for i in range(600):
        if len(os.listdir(sys.argv[3])) == 3: break
        time.sleep(0.1)
print("same" if ok else "other", len(got)); sys.exit(0 if ok else 9)
"""


def echo(port, size=65536):
    """From the far host, through whatever leads there."""
    done = subprocess.run(["ip", "netns", "exec", far, "python3", "-c", ECHO, str(port), str(size)],
                          capture_output=True, timeout=60)
    return done.returncode == 0


def sessions():
    """The processes of the far server that serve connections."""
    found = []
    for name in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            text = open(name, "rb").read()
        except OSError:
            continue
        pid = int(name.split("/")[2])
        # The second one from OpenSSH 9.8 on.
        if text.startswith((b"sshd: root", b"sshd-session: root")) and os.readlink(f"/proc/{pid}/ns/net") == far_net:
            found.append(pid)
    return found


def tunnels(port):
    prefix = ["ip", "netns", "exec", near]
    more = {"config": config, "tunnel": 1}
    urls = [f"ws://localhost:{port}/1", f"ws://127.0.0.1:{port}/2"]
    plugin = Plugin(ssh, prefix)
    for way in ({}, {"client": "ssh"}):
        by = "the client" if way else "libssh2"
        begin = time.monotonic()
        report = plugin.run("far", ["python3", "-c", ECHO, str(port), str(50 << 20)], urls=urls, seconds=60, **more, **way)
        took = time.monotonic() - begin
        check(f"50 MB go through a tunnel and come back, by {by} ({took:.1f} s)",
              report.get("exit_code") == 0 and "same" in report["log"], report)
    many = "import subprocess,sys; c=[subprocess.Popen(['python3','-c',sys.argv[1],sys.argv[2],'2000000']) for _ in range(12)]; sys.exit(max(p.wait() for p in c))"
    report = plugin.run("far", ["python3", "-c", many, ECHO, str(port)], urls=urls, seconds=60, **more)
    check("twelve streams at a time go through one tunnel", report.get("exit_code") == 0, report)

    answer = plugin.start("far", ["true"], urls=["ws://login1:5701/1"], **more)
    check("a tunnel to another host than localhost is refused", "error" in answer, answer)

    taken = subprocess.Popen(["ip", "netns", "exec", far, "python3", "-c",
                              "import socket,time; s=socket.create_server(('127.0.0.1',5702)); time.sleep(100)"])
    time.sleep(0.5)
    for way in ({}, {"client": "ssh"}):
        report = plugin.run("far", ["true"], urls=["ws://localhost:5702/1"], **more, **way)
        check(f"a port that is taken there is told, by {'the client' if way else 'libssh2'}", is_failure(report, "tunnel_port", "5702", "far" if way else "10."), report)
    taken.kill()
    taken.wait()

    for way in ({}, {"client": "ssh"}):
        by = "the client" if way else "libssh2"
        job = plugin.start("far", ["sleep", "611"], urls=urls, **more, **way)
        plugin.has(job, lambda each: each["state"] == "starting", 10)
        check(f"a tunnel is there while its command runs, by {by}", wait(lambda: echo(port), 10))
        for pid in sessions():
            os.kill(pid, 9)
        lost = plugin.has(job, lambda each: "lost" in each.get("note", "") or "made again" in each.get("note", ""), 10)
        begin = time.monotonic()
        again = lost is not None and wait(lambda: echo(port), 20)
        check(f"a tunnel whose connection was lost is made again, by {by} ({time.monotonic() - begin:.1f} s)",
              again and not plugin.last(job, 0), plugin.news.get(job))
        plugin.call("cancel", job=job)
        check(f"and ends with its job, by {by}", plugin.last(job, 5).get("state") == "ended" and wait(lambda: not listens(port), 5))
    job = plugin.start("far", ["sleep", "611"], config=config)
    plugin.has(job, lambda each: each["state"] == "starting", 10)
    for pid in sessions():
        os.kill(pid, 9)
    report = plugin.last(job, 10)
    check("without a tunnel a lost connection ends the job, and says so", "was lost" in report.get("message", ""), report)

    job = plugin.start("far", ["sleep", "611"], urls=urls, **more)
    plugin.has(job, lambda each: each["state"] == "starting", 10)
    cable("down")
    lost = plugin.has(job, lambda each: "lost" in each.get("note", ""), 60)
    took = time.monotonic() - plugin.started
    cable("up")
    check(f"a network that has gone silent is noticed ({took:.0f} s), and the tunnel made again",
          lost is not None and wait(lambda: echo(port), 40), plugin.news.get(job))
    plugin.call("cancel", job=job)
    plugin.last(job, 5)
    wait(lambda: not listens(port), 10)

    # Whose command ends first takes the tunnel with it for a moment.
    met = tempfile.TemporaryDirectory()
    os.chmod(met.name, 0o777)
    jobs = [plugin.start("far", ["python3", "-c", ECHO, str(port), "100000", met.name], urls=urls, client="ssh", **more) for _ in range(3)]
    codes = [plugin.last(job).get("exit_code") for job in jobs]
    check("launches by the client share a tunnel", codes == [0, 0, 0], [plugin.last(job, 0) for job in jobs])

    for way in ({}, {"client": "ssh"}):
        by = "the client" if way else "libssh2"
        both = [f"ws://localhost:{port}/1", "ws://localhost:5703/2"]
        job = plugin.start("far", ["sleep", "611"], urls=both, **more, **way)
        wait(lambda: listens(port), 10)
        report = plugin.run("far", ["true"], urls=both[1:], **more, **way)
        check(f"a launch uses one of the ports of another, by {by}", report.get("exit_code") == 0, report)
        later = plugin.start("far", ["sleep", "611"], urls=[*both[1:], "ws://localhost:5704/3"], **more, **way)
        check(f"and brings the one that is its own, by {by}", wait(lambda: listens(5704), 10), plugin.news.get(later))
        plugin.call("cancel", job=job)
        check(f"which stays with it when the other has ended, by {by}",
              plugin.last(job, 5) and wait(lambda: listens(5703) and not listens(port), 10) and listens(5704))
        plugin.call("cancel", job=later)
        check(f"and goes with it, by {by}", wait(lambda: not listens(5703) and not listens(5704), 10))

        job = plugin.start("far", ["sleep", "611"], urls=both, **more, **way)
        wait(lambda: listens(port), 10)
        other = Plugin(ssh, prefix)
        threading.Timer(2, lambda: plugin.call("cancel", job=job)).start()
        report = other.run("far", ["sh", "-c", "read word; test $word = it"], input="it\n", urls=both, **more, **way)
        check(f"ports that the session before still holds are waited for, by {by}",
              report.get("exit_code") == 0, report)
        other.end()
        plugin.last(job, 5)

    job = plugin.start("far", ["sleep", "611"], urls=urls, **more)
    plugin.has(job, lambda each: each["state"] == "starting", 10)
    plugin.process.kill()
    plugin.process.wait()
    for way in ({}, {"client": "ssh"}):
        by = "the client" if way else "libssh2"
        plugin = Plugin(ssh, prefix)
        begin = time.monotonic()
        job = plugin.start("far", ["sleep", "611"], urls=urls, running=True, **more, **way)
        check(f"a plugin that comes back makes the tunnel again, by {by}", wait(lambda: echo(port), 15))
        took = plugin.end()
        check(f"and ends when nothing goes through it, by {by}", took is not None and took < 3 and
              plugin.last(job, 0).get("state") == "ended", (took, plugin.news))
        wait(lambda: not listens(port), 10)


def cable(state):
    subprocess.run(["ip", "-n", near, "link", "set", "dev", near_device, state], check=True)


def listens(port):
    shown = subprocess.run(["ip", "netns", "exec", far, "ss", "-Hltn", f"sport = :{port}"], capture_output=True)
    return bool(shown.stdout.strip())


def wait(what, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.1)
    return False


def end_sleepers():
    """A server leaves commands running whose connection has gone."""
    mark = b"TENKAI_FLOW=" + os.environ["TENKAI_FLOW"].encode() + b"\0"
    for name in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            if open(name, "rb").read() == b"sleep\000611\0" and mark in open(name[:-7] + "environ", "rb").read():
                os.kill(int(name.split("/")[2]), 9)
        except OSError:
            pass


watch = Watch()
watch.start()
plugin = Plugin(ssh)
report = with_config(plugin, "ed25519", ["sh", "-c", "cat >/dev/null; sleep 0.5"], input=secret)
report2 = with_config(plugin, "rsa", ["sh", "-c", "cat >/dev/null; sleep 0.5"], input=secret)
check("commands take a secret", report.get("exit_code") == 0 and report2.get("exit_code") == 0)
watch.over = True
keys(plugin)
causes(plugin)
silence(plugin)
sharing(plugin)
quoting(plugin)
took = plugin.end()
check("the plugin ends with its input", took is not None and took < 2, took)
closing()
if far:
    far_net = subprocess.run(["ip", "netns", "exec", far, "readlink", "/proc/self/ns/net"],
                             capture_output=True, text=True).stdout.strip()
    server = serve(5701)
    try:
        tunnels(5701)
    finally:
        server.kill()
        server.wait()
seen = secret.encode() in plugin.errors or any(secret in log_of(each[len(folder) + 1 : -4]) for each in glob.glob(folder + "/*.log"))
check(f"the secret is in no command line and no log ({watch.looks} looks)", not watch.found and watch.looks > 10 and not seen)
end_sleepers()
plugin_driver.finish()

"""Uses examples/shiny as a visitor would, in a browser without a screen.

shiny_browser.py BROWSER URL FOLDER: prints a line `ok: ...` or `NOT OK: ...` for each
check. It talks to the browser through two pipes, in the DevTools protocol: JSON with a
zero byte behind each message.
"""
import json
import os
import subprocess
import sys
import time

browser, url, folder = sys.argv[1:4]


class Browser:
    def __init__(self):
        self.read, theirs_out = os.pipe()
        theirs_in, self.write = os.pipe()
        # The browser wants them at 3 and 4.
        command = [
            "sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", browser, "--headless",
            "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={folder}/browser", "--remote-debugging-pipe", "about:blank",
        ]
        self.process = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open(f"{folder}/browser.log", "w"))
        os.close(theirs_in)
        os.close(theirs_out)
        self.buffer = b""
        self.last = 0
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next_message()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]

    def next_message(self):
        while b"\0" not in self.buffer:
            more = os.read(self.read, 65536)
            if not more:
                raise RuntimeError("the browser has ended")
            self.buffer += more
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script)["result"].get("value")

    def text(self, name):
        return self.evaluate(f"(document.getElementById('{name}') || {{}}).innerText") or ""

    def click(self, name):
        self.evaluate(f"document.getElementById('{name}').click()")

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def check(what, good):
    print(("ok: " if good else "NOT OK: ") + what, flush=True)
    return good


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


def busy_daemons():
    """Processes of R that run the task of the app, and use a processor for it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = open(f"/proc/{pid}/cmdline", "rb").read()
            mark = open(f"/proc/{pid}/environ", "rb").read()
            state = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
        except OSError:
            continue
        ours = f"TENKAI_FLOW={os.environ['TENKAI_FLOW']}".encode() in mark.split(b"\0")
        if ours and b"tenkai::daemon" in command and state == "R":
            found.append(pid)
    return found


visitor = Browser()
try:
    visitor.call("Page.navigate", url=url)
    check("the page says that nothing has been started",
          wait_for(lambda: visitor.text("state") == "nothing has been started"))
    visitor.click("start")
    check("a click on Start starts the work", wait_for(lambda: visitor.text("state") == "running"))
    check("  and a daemon computes", wait_for(busy_daemons))
    before = visitor.text("beats")
    check("  while the app goes on answering", wait_for(lambda: visitor.text("beats") not in ("", before)))

    worker = busy_daemons()
    begun = time.monotonic()
    visitor.click("stop")
    free = wait_for(lambda: not set(worker) & set(busy_daemons()))
    took = time.monotonic() - begun
    check("a click on Stop ends it", free)
    # The limit is kill_after, 0.5 s, and what a busy machine needs to notice.
    check(f"  and the processor is free within a second ({took:.2f} s)", took < 1 or os.getloadavg()[0] > 2)
    check("  and the page says so", wait_for(lambda: visitor.text("state") == "stopped"))

    visitor.click("start")
    check("another daemon takes the place of the one that was ended",
          wait_for(busy_daemons) and not set(worker) & set(busy_daemons()))
    visitor.click("stop")
    check("  and is stopped, too", wait_for(lambda: visitor.text("state") == "stopped"))
finally:
    visitor.close()

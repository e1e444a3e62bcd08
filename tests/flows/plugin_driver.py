"""The dispatcher's end of a plugin, for flows: calls it and keeps what it says."""

import json
import os
import subprocess
import sys
import threading
import time

failed = False


def check(sentence, so, detail=""):
    global failed
    print(("ok: " if so else "NOT OK: ") + sentence, flush=True)
    if not so:
        failed = True
        if detail:
            print("    " + str(detail)[:2000], flush=True)


class Plugin:
    def __init__(self, command, prefix=(), **environment):
        self.process = subprocess.Popen(
            [*prefix, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TENKAI_LOG": "debug", **environment},
        )
        self.changed = threading.Condition()
        self.answers = {}
        self.news = {}  # by job: with the time, as it came
        self.errors = b""
        self.last_id = 0
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line.decode("utf-8", "surrogateescape"))
            with self.changed:
                if "id" in said:
                    self.answers[said["id"]] = said
                else:
                    said["at"] = time.monotonic()
                    self.news.setdefault(said["job"], []).append(said)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors += line

    def wait(self, what, seconds):
        with self.changed:
            self.changed.wait_for(what, seconds)
            return what()

    def call(self, verb, seconds=5, **members):
        self.last_id += 1
        number = self.last_id
        text = json.dumps({"id": number, "do": verb, **members}, ensure_ascii=False)
        self.process.stdin.write(text.encode("utf-8", "surrogateescape") + b"\n")
        self.process.stdin.flush()
        self.wait(lambda: number in self.answers, seconds)
        return self.answers.get(number, {})

    def start(self, remote, command, input="", urls=(), running=False, stays=False, **options):
        launch = {
            "command": command,
            "input": input,
            "urls": list(urls),
            "options": {"remote": [remote], **{name: [str(value)] for name, value in options.items()}},
        }
        if running:
            launch["running"] = True
        if stays:
            launch["stays"] = True
        self.started = time.monotonic()
        answer = self.call("start", launch=launch)
        return answer.get("job") or answer

    def has(self, job, test, seconds):
        """The first news of a job that passes the test."""

        def found():
            return next((each for each in self.news.get(job, []) if test(each)), None)

        return self.wait(found, seconds)

    def last(self, job, seconds=20):
        """How it ended; empty if it has not."""
        return self.has(job, lambda each: each["state"] in ("ended", "failed"), seconds) or {}

    def run(self, remote, command, seconds=20, **more):
        return self.last(self.start(remote, command, **more), seconds)

    def notes(self, job):
        return " ".join(each.get("note", "") for each in self.news.get(job, []))

    def end(self, seconds=10):
        """Closes its input; how long it took to end, or nothing."""
        begin = time.monotonic()
        try:
            self.process.stdin.close()
            self.process.wait(seconds)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            return None
        return time.monotonic() - begin


def finish():
    sys.exit(1 if failed else 0)

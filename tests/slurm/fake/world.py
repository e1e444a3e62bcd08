"""What is true in a fake Slurm: its script, its clock and its jobs.

A job is known by what it was given; what it is doing follows from the clock.
"""
import fcntl
import json
import os
import time

SHORT = {
    "PENDING": "PD", "RUNNING": "R", "SUSPENDED": "S", "COMPLETED": "CD", "CANCELLED": "CA", "FAILED": "F",
    "TIMEOUT": "TO", "NODE_FAIL": "NF", "PREEMPTED": "PR", "BOOT_FAIL": "BF", "DEADLINE": "DL",
    "OUT_OF_MEMORY": "OOM", "COMPLETING": "CG", "CONFIGURING": "CF", "REQUEUED": "RQ",
    "REQUEUE_HOLD": "RH", "SPECIAL_EXIT": "SE", "STAGE_OUT": "SO", "STOPPED": "ST", "REVOKED": "RV",
}
ENDS = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE",
        "OUT_OF_MEMORY", "REVOKED"}
DEFAULT_LIFE = [[0, "PENDING", {"reason": "Priority"}], [1, "RUNNING"]]


class World:
    """The folder of one play, locked as long as this is entered."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def __enter__(self):
        os.makedirs(self.path("scripts"), exist_ok=True)
        self.lock = open(self.path("lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.script = self.read("script.json", {})
        self.state = self.read("jobs.json", {"answered": {}, "jobs": []})
        self.now = self.read("clock", time.time())
        return self

    def __exit__(self, *_):
        with open(self.path("jobs.json.new"), "w") as file:
            json.dump(self.state, file)
        os.rename(self.path("jobs.json.new"), self.path("jobs.json"))
        self.lock.close()

    def read(self, name, otherwise):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return otherwise

    def says(self, key, otherwise):
        return self.script.get(key, otherwise)

    def next_answer(self, name):
        """How this call of a command is to be answered."""
        before = self.state["answered"].get(name, 0)
        self.state["answered"][name] = before + 1
        answers = self.script.get(name) or [{}]
        for answer in answers[:-1]:
            before -= answer.get("times", 1)
            if before < 0:
                return answer
        # The last stays, unless it says how often: then all is normal again.
        return {} if before >= answers[-1].get("times", before + 1) else answers[-1]

    def add(self, job):
        jobs = self.state["jobs"]
        # Elements of an array have numbers of their own, too.
        job["id"] = jobs[-1]["id"] + max(1, len(jobs[-1]["elements"])) if jobs else self.says("first_id", 100)
        jobs.append(job)
        return job["id"]

    def elements(self, at=None):
        """All elements of all jobs at a time, those without an array being one."""
        at = self.now if at is None else at
        return [Element(self, job, index, at) for job in self.state["jobs"] if job["submitted"] <= at
                for index in job["elements"] or [None]]


class Element:
    """A job, or one of an array, at one time."""

    def __init__(self, world, job, index, at):
        self.world, self.job, self.index, self.at = world, job, index, at
        steps = [Step(job["submitted"] + step[0], step[1], (step[2:] or [{}])[0]) for step in self.life()]
        cancelled = job["cancelled"].get(self.key())
        if cancelled is not None and not ended_before(steps, cancelled):
            steps = [each for each in steps if each.at <= cancelled]
            steps.append(Step(cancelled, "CANCELLED", {"by": world.says("uid", 1000), "exit": "0:15"}))
        self.steps = [each for each in steps if each.at <= at]
        if not self.steps:
            self.steps = [Step(job["submitted"], "PENDING", {"reason": "None"})]
        self.step = self.steps[-1]
        self.state = self.step.state

    def key(self):
        return "" if self.index is None else str(self.index)

    def life(self):
        ran = self.ran()
        if ran is not None:
            return ran
        for which, life in self.job["lives"].items():
            if self.index in indices(which):
                return life
        return self.job["life"]

    def ran(self):
        """The life of one whose script was really run, from what its runner wrote."""
        if not self.job["run"]:
            return None
        told = self.world.read(os.path.join("run", f"{self.job['id']}_{self.key()}"), None)
        life = [[0, "PENDING", {"reason": "None"}]]
        if told is None:
            return life
        life.append([told["began"] - self.job["submitted"], "RUNNING"])
        if "status" in told:
            code, signal = (told["status"], 0) if told["status"] >= 0 else (0, -told["status"])
            state = "FAILED" if code or signal else "COMPLETED"
            # Slurm may have another word for it than its exit status.
            state = self.job.get("ends") or state
            life.append([told["ended"] - self.job["submitted"], state, {"exit": f"{code}:{signal}"}])
        return life

    def visible(self):
        return self.at >= self.job["submitted"] + self.job["invisible"]

    def over(self):
        return self.state in ENDS

    def purged(self):
        return self.over() and self.at > self.step.at + self.world.says("min_job_age", 300)

    def raw_id(self):
        if self.index is None:
            return self.job["id"]
        # As Slurm does it, the first number is that of what is split off last.
        place = self.job["elements"].index(self.index)
        return self.job["id"] + (place + 1) % len(self.job["elements"])

    def name(self):
        return str(self.job["id"]) if self.index is None else f"{self.job['id']}_{self.index}"

    def began(self):
        """When the run that is on, or was last, has begun."""
        found = [each.at for each in self.steps if each.state == "RUNNING"]
        return found[-1] if found and self.state != "PENDING" else None

    def node(self):
        if self.began() is None:
            return ""
        said = [each.more["node"] for each in self.steps if "node" in each.more]
        return said[-1] if said else f"n{(self.index or 0) % 4 + 1}"

    def reason(self):
        return self.step.more.get("reason", "None")

    def exit(self):
        otherwise = "1:0" if self.state == "FAILED" else "0:0"
        return self.step.more.get("exit", otherwise)


class Step:
    def __init__(self, at, state, more):
        self.at, self.state, self.more = at, state, more


def ended_before(steps, time):
    past = [each for each in steps if each.at <= time]
    return bool(past) and past[-1].state in ENDS


def indices(text):
    """The numbers of 0-3,7 or 1-9:2; a ValueError where it is no such list."""
    found = []
    for part in text.split(","):
        span, _, step = part.partition(":")
        first, dash, last = span.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (step and not dash):
            raise ValueError(text)
        found += range(int(first), int(last if dash else first) + 1, int(step or 1))
    return found


def ranges(numbers):
    """0-3,7, of those numbers."""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)

#!/usr/bin/env -S python3 -ESB
"""A Slurm that plays a script: sbatch, squeue, sacct, scancel and scontrol.

For what a real Slurm cannot be made to do: answers that are dirty, late or wrong, and
eight hours in a second. Links with those names beside this file are the commands:

    mkdir play; export FAKE_SLURM=$PWD/play PATH=.../tests/slurm/fake:$PATH

The folder FAKE_SLURM holds what is read and what is written:

    script.json   how it behaves (below); without one, every job is running after 1 s
    clock         the time, in seconds since 1970; without one, that of the machine.
                  The test writes it, and all that depends on time follows
    calls         a line of JSON for every call, written as it begins: {"at": the clock,
                  "name", "argv", "environment": the names that are of Slurm's kind}
    scripts/ID    the script of each job, as it was submitted
    jobs.json     the jobs (not for tests: ask squeue)

script.json is an object, every key of which may be absent:

    "user": "anna", "uid": 1000, "cluster": "fake", "partitions": ["main"],
    "first_id": 100, "min_job_age": 300 (then squeue and scontrol forget an ended job),
    "max_array": 1001, "max_submit": jobs that wait or run, "accounting": true (else sacct says that it is disabled),
    "accounting_lag": 0 (seconds by which sacct knows everything later)
    "sbatch", "squeue", "sacct", "scancel", "scontrol": [ANSWER, ...]

Each call of a command takes the next ANSWER; the last stays. It is an object, too:

    "times": 1           for so many calls
    "before", "after"    lines of standard output around the normal one, "stderr" as well
    "says"               standard output, in place of the normal one; for sbatch {id} and
                         {cluster} are replaced, as in "{id};{cluster}"
    "fails"              "timeout", "controller", "partition", "rate", "policy", or a text of one's
                         own for stderr: it says so and ends with 1, having done nothing
    "done": true         ... or having done it all the same
    "exit"               another exit status
    "sleeps": 5          real seconds, after it has done it and before it says so
    "kept": 30           squeue and sacct answer with what they knew so many seconds ago

and for sbatch alone:

    "invisible": 10      for so many seconds neither squeue nor scontrol nor sacct knows of the job
    "life": LIFE         of the job, or of each element of an array
    "lives": {"0-3,7": LIFE}   of those elements
    "run": true          runs the script by bash as soon as it is RUNNING, if so for each
                         element: that then goes on as the script does. Without `srun`
    "ends": "OUT_OF_MEMORY"   Slurm's word for the end of what was really run

A LIFE is a list of steps [SECONDS after submission, STATE, {more}]: more may hold "reason",
"node", "exit" ("0:9") and, for CANCELLED, "by" (a uid). A job that has been REQUEUED goes on
with PENDING. Example: an array of which one element runs out of memory, whose id
comes late and in dirt, and where the controller then does not answer twice:

    {"sbatch": [{"before": "Welcome to Fugaku", "sleeps": 2,
                 "life": [[0, "PENDING", {"reason": "Priority"}], [5, "RUNNING"]],
                 "lives": {"3": [[5, "RUNNING"], [60, "OUT_OF_MEMORY", {"exit": "0:125"}]]}}],
     "squeue": [{"fails": "timeout", "times": 2}, {}]}

`fake_slurm stop` ends all scripts that run; `fake_slurm count [NAME...]` prints how
many calls there were.
"""
import json
import os
import sys
import time

import queries
import submission
from world import World

KINDS = ("SLURM_", "SLURMD_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SCONTROL_", "SRUN_", "SALLOC_", "PMI")
COMMANDS = {
    "sbatch": submission.sbatch, "scancel": submission.scancel,
    "squeue": queries.squeue, "sacct": queries.sacct, "scontrol": queries.scontrol,
}
FAILURES = {
    "timeout": {
        "sbatch": "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "squeue": "slurm_load_jobs error: Socket timed out on send/recv operation",
        "sacct": "sacct: error: slurm_persist_conn_open: Socket timed out on send/recv operation",
        "scancel": "scancel: error: Kill job error: Socket timed out on send/recv operation",
        "scontrol": "slurm_load_jobs error: Socket timed out on send/recv operation",
    },
    "controller": {
        "sbatch": "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "squeue": "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
        "sacct": "sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:db:6819: Connection refused\n"
                 "sacct: error: Problem talking to the database: Connection refused",
        "scancel": "scancel: error: Kill job error: Unable to contact slurm controller (connect failure)",
        "scontrol": "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    },
    "partition": {"sbatch": "sbatch: error: invalid partition specified: nowhere\n"
                            "sbatch: error: Batch job submission failed: Invalid partition name specified"},
    "rate": {"sbatch": "sbatch: error: Submission rate too high, suggest using job arrays\n"
                       "sbatch: error: Batch job submission failed: Unspecified error"},
    "policy": {"sbatch": "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy "
                         "(job submit limit, user's size and/or time limits)"},
}


def log_call(world, name, argv):
    line = json.dumps({"at": world.now, "name": name, "argv": argv,
                       "environment": sorted(each for each in os.environ if each.startswith(KINDS))})
    with open(world.path("calls"), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def failure_of(name, answer):
    said = FAILURES.get(answer["fails"], answer["fails"])
    return said.get(name, f"{name}: error: {answer['fails']}") if isinstance(said, dict) else said


def play(name, argv):
    """One call: (exit status, standard output, standard error, seconds to sleep)."""
    with World(os.environ["FAKE_SLURM"]) as world:
        log_call(world, name, argv)
        answer = world.next_answer(name)
        fails = "fails" in answer
        if fails and not answer.get("done"):
            status, out, err = 1, "", failure_of(name, answer) + "\n"
        else:
            status, out, err = COMMANDS[name](world, argv, answer)
            if fails:
                status, out, err = 1, "", failure_of(name, answer) + "\n"
    for key, pattern in (("before", "{0}\n{1}"), ("after", "{1}{0}\n")):
        if key in answer:
            out = pattern.format(answer[key], out)
    if "stderr" in answer:
        err = answer["stderr"] + "\n" + err
    return answer.get("exit", status), out, err, answer.get("sleeps", 0)


def count(folder, names):
    with open(os.path.join(folder, "calls"), encoding="utf-8") as file:
        calls = [json.loads(line)["name"] for line in file]
    return sum(1 for each in calls if not names or each in names)


def main():
    name = os.path.basename(sys.argv[0])
    if "FAKE_SLURM" not in os.environ:
        sys.exit(f"{name}: this is a fake, which needs a folder in FAKE_SLURM")
    if name == "fake_slurm":
        if sys.argv[1:2] == ["count"]:
            print(count(os.environ["FAKE_SLURM"], sys.argv[2:]))
        elif sys.argv[1:] == ["stop"]:
            submission.stop_scripts(os.environ["FAKE_SLURM"])
        else:
            sys.exit("fake_slurm: stop | count [NAME...]")
        return 0
    status, out, err, sleeps = play(name, sys.argv[1:])
    time.sleep(sleeps)
    sys.stderr.write(err)
    sys.stdout.write(out)
    return status


if __name__ == "__main__":
    sys.exit(main())

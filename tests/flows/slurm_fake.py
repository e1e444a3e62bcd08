"""Checks of the fake Slurm: slurm_fake.py FOLDER_OF_THE_FAKE WORK; see slurm_fake.sh."""
import json
import os
import subprocess
import sys
import time

fake, work = sys.argv[1:]
play = os.path.join(work, "play")
failed = False
base = {"PATH": f"{fake}:/usr/bin:/bin", "FAKE_SLURM": play, "LC_ALL": "C.UTF-8", "TENKAI_FLOW": os.environ["TENKAI_FLOW"]}
noon = 1_000_000


def check(sentence, holds, shown=""):
    global failed
    print(f"ok: {sentence}" if holds else f"NOT OK: {sentence} {shown}", flush=True)
    failed |= not holds


def equal(sentence, got, wanted):
    check(sentence, got == wanted, f"\n    got    {got!r}\n    wanted {wanted!r}")


def begin(**script):
    subprocess.run(["rm", "-rf", play], check=True)
    os.mkdir(play)
    write("script.json", json.dumps(script))
    at(0)


def write(name, text):
    with open(os.path.join(play, name), "w", encoding="utf-8") as file:
        file.write(text)


def at(seconds):
    write("clock", str(noon + seconds))


def call(*argv, stdin="#!/bin/sh\ntrue\n", limit=20, **environment):
    """(exit status, standard output, standard error)"""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=limit, cwd=work,
                          env={**base, **environment}, check=False)
    return done.returncode, done.stdout, done.stderr


def says(*argv, **more):
    return call(*argv, **more)[1]


def calls():
    with open(os.path.join(play, "calls"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def queue(*more, form="%i|%t|%r"):
    return says("squeue", "-h", "-o", form, *more).split("\n")[:-1]


def history(*more):
    return says("sacct", "-n", "-X", "-P", "-o", "JobID,State,ExitCode", *more).split("\n")[:-1]


def without_a_script():
    begin()
    equal("a job has a number, alone where --parsable is", says("sbatch", "--parsable"), "100\n")
    equal("and in a sentence where not", says("sbatch"), "Submitted batch job 101\n")
    equal("it waits", queue(), ["100|PD|Priority", "101|PD|Priority"])
    at(5)
    equal("and runs", queue("-j", "101", form="%i %T %N %M"), ["101 RUNNING n1 0:04"])
    call("scancel", "101")
    at(6)
    equal("until it is cancelled", queue(), ["100|R|None"])
    equal("which sacct knows", history(), ["100|RUNNING|0:0", "101|CANCELLED by 1000|0:15"])


def submissions():
    begin(cluster="fugaku", partitions=["main"], sbatch=[
        {"before": "Welcome to Fugaku", "after": "Your quota: 12 %", "says": "{id};{cluster}", "stderr": "sbatch: lua: hello"},
        {"fails": "timeout", "done": True}, {"fails": "rate", "times": 2}, {"sleeps": 30, "invisible": 10}, {}])
    equal("an id can stand between other lines", call("sbatch", "--parsable"),
          (0, "Welcome to Fugaku\n100;fugaku\nYour quota: 12 %\n", "sbatch: lua: hello\n"))
    timed_out = call("sbatch", "-J", "lost")
    check("sbatch can time out", timed_out[0] == 1 and "Socket timed out on send/recv" in timed_out[2], timed_out)
    equal("with the job there nevertheless", queue("-n", "lost"), ["101|PD|Priority"])
    check("two submissions are too many", [call("sbatch")[0], call("sbatch")[0]] == [1, 1])
    equal("and there are no such jobs", len(queue()), 2)
    began = time.monotonic()
    try:
        call("sbatch", "-J", "slow", limit=0.5)
        check("sbatch can hang", False)
    except subprocess.TimeoutExpired:
        check("sbatch can hang", time.monotonic() - began < 5)
    equal("its job is invisible", queue("-n", "slow"), [])
    at(10)
    equal("for a while", queue("-n", "slow"), ["102|R|None"])
    refused = call("sbatch", "-p", "gpu")
    check("a partition may be unknown", refused[0] == 1 and "Invalid partition name specified" in refused[2], refused)
    equal("calls are counted", says("fake_slurm", "count", "sbatch"), "6\n")


def arrays():
    begin(sbatch=[{"life": [[0, "PENDING", {"reason": "Resources"}]],
                   "lives": {"0-2": [[0, "RUNNING"]], "3": [[0, "RUNNING"], [60, "OUT_OF_MEMORY", {"exit": "0:125"}]]}}])
    says("sbatch", "--array=0-8%4")
    equal("what waits of an array is one line", queue(form="%i|%t"), ["100_[4-8%4]|PD", "100_0|R", "100_1|R", "100_2|R", "100_3|R"])
    equal("or is expanded", len(queue("-r")), 9)
    call("scancel", "100_[5-7]")
    equal("some of it is cancelled", queue("-t", "PD", form="%i"), ["100_[4,8%4]"])
    at(61)
    equal("one runs out of memory", history("-j", "100_3"), ["100_3|OUT_OF_MEMORY|0:125"])
    equal("and is no more in the queue", queue("-j", "100_3"), [])
    equal("but among all states", queue("-j", "100_3", "-t", "all"), ["100_3|OOM|None"])
    equal("the next job has a number after its elements", says("sbatch", "--parsable"), "109\n")


def ends():
    states = ["TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "FAILED", "COMPLETED"]
    begin(accounting_lag=20, min_job_age=100, sbatch=[
        *({"life": [[0, "RUNNING"], [10, state]]} for state in states),
        {"life": [[0, "RUNNING"], [10, "CANCELLED", {"by": 0}]]},
        {"life": [[0, "RUNNING", {"node": "n7"}], [10, "REQUEUED"], [10, "PENDING", {"reason": "BeginTime"}], [130, "RUNNING"]]}, {}])
    for _ in range(9):
        says("sbatch")
    at(25)
    equal("sacct may be late", history("-j", "100,108"), ["100|RUNNING|0:0", "108|RUNNING|0:0"])
    at(40)
    equal("every end has its name", [line.split("|")[1] for line in history()], [*states, "CANCELLED by 0", "PENDING"])
    equal("a job that was requeued is there twice, if asked", history("-D", "-j", "108"), ["108|REQUEUED|0:0", "108|PENDING|0:0"])
    equal("it waits for its time", queue(), ["108|PD|BeginTime"])
    check("scontrol shows it", "JobState=TIMEOUT Reason=None" in says("scontrol", "-o", "show", "job", "100"))
    at(111)
    equal("what has ended is forgotten", call("squeue", "-j", "100"), (1, "", "slurm_load_jobs error: Invalid job id specified\n"))
    equal("two of them without complaint", call("squeue", "-h", "-j", "100,101"), (0, "", ""))
    equal("by scontrol, too", call("scontrol", "show", "job", "100")[0], 1)
    equal("but not by sacct", len(history("-j", "100")), 1)
    equal("cancelling it does not fail", call("scancel", "100")[0], 0)


def queries():
    begin(accounting=False, squeue=[{"kept": 5, "times": 2}, {"fails": "controller"}, {"exit": 3, "before": "x", "times": 1}])
    says("sbatch")
    at(4)
    equal("squeue may tell what was", queue(), [])
    at(8)
    equal("which is a job later", queue(), ["100|R|None"])
    equal("it may fail", call("squeue")[:2], (1, ""))
    equal("in its own way", call("squeue", "-h", "-o", "%i"), (3, "x\n100\n", ""))
    equal("and then do what it should", queue(form="%i"), ["100"])
    equal("there may be no accounting", call("sacct"), (1, "", "Slurm accounting storage is disabled\n"))


def what_was_said():
    begin()
    script = "#!/bin/bash\n#SBATCH --job-name='a b' --comment=x # --time=9\n#SBATCH -p main\nset -e\n#SBATCH --time=5\n"
    says("sbatch", "--parsable", "--mem", "2G", stdin=script, SBATCH_PARTITION="other", SLURM_CONF="/x", PMI_RANK="0", TERM="x")
    equal("directives are read, the environment before them", queue(form="%j|%k|%P|%l|%m"), ["a b|x|other|10:00|2G"])
    equal("variables of Slurm's are noted", calls()[0]["environment"], ["PMI_RANK", "SBATCH_PARTITION", "SLURM_CONF"])
    equal("and what was called, and when", [calls()[0][key] for key in ("name", "argv", "at")], ["sbatch", ["--parsable", "--mem", "2G"], noon])
    with open(os.path.join(play, "scripts", "100"), encoding="utf-8") as file:
        equal("the script is kept", file.read(), script)
    at(8 * 3600)
    equal("eight hours pass in no time", queue(form="%M"), ["7:59:59"])


def scripts_that_run():
    begin(sbatch=[{"run": True}])
    os.unlink(os.path.join(play, "clock"))
    says("sbatch", "-a", "1-2", "-o", "out.%a", stdin="#!/bin/bash\necho $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_TASK_COUNT; exit $((SLURM_ARRAY_TASK_ID - 1))\n")
    says("sbatch", stdin="#!/bin/bash\nsleep 900 & sleep 900\n")
    until = time.monotonic() + 10
    while len(queue("-t", "CD,F,R")) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    while queue("-j", "100") and time.monotonic() < until:
        time.sleep(0.05)
    equal("scripts really run", open(os.path.join(work, "out.2"), encoding="utf-8").read(), "2 of 2\n")
    equal("and end as they do", history("-j", "100"), ["100_1|COMPLETED|0:0", "100_2|FAILED|1:0"])
    says("scancel", "102")
    time.sleep(0.2)
    equal("until they are cancelled", history("-j", "102"), ["102|CANCELLED by 1000|0:15"])


for part in (without_a_script, submissions, arrays, ends, queries, what_was_said, scripts_that_run):
    part()
sys.exit(failed)

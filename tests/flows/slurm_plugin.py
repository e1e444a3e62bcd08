"""Drives `tenkai plugin slurm`; see slurm_plugin.sh."""

import json
import os
import subprocess
import sys
import time

import plugin_driver
from plugin_driver import Plugin, check

kind, program, folder = sys.argv[1:]
numbers = iter(range(1, 1000))
ENVIRONMENT = {"environment.rscript": "sh"}  # what the script looks for; nothing here runs R


class Slurm(Plugin):
    """A plugin, and a session's folder for it."""

    def __init__(self, name, **environment):
        super().__init__([program, "plugin", "slurm"], **environment)
        self.folder = f"{folder}/{name}"
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.session = os.urandom(4).hex()

    def launch(self, command, agents=1, seconds=30, chunk=1, **options):
        launch = {
            "number": next(numbers), "profile": "gpu", "daemons": agents * chunk, "agents": agents, "chunk": chunk,
            "folder": self.folder, "session": self.session, "command": command, "urls": [],
            "options": {name: [value] if name != "slurm.options" else value.split()
                        for name, value in {**ENVIRONMENT, **options}.items()},
        }
        self.last_launch = launch
        answer = self.call("start", seconds, key=os.urandom(4).hex(), launch=launch)
        self.answer = answer
        return answer.get("jobs") or [answer.get("job", "")]

    def again(self, launch, jobs):
        return self.call("start", launch={**launch, "running": True, "jobs": jobs}, key="again")

    def states(self, job):
        return [each["state"] for each in self.news.get(job, [])]

    def started(self, job, seconds=20, node=None):
        """That it has begun; `node`: there, which of a rank may be told after that of its script."""
        begun = lambda each: each["state"] == "starting" and node in (None, each.get("where"))
        return self.has(job, begun, seconds) or {}

    def poll(self, job, seconds=40):
        return self.call("poll", seconds, job=job)

    def close(self, sentence, limit=7):
        took = self.end(limit + 3)
        check(f"{sentence} ({took} s)", took is not None and took < limit, self.errors[-500:])


def squeue(*arguments):
    return subprocess.run(["squeue", "-h", *arguments], capture_output=True, text=True).stdout


def until(what, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return bool(what())


# --- the real one ---


def real_arrays():
    plugin = Slurm("arrays", SLURM_CPU_BIND="map_cpu:7", SBATCH_OUTPUT="/dev/null", SBATCH_ARRAY_INX="9", SLURM_JOB_NAME="x")
    jobs = plugin.launch(["sh", "-c", "echo rank $TENKAI_RANK >&2; exit $((TENKAI_RANK + 3))"], agents=4)
    check("four agents are an array of four jobs, whatever the environment says",
          len(jobs) == 4 and len({job.split("_")[0] for job in jobs}) == 1, plugin.answer)
    ends = [plugin.last(job) for job in jobs]
    check("each tells how it ended, with its rank, its log and its node",
          [end.get("exit_code") for end in ends] == [3, 4, 5, 6]
          and all(f"rank {rank}" in end["log"] and end["where"] in ("n1", "n2") for rank, end in enumerate(ends)), ends)
    check("... and that it began", all("starting" in plugin.states(job) for job in jobs))
    script = f"{plugin.folder}/scripts/{plugin.last_launch['number']}.sbatch"
    check("the script is ours alone", os.stat(script).st_mode & 0o777 == 0o600)

    jobs = plugin.launch(["sh", "-c", "true"], **{"environment.modules": "no-such-module"})
    end = plugin.last(jobs[0])
    check("a missing module is the cause", end.get("cause") == "module_missing" and "no-such-module" in end["message"], end)
    jobs = plugin.launch(["sh", "-c", "true"], **{"environment.rscript": "no-such-R"})
    end = plugin.last(jobs[0])
    check("a missing Rscript is the cause", end.get("cause") == "rscript_missing", end)

    jobs = plugin.launch(["true"], **{"slurm.partition": "nowhere"})
    end = plugin.last(jobs[0])
    check("what sbatch refuses is told in its words",
          end.get("cause") == "submit_refused" and "nvalid partition" in end["message"], (plugin.answer, end))
    plugin.close("without jobs the plugin ends at once", 2)
    plugin = Slurm("site", SBATCH_PARTITION="nowhere")
    end = plugin.last(plugin.launch(["true"])[0])
    check("what a site says on its login nodes is kept", "nvalid partition" in end.get("message", ""), (plugin.answer, end))
    plugin.close("and the plugin ends at once", 2)


def real_ranks():
    plugin = Slurm("ranks")
    command = ["sh", "-c", "echo rank $TENKAI_RANK on $SLURMD_NODENAME; test $TENKAI_RANK = 0 && exit 0; sleep 60"]
    jobs = plugin.launch(command, agents=2, **{"slurm.nodes": "2"})
    check("a job over nodes has ranks", [job.split(".")[1:] for job in jobs] == [["0"], ["1"]], plugin.answer)
    where = [plugin.started(job, node=node).get("where") for job, node in zip(jobs, ["n1", "n2"])]
    check("they are on both nodes", where == ["n1", "n2"], where)
    time.sleep(2)
    check("the end of one rank does not touch the other", "ended" not in plugin.states(jobs[1]), plugin.news)
    for job in jobs:
        plugin.call("cancel", job=job)
    ends = [plugin.last(job) for job in jobs]
    check("they are cancelled together", all(end.get("cause") == "cancelled" for end in ends), ends)
    plugin.close("it ends", 3)


def real_ends():
    plugin = Slurm("ends")
    jobs = plugin.launch(["sleep", "611"], agents=3)
    for job in jobs:
        plugin.started(job)
    base = jobs[0].split("_")[0]
    subprocess.run(["scancel", jobs[0]], check=True)
    end = plugin.last(jobs[0], 10)
    check("a job that somebody cancels is told within 10 s", end.get("cause") == "job_cancelled", end)

    subprocess.run(["scontrol", "requeue", jobs[1]], check=True)
    back = plugin.has(jobs[1], lambda each: each["state"] == "pending", 15)
    check("a job that is put back waits again", back and "put back" in back["message"], plugin.news[jobs[1]])
    again = until(lambda: plugin.states(jobs[1]).count("starting") == 2, 30)
    check("... and starts again", again, plugin.news[jobs[1]])

    plugin.call("cancel", job=jobs[2])
    end = plugin.last(jobs[2], 10)
    check("a job that is cancelled by us is told as that", end.get("cause") == "cancelled", end)
    check("... and its neighbour stays", until(lambda: squeue("-j", base, "-t", "R", "-o", "%i").split() == [jobs[1]], 5))

    waiting = plugin.launch(["sleep", "611"], **{"slurm.options": "--begin=now+1hour"})
    report = {}
    told = until(lambda: report.update(plugin.poll(waiting[0])) or report.get("reason"), 30)
    check("why a job waits is told", told and report.get("state") == "pending", report)
    plugin.close("at the end of the session all are cancelled")
    check("... those that wait, too", until(lambda: not squeue("-o", "%i").split(), 15), squeue())


def real_node():
    """A node that fails launches, and then is lost."""
    plugin = Slurm("node")
    command = ["sh", "-c", "test $SLURMD_NODENAME = n1 || exit 9; sleep 611"]
    good = plugin.launch(command, **{"slurm.options": "--nodelist=n1"})
    plugin.started(good[0])
    time.sleep(1.5)
    ends = [plugin.last(plugin.launch(command, **{"slurm.options": "--nodelist=n2"})[0]) for _ in range(2)]
    check("a node that fails two launches is named", "n2 has failed 2 launches" in ends[1].get("note", ""), ends)
    jobs = plugin.launch(command, agents=2)
    shown = subprocess.run(["scontrol", "show", "job", jobs[0]], capture_output=True, text=True).stdout
    check("... and left out", "ExcNodeList=n2" in shown and all(plugin.started(job)["where"] == "n1" for job in jobs), shown)
    plugin.close("it ends")

    plugin = Slurm("lost")
    job = plugin.launch(["sleep", "611"], **{"slurm.options": "--nodelist=n2 --no-requeue"})[0]
    plugin.started(job)
    subprocess.run(["bash", "-c", "slurm_kill n2"], check=True)
    begin = time.monotonic()
    plugin.poll(job)
    lost = until(lambda: "DOWN" in squeue_nodes("n2"), 60)
    knew = time.monotonic()
    end = plugin.last(job, 90)
    check(f"a lost node is the cause, {time.monotonic() - knew:.0f} s after Slurm knew it ({knew - begin:.0f} s)",
          lost and end.get("cause") == "node_fail", (end, plugin.errors[-600:]))
    plugin.close("it ends")
    subprocess.run(["bash", "-c", "slurm_launch n2"], check=True)


def squeue_nodes(name):
    return subprocess.run(["sinfo", "-h", "-N", "-n", name, "-o", "%T"], capture_output=True, text=True).stdout.upper()


def real_time_limit():
    plugin = Slurm("limit")
    job = plugin.launch(["sleep", "611"])[0]
    plugin.started(job)
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 2))
    subprocess.run(["scontrol", "update", f"JobId={job}", f"EndTime={soon}"], check=True)
    end = plugin.last(job, 90)
    check("a time limit is the cause", end.get("cause") == "time_limit" and end.get("reason") == "TIMEOUT", end)
    plugin.close("it ends")


def real_taken_up():
    plugin = Slurm("taken")
    jobs = plugin.launch(["sleep", "611"], agents=2)
    for job in jobs:
        plugin.started(job)
    launch = plugin.last_launch
    plugin.process.kill()
    other = Slurm("taken")
    answer = other.again(launch, jobs)
    check("a plugin takes up the jobs of one that died", answer.get("jobs") == jobs, answer)
    check("... and follows them", all(other.started(job, 5) for job in jobs), other.news)
    subprocess.run(["scancel", jobs[0]], check=True)
    check("... to their end", other.last(jobs[0]).get("cause") == "job_cancelled", other.news)
    other.close("... which comes with its own")
    check("nothing of them is left", until(lambda: not squeue("-o", "%i").split(), 15), squeue())


# --- the fake one ---


def play(**script):
    path = os.environ["FAKE_SLURM"]
    for name in os.listdir(path):
        if os.path.isfile(f"{path}/{name}"):
            os.unlink(f"{path}/{name}")
    script.setdefault("uid", os.getuid())
    with open(path + "/script.json", "w") as file:
        json.dump(script, file)


def calls(name=None):
    try:
        lines = open(os.environ["FAKE_SLURM"] + "/calls").read().splitlines()
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in lines]
    return [each for each in found if name in (None, each["name"])]


def fake_submission():
    play(sbatch=[{"before": "Welcome, 7 nodes\n--- 2026 ---", "after": "Have fun", "stderr": "sbatch: note\n"}])
    plugin = Slurm("dirt", SBATCH_PARTITION="x", SLURM_NTASKS="3", PMI_RANK="2")
    jobs = plugin.launch(["true"], agents=2)
    check("the id is found in dirt", jobs == ["100_0", "100_1"], plugin.answer)
    leaked = [each for each in calls("sbatch")[0]["environment"] if each != "SLURM_CONF"]
    check("nothing of another job is in the environment", leaked == [], leaked)

    play()
    jobs = plugin.launch(["true"], agents=2500)
    arrays = [word for call in calls("sbatch") for word in call["argv"] if word.startswith("--array")]
    check("2,500 agents are three arrays", len(jobs) == 2500 == len(set(jobs))
          and arrays == ["--array=0-999", "--array=0-999", "--array=0-499"], arrays)
    play(max_array=20)
    jobs = plugin.launch(["true"], agents=32)
    check("a site's limit of arrays is found out", len(set(jobs)) == 32, plugin.answer)

    play(sbatch=[{"fails": "rate", "times": 1}, {}])
    jobs = plugin.launch(["true"])
    check("a limit that passes is waited for", jobs == ["100_0"] and len(calls("sbatch")) == 2, plugin.answer)
    play(sbatch=[{"fails": "timeout", "done": True, "times": 1}, {}])
    jobs = plugin.launch(["true"])
    check("a job that was taken without a word is found, and not submitted twice",
          jobs == ["100_0"] and len(calls("sbatch")) == 1, (plugin.answer, calls()))
    play(sbatch=[{"fails": "controller"}])
    jobs = plugin.launch(["true"], seconds=60)
    end = plugin.last(jobs[0])
    check("a controller that is away is told", end.get("cause") == "slurm_unreachable" and end["state"] == "failed", end)
    plugin.close("it ends", 7)
    play()
    plugin = Slurm("none", PATH="/nowhere")
    end = plugin.last(plugin.launch(["true"])[0])
    check("a missing sbatch is told", end.get("cause") == "command_missing", end)
    plugin.close("it ends", 2)
    plugin = Slurm("inside", PATH="/nowhere", SLURM_JOB_ID="4711")
    end = plugin.last(plugin.launch(["true"])[0])
    check("... and that this is a compute node", "job 4711" in end.get("message", ""), end)
    plugin.close("it ends", 2)


def fake_clusters():
    play(sbatch=[{"fails": "timeout", "done": True, "times": 1}, {}])
    plugin = Slurm("clusters", SLURM_CLUSTERS="c2")
    jobs = plugin.launch(["true"])
    asked = [call["argv"] for call in calls("squeue")]
    check("a job that was taken without a word is looked for at the cluster of its site",
          jobs == ["100_0"] and asked and all("--clusters=c2" in each for each in asked), asked)
    plugin.call("cancel", job=jobs[0])
    check("... and cancelled there", until(lambda: [c["argv"] for c in calls("scancel")] == [["--clusters=c2", "100"]], 3),
          calls("scancel"))
    plugin.close("it ends", 3)
    play(sbatch=[{"sleeps": 100}])
    plugin = Slurm("doubtful", SLURM_CLUSTERS="c2")
    plugin.launch(["true"], seconds=1, **{"slurm.options": "--clusters=c3"})
    plugin.close("a plugin that submits to another cluster ends in time")
    asked = [call["argv"] for call in calls("scancel")]
    check("... and a job that may be there is cancelled there, too", len(asked) == 1 and "--clusters=c3" in asked[0], asked)


def fake_ends():
    for word, cause, more in [("OUT_OF_MEMORY", "oom", {"exit": "0:125"}), ("NODE_FAIL", "node_fail", {}),
                              ("TIMEOUT", "time_limit", {}), ("PREEMPTED", "preempted", {}),
                              ("CANCELLED", "job_cancelled", {"by": 0}), ("FAILED", "unknown", {"exit": "1:0"})]:
        life = [[0, "RUNNING", {"node": "n7"}], [0.5, word, {"node": "n7", **more}]]
        play(sbatch=[{"life": life}])
        plugin = Slurm("end-" + word)
        job = plugin.launch(["true"])[0]
        time.sleep(1)
        begin = time.monotonic()
        report = plugin.poll(job)
        end = plugin.last(job, 20) or report
        took = time.monotonic() - begin
        wanted = {"job": job, "cause": cause, "state": "ended"}
        good = all(end.get(key) == value for key, value in wanted.items())
        if word == "FAILED":
            good = end.get("state") == "ended"
        check(f"{word} is told as {cause} ({took:.1f} s)", good and took < 5 and "n7" in end.get("where", ""), end)
        plugin.close("it ends", 4)


def fake_absence():
    play(sbatch=[{"invisible": 3600}], accounting=False)
    plugin = Slurm("absent")
    job = plugin.launch(["true"])[0]
    for _ in range(6):
        report = plugin.poll(job)
        time.sleep(0.5)
    check("a job that Slurm does not know yet has not ended", report.get("state") == "submitted", report)
    check("many questions are few queries", len(calls("squeue")) <= 4, len(calls("squeue")))
    plugin.call("cancel", job=job)
    check("it is cancelled by its id", until(lambda: [c["argv"] for c in calls("scancel")] == [["100"]], 3), calls("scancel"))
    plugin.close("it ends", 3)


def fake_early():
    play(sbatch=[{}, {"run": True, "sleeps": 3}])
    plugin = Slurm("early")
    plugin.launch(["true"])
    job = plugin.launch(["sh", "-c", "sleep 6; exit 3"])[0]
    began = plugin.started(job, 2)
    check("a job that begins before sbatch has come back is seen", began, plugin.news)
    check("... to its end", plugin.last(job).get("exit_code") == 3, plugin.news)
    plugin.close("it ends", 3)


def fake_hanging():
    play(sbatch=[{"sleeps": 100}])
    plugin = Slurm("hanging")
    plugin.launch(["true"], seconds=1)
    plugin.close("a plugin whose sbatch hangs ends in time")
    names = [word for call in calls("scancel") for word in call["argv"] if word.startswith("--name=")]
    check("... and the job that may be there is cancelled by its name", len(names) == 1, calls("scancel"))
    play(scancel=[{"fails": "timeout", "times": 1}, {}])
    plugin = Slurm("stubborn")
    jobs = plugin.launch(["true"], agents=300)
    plugin.close("all are cancelled at the end")
    ids = [call["argv"] for call in calls("scancel")]
    check("... by one word, and again where Slurm did not listen", ids == [["100"], ["100"]] and jobs, ids)
    play(squeue=[{"sleeps": 40}])
    plugin = Slurm("slow")
    job = plugin.launch(["true"])[0]
    plugin.poll(job, 1)
    plugin.close("a squeue that hangs holds nobody up", 5)


def fake_rendered():
    play()
    plugin = Slurm("rendered")
    launch = {"number": 9, "profile": "gpu", "daemons": 8, "agents": 4, "chunk": 2, "session": "abcd", "command": ["echo", "a b"],
              "options": {**{name: [value] for name, value in ENVIRONMENT.items()}, "slurm.time": ["1:30:00"],
                          "slurm.cpus-per-task": ["3"], "slurm.gpus-per-task": ["a100:1"]}}
    text = plugin.call("render", launch=launch).get("text", "")
    wanted = ["--array=0-3", "--cpus-per-task=6", "--gpus-per-task=a100:2", "--time=1:30:00", "'a b'"]
    check("a dry run shows the script to paste", text.startswith("sbatch --parsable --job-name=tenkai-gpu-abcd-9")
          and all(word in text for word in wanted), text)
    check("... and touches nothing", calls() == [] and os.listdir(plugin.folder) == [])
    status = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, text=True)
    check("... which can be pasted", status.returncode == 0 and status.stdout.strip() == "100", status)
    launch["options"]["slurm.job-tag"] = ["comment"]
    text = plugin.call("render", launch=launch).get("text", "")
    check("a site's names can be kept", "--comment=tenkai-gpu-abcd-9" in text and "--job-name=tenkai-gpu\n" in text, text)
    launch["options"]["slurm.options"] = ["--wait"]
    answer = plugin.call("render", launch=launch)
    check("an option with which nothing can be followed is refused", "--wait" in answer.get("error", {}).get("message", ""), answer)
    plugin.close("it ends", 2)


parts = {"real": [real_arrays, real_ranks, real_ends, real_taken_up, real_node, real_time_limit],
         "fake": [fake_rendered, fake_submission, fake_clusters, fake_ends, fake_absence, fake_early, fake_hanging]}
chosen = os.environ.get("PARTS", "").split()
for part in parts[kind]:
    if not chosen or part.__name__ in chosen:
        part()
plugin_driver.finish()

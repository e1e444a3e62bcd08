"""What changes a fake Slurm: sbatch and scancel; and the running of scripts."""
import json
import os
import re
import signal
import subprocess
import sys
import time

from directives import Refused, check_script, directives, split
from world import DEFAULT_LIFE, Element, World, indices

# What sbatch takes from its environment, over the script and under its arguments.
ENVIRONMENT = {
    "SBATCH_ACCOUNT": "account", "SBATCH_ARRAY_INX": "array", "SBATCH_COMMENT": "comment", "SBATCH_EXPORT": "export",
    "SBATCH_GPUS": "gpus", "SBATCH_JOB_NAME": "job-name", "SBATCH_MEM_PER_NODE": "mem", "SBATCH_PARTITION": "partition",
    "SBATCH_QOS": "qos", "SBATCH_TIMELIMIT": "time",
}
TIME = re.compile(r"(\d+-)?\d+(:\d+){0,2}|UNLIMITED|INFINITE|-1", re.IGNORECASE)


def read_script(options, words):
    if "wrap" in options:
        return "wrap", "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n" + options["wrap"] + "\n"
    if not words:
        return "sbatch", os.fsdecode(sys.stdin.buffer.read())
    try:
        with open(words[0], "rb") as file:
            return os.path.basename(words[0]), os.fsdecode(file.read())
    except OSError:
        raise Refused(f"sbatch: error: Unable to open file {words[0]}") from None


def check_options(world, options):
    partition = options.get("partition", "")
    for each in filter(None, partition.split(",")):
        if each not in world.says("partitions", [each]):
            raise Refused(f"sbatch: error: invalid partition specified: {partition}\n"
                          "sbatch: error: Batch job submission failed: Invalid partition name specified")
    if not TIME.fullmatch(options.get("time", "1")):
        raise Refused("sbatch: error: Invalid --time specification", 255)


def array_of(world, options):
    """The numbers of its elements and how many may run at once."""
    if "array" not in options:
        return [], 0
    numbers, _, limit = options["array"].partition("%")
    try:
        numbers, limit = indices(numbers), int(limit or 0)
        if max(numbers) >= world.says("max_array", 1001):
            raise ValueError
    except ValueError:
        raise Refused("sbatch: error: Batch job submission failed: Invalid job array specification") from None
    return numbers, limit


def check_room(world, count):
    there = sum(1 for each in world.elements() if not each.over())
    if there + count > world.says("max_submit", there + count):
        raise Refused("sbatch: error: AssocMaxSubmitJobLimit\n"
                      "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy "
                      "(job submit limit, user's size and/or time limits)")


def sbatch(world, argv, answer):
    try:
        said, words = split(argv)
        options = dict(said)
        if "version" in options:
            return 0, "slurm-wlm 22.05.8\n", ""
        name, script = read_script(options, words)
        check_script(script)
        environment = {key: os.environ[variable] for variable, key in ENVIRONMENT.items() if variable in os.environ}
        options = {**dict(directives(script, name)), **environment, **options}
        check_options(world, options)
        elements, limit = array_of(world, options)
        check_room(world, len(elements) or 1)
    except Refused as refusal:
        return refusal.status, "", f"{refusal}\n"
    job = {
        "submitted": world.now, "elements": elements, "limit": limit, "cancelled": {},
        "name": options.get("job-name", name), "options": options, "arguments": words[1:],
        "life": answer.get("life", DEFAULT_LIFE), "lives": answer.get("lives", {}),
        "invisible": answer.get("invisible", 0), "run": answer.get("run", False), "ends": answer.get("ends"),
        "folder": options.get("chdir", os.getcwd()),
    }
    world.add(job)
    with open(world.path("scripts", str(job["id"])), "wb") as file:
        file.write(os.fsencode(script))
    if job["run"]:
        for index in elements or [None]:
            run(world, Element(world, job, index, world.now))
    form = "{id}" if "parsable" in options else "Submitted batch job {id}"
    out = answer.get("says", form).replace("{id}", str(job["id"])).replace("{cluster}", world.says("cluster", "fake"))
    return 0, out + "\n", ""


def output_of(element, which):
    """Where a script writes: %j, %A, %a, %x and %N are known, and numbers of a width."""
    options, index = element.job["options"], element.index
    otherwise = "slurm-%A_%a.out" if index is not None else "slurm-%j.out"
    pattern = options.get(which, options.get("output", otherwise))
    values = {"j": element.raw_id(), "A": element.job["id"], "a": 4294967294 if index is None else index,
              "x": element.job["name"], "N": "n1", "n": 0, "t": 0, "u": element.world.says("user", "anna"), "%": "%"}
    name = re.sub(r"%(\d*)([jAaxNntu%])", lambda found: str(values[found[2]]).zfill(int(found[1] or 0)), pattern)
    return os.path.join(element.job["folder"], name)


def environment_of(element):
    options, index = element.job["options"], element.index
    node = f"n{(index or 0) % 4 + 1}"
    told = {
        "SLURM_JOB_ID": element.raw_id(), "SLURM_JOBID": element.raw_id(), "SLURM_JOB_NAME": element.job["name"],
        "SLURM_JOB_PARTITION": options.get("partition", "main"), "SLURM_JOB_NODELIST": node, "SLURM_NODELIST": node,
        "SLURMD_NODENAME": node, "SLURM_NNODES": 1, "SLURM_JOB_NUM_NODES": 1, "SLURM_NTASKS": options.get("ntasks", 1),
        "SLURM_CPUS_PER_TASK": options.get("cpus-per-task", 1), "SLURM_PROCID": 0, "SLURM_LOCALID": 0, "SLURM_NODEID": 0,
        "SLURM_SUBMIT_DIR": os.getcwd(), "SLURM_CLUSTER_NAME": element.world.says("cluster", "fake"), "SLURM_TASKS_PER_NODE": 1,
    }
    if index is not None:
        every = element.job["elements"]
        told |= {"SLURM_ARRAY_JOB_ID": element.job["id"], "SLURM_ARRAY_TASK_ID": index, "SLURM_ARRAY_TASK_COUNT": len(every),
                 "SLURM_ARRAY_TASK_MIN": min(every), "SLURM_ARRAY_TASK_MAX": max(every)}
    keeps = options.get("export", "ALL").split(",")[0] not in ("NONE", "NIL")
    own = {**os.environ} if keeps else {key: os.environ[key] for key in ("HOME", "USER", "PATH") if key in os.environ}
    return {**own, **{key: str(value) for key, value in told.items()}}


def run(world, element):
    """Leaves behind a process that runs the script and notes when and how it ends."""
    os.makedirs(world.path("run"), exist_ok=True)
    note = world.path("run", f"{element.job['id']}_{element.key()}")
    script = world.path("scripts", str(element.job["id"]))
    if os.fork() != 0:
        return
    os.setsid()
    out = os.open(output_of(element, "output"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    error = os.open(output_of(element, "error"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), out, error)):
        os.dup2(file, number)
    os.closerange(3, 256)  # the lock among them
    child = subprocess.Popen(["bash", script, *element.job["arguments"]], cwd=element.job["folder"],
                             env=environment_of(element), start_new_session=True)
    told = {"began": world.now, "pid": child.pid}
    write_note(note, told)
    told["status"] = child.wait()
    told["ended"] = World(world.folder).read("clock", time.time())
    write_note(note, told)
    os._exit(0)


def write_note(path, told):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.rename(path + ".new", path)


def end_script(note, how):
    """Sends a signal to a script and what it has started, if it still runs."""
    try:
        with open(note, encoding="utf-8") as file:
            told = json.load(file)
        if "status" not in told:
            os.killpg(told["pid"], how)
    except (FileNotFoundError, ProcessLookupError):
        pass


def stop_scripts(folder):
    notes = os.path.join(folder, "run")
    for name in os.listdir(notes) if os.path.isdir(notes) else []:
        if not name.endswith(".new"):
            end_script(os.path.join(notes, name), signal.SIGKILL)


def scancel(world, argv, _):
    wanted, words = scancel_wishes(argv)
    how = getattr(signal, "SIG" + wanted.get("signal", "TERM").upper().removeprefix("SIG"))
    for element in world.elements():
        if element.over() or not is_meant(world, element, wanted, words):
            continue
        if "signal" not in wanted or how == signal.SIGKILL:
            element.job["cancelled"].setdefault(element.key(), world.now)
        if element.job["run"]:
            end_script(world.path("run", f"{element.job['id']}_{element.key()}"), how)
    return 0, "", ""


def scancel_wishes(argv):
    shorts = {"n": "name", "u": "user", "t": "state", "s": "signal", "p": "partition", "M": "clusters"}
    wanted, words, rest = {}, [], list(argv)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, has, value = word[2:].partition("=")
            name = {"jobname": "name"}.get(name, name)
            wanted[name] = value if has or name not in shorts.values() else rest.pop(0)
        elif word.startswith("-") and word[1] in shorts:
            wanted[shorts[word[1]]] = word[2:] or rest.pop(0)
        elif not word.startswith("-"):
            words += re.split(r",(?![^[]*\])", word)
    return wanted, words


def is_meant(world, element, wanted, words):
    if words and not any(names(word, element) for word in words):
        return False
    if wanted.get("name", element.job["name"]) != element.job["name"]:
        return False
    if wanted.get("user", world.says("user", "anna")) != world.says("user", "anna"):
        return False
    return wanted.get("state", element.state).upper() in (element.state, {"PENDING": "PD", "RUNNING": "R"}.get(element.state))


def names(word, element):
    """Whether 12, 12_3 or 12_[1-3] is this job."""
    job, _, index = word.partition("_")
    if not job.isdecimal():
        return False
    if not index:
        return int(job) in (element.job["id"], element.raw_id())
    return int(job) == element.job["id"] and element.index in indices(index.strip("[]").partition("%")[0])

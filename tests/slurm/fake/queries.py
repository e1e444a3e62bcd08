"""What asks a fake Slurm: squeue, sacct and scontrol."""
import re
import time

from submission import names
from world import ENDS, SHORT, ranges

LONG = {short: long for long, short in SHORT.items()}
UNKNOWN_JOB = "slurm_load_jobs error: Invalid job id specified\n"


def wishes(argv, shorts, flags):
    """The options of a query by their long names, and the other words."""
    wanted, words, rest = {}, [], list(argv)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, has, value = word[2:].partition("=")
            wanted[name] = value if has or name in flags.values() else rest.pop(0) if rest else ""
            continue
        if not word.startswith("-"):
            words.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in flags:
                wanted[flags[letter]] = ""
            elif letter in shorts:
                wanted[shorts[letter]] = letters or (rest.pop(0) if rest else "")
                letters = ""
    return wanted, words


def clock(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def span(seconds):
    seconds = int(seconds)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days}-{hours:02}:{minutes:02}:{seconds % 60:02}"
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def elapsed(element):
    if element.began() is None:
        return 0
    return (element.step.at if element.over() else element.at) - element.began()


# --- squeue

def squeue_value(letter, element, together):
    """One % of a format, as Slurm's squeue(1) has them."""
    job, options = element.job, element.job["options"]
    indexed = element.index is not None
    if together:
        which = ranges(each.index for each in together) + (f"%{job['limit']}" if job["limit"] else "")
        name, task, raw = f"{job['id']}_[{which}]", which, job["id"]
    else:
        name, task, raw = element.name(), str(element.index) if indexed else "N/A", element.raw_id()
    waits = element.state == "PENDING"
    value = {
        "i": name, "A": raw, "F": job["id"], "K": task, "t": SHORT.get(element.state, element.state), "T": element.state,
        "r": element.reason(), "R": f"({element.reason()})" if waits or element.state in ENDS - {"COMPLETED"} else element.node(),
        "N": element.node(), "B": element.node() or "n/a", "M": span(elapsed(element)), "l": options.get("time", "10:00"),
        "L": options.get("time", "10:00"), "D": options.get("nodes", 1), "C": options.get("cpus-per-task", 1), "j": job["name"],
        "u": element.world.says("user", "anna"), "U": element.world.says("uid", 1000), "P": options.get("partition", "main"),
        "S": "N/A" if element.began() is None else clock(element.began()), "V": clock(job["submitted"]),
        "e": "N/A", "k": options.get("comment", "(null)"), "a": options.get("account", "(null)"), "q": options.get("qos", "(null)"),
        "Z": job["folder"], "p": "0.5", "Q": 1, "m": options.get("mem", "0"), "%": "%",
    }
    return str(value.get(letter, ""))


def squeue_line(form, element, together=()):
    def one(found):
        dot, width, letter = found[1], found[2], found[3]
        value = squeue_value(letter, element, together)
        if width:
            value = value[:int(width)]
            value = value.rjust(int(width)) if dot else value.ljust(int(width))
        return value
    return re.sub(r"%(\.?)(\d*)([A-Za-z%])", one, form) + "\n"


def states_meant(text):
    """None for all of them."""
    found = {LONG.get(each.upper(), each.upper()) for each in text.split(",")}
    return None if "ALL" in found else found


def refused(world, wanted):
    """What squeue says of a state or a user that there is not; its exit status with it."""
    for state in states_meant(wanted.get("states", "ALL")) or ():
        if state not in SHORT:
            return 1, "", f"squeue: error: Invalid job state specified: {state.lower()}\n"
    for user in wanted.get("user", "root").split(","):
        if user not in (world.says("user", "anna"), "root", "nobody") and not user.isdecimal():
            return 0, "", f"squeue: error: Invalid user: {user}\n"
    return None


def kept(world, answer):
    return world.now - answer.get("kept", 0)


def squeue(world, argv, answer):
    flags = {"h": "noheader", "r": "array", "a": "all", "l": "long", "_": "me", "V": "version"}
    shorts = {"j": "jobs", "u": "user", "n": "name", "t": "states", "o": "format", "O": "Format", "p": "partition",
              "S": "sort", "w": "nodelist", "A": "account", "M": "clusters"}
    wanted, _ = wishes(argv, shorts, flags)
    if "version" in wanted:
        return 0, "slurm-wlm 22.05.8\n", ""
    refusal = refused(world, wanted)
    if refusal:
        return refusal
    seen = [each for each in world.elements(kept(world, answer)) if each.visible() and not each.purged()]
    if "jobs" in wanted:
        asked = re.split(r",(?![^[]*\])", wanted["jobs"])
        seen = [each for each in seen if any(names(word, each) for word in asked)]
        if not seen and len(asked) == 1:
            return 1, "", UNKNOWN_JOB
    if "user" in wanted:
        users = wanted["user"].split(",")
        seen = [each for each in seen if {world.says("user", "anna"), str(world.says("uid", 1000))} & set(users)]
    if "name" in wanted:
        seen = [each for each in seen if each.job["name"] in wanted["name"].split(",")]
    states = states_meant(wanted["states"]) if "states" in wanted else set(SHORT) - ENDS
    seen = [each for each in seen if states is None or each.state in states]
    form = wanted.get("format", "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R")
    lines = "" if "noheader" in wanted else re.sub(r"%(\.?\d*)([A-Za-z])", r"\2", form) + "\n"
    return 0, answer.get("says", lines + "".join(squeue_lines(form, seen, "array" in wanted))), ""


def squeue_lines(form, elements, expand):
    """What waits of an array, for one reason, is one line."""
    waiting = {}
    for each in elements:
        if each.index is not None and each.state == "PENDING" and not expand:
            waiting.setdefault((each.job["id"], each.reason()), []).append(each)
    for together in waiting.values():
        yield squeue_line(form, together[0], together)
    for each in elements:
        if each.index is None or each.state != "PENDING" or expand:
            yield squeue_line(form, each)


# --- sacct

def sacct_value(key, element, step, suffix):
    job, options = element.job, element.job["options"]
    over = step.state in ENDS or step.state == "REQUEUED"
    # A line may be about a run before the last.
    began = [each.at for each in element.steps if each.state == "RUNNING" and each.at <= step.at]
    state = f"CANCELLED by {step.more['by']}" if step.state == "CANCELLED" and "by" in step.more else step.state
    limit = options.get("time", "00:10:00")
    value = {
        "jobid": element.name() + suffix, "jobidraw": f"{element.raw_id()}{suffix}",
        "jobname": suffix.lstrip(".") or job["name"], "state": state,
        "exitcode": step.more.get("exit", element.exit() if step is element.step else "0:0"), "derivedexitcode": "0:0",
        "reason": step.more.get("reason", "None"), "nodelist": (element.node() if element.began() else "None assigned"),
        "elapsed": "0" + span((step.at if over else element.at) - began[-1]) if began else "00:00:00",
        "submit": clock(job["submitted"]), "start": clock(began[-1]) if began else "Unknown",
        "end": clock(step.at) if over else "Unknown", "partition": options.get("partition", "main"), "timelimit": limit,
        "user": element.world.says("user", "anna"), "account": options.get("account", ""), "comment": options.get("comment", ""),
        "maxrss": step.more.get("maxrss", ""), "alloccpus": options.get("cpus-per-task", 1), "cluster": element.world.says("cluster", "fake"),
    }
    return str(value.get(key.partition("%")[0].lower(), ""))


def sacct(world, argv, answer):
    flags = {"n": "noheader", "X": "allocations", "P": "parsable2", "p": "parsable", "D": "duplicates", "a": "allusers", "V": "version"}
    shorts = {"j": "jobs", "u": "user", "S": "starttime", "E": "endtime", "o": "format", "s": "state", "M": "clusters", "N": "nodelist"}
    wanted, _ = wishes(argv, shorts, flags)
    if not world.says("accounting", True):
        return 1, "", "Slurm accounting storage is disabled\n"
    at = kept(world, answer) - world.says("accounting_lag", 0)
    seen = [each for each in world.elements(at) if each.visible()]
    if "jobs" in wanted:
        seen = [each for each in seen if any(names(word, each) for word in wanted["jobs"].split(","))]
    if "name" in wanted:
        seen = [each for each in seen if each.job["name"] in wanted["name"].split(",")]
    if "state" in wanted:
        states = states_meant(wanted["state"])
        seen = [each for each in seen if states is None or each.state in states]
    keys = wanted.get("format", "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode").split(",")
    lines = "" if "noheader" in wanted else sacct_line(wanted, keys, [each.partition("%")[0] for each in keys])
    for element in seen:
        for step in sacct_steps(element, "duplicates" in wanted):
            for suffix in [""] if "allocations" in wanted or element.began() is None else ["", ".batch"]:
                lines += sacct_line(wanted, keys, [sacct_value(key, element, step, suffix) for key in keys])
    return 0, answer.get("says", lines), ""


def sacct_steps(element, duplicates):
    """The runs of a job: those that were followed by another are shown on demand."""
    past = [each for each in element.steps[:-1] if each.state in ENDS or each.state == "REQUEUED"]
    return [*(past if duplicates else []), element.step]


def sacct_line(wanted, keys, values):
    if "parsable2" in wanted:
        return "|".join(values) + "\n"
    if "parsable" in wanted:
        return "|".join(values) + "|\n"
    cells = []
    for key, value in zip(keys, values):
        width = int(key.partition("%")[2] or 12)
        cells.append(value[:width - 1] + "+" if len(value) > width else value.rjust(width))
    return " ".join(cells) + " \n"


# --- scontrol

def scontrol_job(world, element):
    options = element.job["options"]
    array = "" if element.index is None else f" ArrayJobId={element.job['id']} ArrayTaskId={element.index}"
    user, uid = world.says("user", "anna"), world.says("uid", 1000)
    return [
        f"JobId={element.raw_id()}{array} JobName={element.job['name']}",
        f"UserId={user}({uid}) GroupId={user}({uid}) MCS_label=N/A",
        f"JobState={element.state} Reason={element.reason()} Dependency=(null)",
        f"Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode={element.exit()}",
        f"RunTime={span(elapsed(element))} TimeLimit={options.get('time', '00:10:00')} TimeMin=N/A",
        f"SubmitTime={clock(element.job['submitted'])} EligibleTime={clock(element.job['submitted'])}",
        f"StartTime={'Unknown' if element.began() is None else clock(element.began())} "
        f"EndTime={clock(element.step.at) if element.over() else 'Unknown'} Deadline=N/A",
        f"Partition={options.get('partition', 'main')} AllocNode:Sid=login:1", f"NodeList={element.node()}",
        f"Comment={options['comment']}" if "comment" in options else "", f"WorkDir={element.job['folder']}",
    ]


def scontrol_show_job(world, words, one_line, at):
    seen = [each for each in world.elements(at) if each.visible() and not each.purged()]
    if words:
        seen = [each for each in seen if names(words[0], each)]
        if not seen:
            return 1, "", UNKNOWN_JOB
    joint = " " if one_line else "\n   "
    return 0, "".join(joint.join(filter(None, scontrol_job(world, each))) + ("\n" if one_line else "\n\n") for each in seen), ""


def scontrol(world, argv, answer):
    flags = {"o": "oneliner", "h": "help", "d": "details", "V": "version"}
    wanted, words = wishes(argv, {"M": "clusters"}, flags)
    if "says" in answer:
        return 0, answer["says"], ""
    if words[:1] == ["ping"]:
        return 0, "Slurmctld(primary) at login is UP\n", ""
    if words[:2] == ["show", "config"]:
        return 0, (f"MaxArraySize            = {world.says('max_array', 1001)}\n"
                   f"MinJobAge               = {world.says('min_job_age', 300)} sec\nWaitTime                = 0 sec\n"
                   f"ClusterName             = {world.says('cluster', 'fake')}\n"), ""
    if words[:2] in (["show", "job"], ["show", "jobs"]):
        return scontrol_show_job(world, words[2:], "oneliner" in wanted, kept(world, answer))
    return 1, "", f"invalid keyword: {' '.join(words)}\n"

"""The checks of template_values.sh. `options` is a reader of job scripts that shares
nothing with ours: written from what sbatch does, not from launcher/template."""
import os
import random
import subprocess
import sys
import unicodedata

work = os.path.join(sys.argv[1], "values")
os.mkdir(work)
number = int(os.environ.get("TENKAI_TEMPLATE_VALUES", "100000"))
failed = False

pieces = [b"a", b"b c", b"'", b'"', b"\\", b"`", b"$", b"$(touch pwned)", b"`touch pwned`", b"; touch pwned;", b">pwned", b"|tee pwned",
          b"&touch pwned&", b"\n", b"\ntouch pwned\n", b"\n#SBATCH --uid=0", b"\n#PBS -l nodes=9\n", b"#SBATCH --uid=0", b"#", b" #", b"-", b"--uid=0",
          b" --uid=0 ", b"=", b":", b"{{ slurm.qos }}", b"{{", b"}}", b"${x}", b"$((", b"*", b"?", b"~", b"~/x", b"!", b"!!", b"%j", b"\t", b"\r",
          b"hetjob", b"PackJob", b"job", b"EOF", b"\nEOF\n", b"if", b"done", b"(", b")", b"{a,b}", b"[x]", b"\xc3\xa9", b"\xe2\x82\xac",
          b"\xf0\x9f\x98\x80", b"\xc2\x80", b"\xe2\x80\xa8", b"\xff", b"\x01", b"\x7f", b"\x1b[31m", b"\\n", b"\\'", b"<<E", b"A=b", b",", b"@"]


def values():
    dice = random.Random(20260101)
    for i in range(number):
        kind = i % 10
        if kind == 0:
            yield bytes(dice.randrange(1, 256) for _ in range(dice.randrange(0, 24)))
        elif kind == 1:
            yield bytes(dice.randrange(32, 127) for _ in range(dice.randrange(0, 40)))
        else:
            yield b"".join(dice.choice(pieces) for _ in range(dice.randrange(0, 9)))


def fill(template, texts):
    out = subprocess.run([os.environ["FILL_TEMPLATE"]], input=b"\0".join([template, *texts]) + b"\0",
                         stdout=subprocess.PIPE, check=True).stdout
    answers = out.split(b"\0")[:-1]
    assert len(answers) == len(texts)
    return answers


def options(script):
    """The words that sbatch gives to getopt; None where it would end with an error."""
    words, reading = [], True
    if b"\r\n" in script or b"\0" in script:
        return None
    for line in script.split(b"\n"):
        if line[:4] == b"#PBS" or line[:5] == b"#BSUB":
            words.append(line)  # xlate: these count wherever they stand
        if not reading:
            continue
        if line[:7] != b"#SBATCH" and line[:6] != b"#SLURM":
            reading = line.strip(b" \t\v\f\r")[:1] in (b"", b"#")
            continue
        rest = line[7:] if line[:7] == b"#SBATCH" else line[6:]
        while True:
            low = rest.lower()
            for border in (b"hetjob", b"packjob"):
                at = low.find(border)
                if at >= 0:
                    rest = rest[:at] + b" " * len(border) + rest[at + len(border):]
                    low = rest.lower()
            at, word, quote, escape, begun = 0, bytearray(), None, False, False
            while at < len(rest) and rest[at:at + 1] in b" \t\v\f\r":
                at += 1
            if rest[at:at + 1] == b":":
                return None
            while at < len(rest) and (quote or rest[at:at + 1] not in b" \t\v\f\r"):
                c = rest[at:at + 1]
                if escape:
                    escape = False
                elif c == b"\\":
                    escape = True
                    at += 1
                    continue
                elif quote:
                    if c == quote:
                        quote = None
                        at += 1
                        continue
                elif c in b"\"'":
                    quote = c
                    at += 1
                    continue
                elif c == b"#":
                    break
                word += c
                begun = True
                at += 1
            if quote:
                return None
            if not begun:
                break
            words.append(bytes(word))
            rest = rest[at:]
    return words


def has_reason(value, for_sbatch):
    """Whether a value may be refused there."""
    marks = (b"#PBS", b"#BSUB", b"#SLURM")
    lines = value.split(b"\n")
    if b"\r" in value or any(l.startswith(marks) or l.lstrip(b" \t\v\f\r").startswith(b"#SBATCH") for l in lines):
        return True
    if not for_sbatch:
        return False
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return True
    return text == "" or any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in text)


def check(sentence, good):
    global failed
    print(("ok: " if good else "NOT OK: ") + sentence)
    failed = failed or not good


def show(what, value, more=b""):
    print("   ", what, value, more)


def check_directives(texts):
    template = (b"#!/bin/bash\n#SBATCH --job-name={{ launch.name }} --time=1\n#SBATCH --comment {{ launch.name }} # x\n"
                b"#SBATCH --mem=1G\nsay {{ launch.name }}\n")
    wrong = refused = without_reason = 0
    for value, answer in zip(texts, fill(template, texts)):
        if answer[:1] == b"-":
            refused += 1
            if not has_reason(value, True):
                without_reason += 1
                show("refused:", value, answer)
            continue
        if options(answer[1:]) != [b"--job-name=" + value, b"--time=1", b"--comment", value, b"--mem=1G"]:
            wrong += 1
            show("read as something else:", value, options(answer[1:]))
    check(f"sbatch reads {len(texts) - refused} of {len(texts)} values as they are, and no other options", wrong == 0)
    check(f"the other {refused} are refused, each for a reason", without_reason == 0 and 0 < refused < len(texts) * 0.6)


def check_words(texts):
    template = (b"#!/bin/bash\nv={{ launch.name }}\nsay {{ launch.name }} --x={{ launch.name }}y \"$v\" \"z\"{{ launch.name }}\n"
                b"say $(say {{ launch.name }} | tr -d '\\0' >&3; echo .)\n")
    taken, refused, without_reason = [], 0, 0
    for value, answer in zip(texts, fill(template, texts)):
        if answer[:1] == b"+":
            taken.append((value, answer[1:].split(b"\n", 1)[1]))
        else:
            refused += 1
            without_reason += not has_reason(value, False)
    wrong = 0
    # Sub-shells are slow: one in 25 batches has them.
    for begin in range(0, len(taken), 2000):
        batch = taken[begin:begin + 2000]
        if begin // 2000 % 25:
            batch = [(value, body.split(b"\nsay $(say ")[0] + b"\n") for value, body in batch]
        wrong += run_batch(batch)
    check(f"the shell reads {len(taken)} of {len(texts)} values as they are", wrong == 0)
    check(f"the other {refused} are refused, each for a reason", without_reason == 0 and refused < len(texts) * 0.4)


def run_batch(batch):
    script = b"exec 3>/dev/null\nsay() { printf '%s\\0' \"$@\"; }\n" + b"".join(body for _, body in batch)
    with open(work + "/../script", "wb") as file:
        file.write(script)
    if subprocess.run(["bash", "-n", "../script"], cwd=work).returncode != 0:
        show("bash -n refuses a batch", b"")
        return len(batch)
    ran = subprocess.run(["bash", "../script"], cwd=work, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    words = ran.stdout.split(b"\0")[:-1]
    wrong = 0
    for value, body in batch:
        expected = [value, b"--x=" + value + b"y", value, b"z" + value]
        if b"say $(say " in body:
            expected.append(b".")
        if words[:len(expected)] != expected:
            show("read as something else:", value, words[:len(expected)])
            wrong += 1
        words = words[len(expected):]
    return wrong + len(words)


all_values = list(values())
check_directives(all_values)
check_words(all_values)
check("no value has made a file", os.listdir(work) == [])
sys.exit(failed)

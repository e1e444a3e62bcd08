"""The options of a fake sbatch, from its arguments and the #SBATCH lines of a script.

The lines are read as Slurm 22.05 reads them: up to the first that is no comment; in
words, with quotes, and with backslashes even between single ones, which do not keep
a blank from ending a word; from a # outside of quotes on all is comment. What
tests/flows/slurm_alike.sh compares with the real one.
"""

WITH_VALUE = {
    "account": "A", "array": "a", "begin": "b", "chdir": "D", "clusters": "M", "comment": "", "constraint": "C",
    "cores-per-socket": "", "cpus-per-gpu": "", "cpus-per-task": "c", "deadline": "", "dependency": "d",
    "distribution": "m", "error": "e", "exclude": "x", "export": "", "gpus": "G", "gpus-per-node": "",
    "gpus-per-task": "", "gres": "", "hint": "", "input": "i", "job-name": "J", "licenses": "L", "mail-type": "",
    "mail-user": "", "mem": "", "mem-per-cpu": "", "mem-per-gpu": "", "nodelist": "w", "nodes": "N", "ntasks": "n",
    "ntasks-per-node": "", "open-mode": "", "output": "o", "partition": "p", "qos": "q", "reservation": "",
    "signal": "", "sockets-per-node": "", "switches": "", "threads-per-core": "", "time": "t", "time-min": "",
    "tmp": "", "wait-all-nodes": "", "wckey": "", "wrap": "", "kill-on-invalid-dep": "", "prefer": "",
}
WITHOUT = {
    "contiguous": "", "hold": "H", "no-requeue": "", "overcommit": "O", "parsable": "", "quiet": "Q",
    "requeue": "", "spread-job": "", "test-only": "", "verbose": "v", "version": "V", "wait": "W", "use-min-nodes": "",
}
PERHAPS = {"exclusive": "", "nice": "", "oversubscribe": "s", "no-kill": "k", "propagate": "", "get-user-env": ""}
BLANKS = tuple(" \t\v\f\r")
SHORTS = {short: long for table in (WITH_VALUE, WITHOUT, PERHAPS) for long, short in table.items() if short}


class Refused(Exception):
    """Why sbatch does not take it, as it says so; with its exit status."""

    def __init__(self, sentence, status=1):
        super().__init__(sentence)
        self.status = status


def unrecognized(word):
    return Refused(f"sbatch: unrecognized option '{word}'\nTry \"sbatch --help\" for more information", 255)


def long_name(word):
    """The option of --word, which may be shortened where that is clear."""
    names = [*WITH_VALUE, *WITHOUT, *PERHAPS]
    if word in names:
        return word
    found = [name for name in names if name.startswith(word)]
    if len(found) != 1:
        raise unrecognized("--" + word)
    return found[0]


def split(words):
    """The options among words, as (name, value) in their order, and the words after them."""
    words, options = list(words), []
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            try:
                name = long_name(name)
            except Refused:
                raise unrecognized(word) from None
        else:
            if word[1] not in SHORTS:
                raise Refused(f"sbatch: invalid option -- '{word[1]}'\n"
                              "Try \"sbatch --help\" for more information", 255)
            name, value = SHORTS[word[1]], word[2:]
            has_value = value
            if name in WITHOUT and value:
                words.insert(0, "-" + value)
        if name in WITH_VALUE and not has_value:
            if not words:
                raise Refused(f"sbatch: option '{word}' requires an argument\n"
                              "Try \"sbatch --help\" for more information", 255)
            value = words.pop(0)
        options.append((name, value if name not in WITHOUT else ""))
    return options, words


def words_of(text, place):
    """The words of what stands behind #SBATCH."""
    words, word, quote, index = [], None, "", 0
    while index < len(text):
        letter = text[index]
        if letter == "\\":
            if quote or text[index + 1:index + 2] not in (*BLANKS, ""):
                index += 1
                word = (word or "") + text[index:index + 1]
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "'\"":
            quote, word = letter, word or ""
        elif letter in BLANKS:
            if word is not None:
                words.append(word)
            word = None
        elif letter == "#":
            break
        elif word is None and letter == ":":
            raise Refused(f"sbatch: fatal: {place}: Unexpected `:` in [{text.strip()}]")
        else:
            word = (word or "") + letter
        index += 1
    if quote:
        raise Refused(f"sbatch: fatal: {place}: Unmatched `{quote}` in [{text.strip()}]")
    return words if word is None else [*words, word]


def directives(script, name="script"):
    """The options in the #SBATCH lines of a script."""
    options = []
    for number, line in enumerate(script.split("\n"), 1):
        if line.startswith("#SBATCH"):
            words = words_of(line[len("#SBATCH"):], f"{name}: line {number}")
            found, rest = split(words)
            if rest:
                raise Refused(f"sbatch: error: Invalid directive found in batch script: {rest[0]}", 255)
            options += found
        elif line.strip() and not line.startswith("#"):
            break
    return options


def check_script(script):
    if not script:
        raise Refused("sbatch: error: Batch script is empty!")
    if not script.startswith("#!"):
        raise Refused("sbatch: error: This does not look like a batch script.  The first\n"
                      "sbatch: error: line must start with #! followed by the path to an interpreter.\n"
                      "sbatch: error: For instance: #!/bin/sh")
    if "\r\n" in script:
        raise Refused("sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n"
                      "sbatch: error: instead of expected UNIX line breaks (\\n).")
    if "\0" in script:
        raise Refused("sbatch: error: The Slurm controller does not allow scripts that\n"
                      "sbatch: error: contain a NULL character '\\0'.")

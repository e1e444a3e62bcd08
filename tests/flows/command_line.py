# An interactive shell on a terminal of its own, whose completion is tried:
#
#   command_line.py SHELL SCRIPT TEXT...
#
# reads the script into a bash or a zsh, types each text and a tab, and prints the line that
# has come of it.
import os
import pty
import select
import sys
import time

shell, script, texts = sys.argv[1], sys.argv[2], sys.argv[3:]
LIMIT = 60  # seconds for anything that is waited for

# A key that prints the line between marks, and one that empties it.
if shell == "bash":
    command = ["bash", "--norc", "--noprofile", "-i"]
    setup = f"""bind 'set enable-bracketed-paste off'; bind 'set completion-query-items 0'
bind -x '"\\C-x\\C-a": printf "<<<%s>>>" "$READLINE_LINE"'
source {script}
"""
else:
    command = ["zsh", "-f", "-i"]
    setup = f"""PS1='$ '; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D
show() {{ print -rn -- "<<<$BUFFER>>>" }}; zle -N show; bindkey '^X^A' show
source {script}
"""

child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "dumb"
    os.execvp(command[0], command)

seen = b""


def read_until(mark, what):
    """What comes before the mark; both are taken off."""
    global seen
    until = time.monotonic() + LIMIT
    while mark not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
        if not ready:
            sys.exit(f"{shell} has not {what} within {LIMIT} s; it wrote: {seen[-2000:]!r}")
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            sys.exit(f"{shell} has ended: {seen[-2000:]!r}")
    before, seen = seen.split(mark, 1)
    return before


os.write(terminal, (setup + "printf '%s%s\\n' re ady\n").encode())
read_until(b"ready\r\n", "started")
for text in texts:
    os.write(terminal, text.encode() + b"\t\x18\x01")
    read_until(b"<<<", "completed " + text)
    print(read_until(b">>>", "shown the line").decode())
    os.write(terminal, b"\x15")
os.close(terminal)

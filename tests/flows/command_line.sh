#!/usr/bin/env bash
# What the program says of itself: help, manual pages, completion in real shells, its
# version and its plugins. It needs no R.
# time limit: 240 s
. "$(dirname "$0")/common.sh"

said=$work/said
# tenkai ARGUMENTS...: what it writes is in $said, its exit code in $code.
tenkai() {
  code=0
  "$TENKAI_BIN" "$@" >"$said" 2>&1 </dev/null || code=$?
}
says() { grep -qF -- "$1" "$said"; }
said_so() {
  check "$2" [ "$code" = "$1" ]
  check "  and says: $3" says "$3"
  if ! says "$3" || [ "$code" != "$1" ]; then sed 's/^/    /' "$said"; fi
}
# json EXPRESSION: of the document in $said, which is called it.
json() { python3 -c 'import json, sys; it = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$said" "$1"; }

# --- help ---

# All commands of a command, by its help.
commands_of() { "$TENKAI_BIN" "$@" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  .*/\1/p'; }
people=$(commands_of)
check "the help of the program names its commands" [ "$(echo "$people" | wc -w)" -ge 10 ]
for command in $people; do
  tenkai "$command" --help
  check "tenkai $command --help has an example" says "Example:"
  check "  and exit codes" says "Exit codes:"
  check "  and lines that a terminal has room for" [ "$(grep -v '^  tenkai ' "$said" | awk '{ print length }' | sort -n | tail -n 1)" -le 85 ]
done
for command in $people; do
  check "docs/cli.md has the exit codes of $command" grep -q "^| \`$command\`" "$root/docs/cli.md"
done
tenkai plugns
said_so 2 "a command that is nearly right is answered with the one that is" "did you mean 'plugins'"
tenkai carry --profle cpu true
said_so 2 "so is an option of a command that another one follows" "did you mean '--profile'"
tenkai status --color sometimes
said_so 2 "what --color can be is said" "auto,always,never"

# --- manual pages ---

mkdir "$work/man" "$work/man/man1"
tenkai man --into "$work/man/man1" --date 2026-11-30
check "the pages are written" [ "$code" = 0 ]
for command in $people; do check "  one of them of $command" [ -s "$work/man/man1/tenkai-$command.1" ]; done
check "  and none of what is not for people" [ ! -e "$work/man/man1/tenkai-man.1" ]
no_complaint() { ! "$@" 2>&1 >/dev/null | grep .; }
lint_all() { local page; for page in "$work"/man/man1/*.1; do no_complaint "$@" "$page" || return 1; done; }
if command -v groff >/dev/null; then
  check "groff warns of nothing in them" lint_all groff -ww -man -Tutf8 -z
fi
if command -v mandoc >/dev/null; then
  mandoc_lint() { ! mandoc -Tlint -Wall "$1" | grep -v 'referenced manual not found'; }
  for page in "$work"/man/man1/*.1; do check "mandoc complains of nothing in $(basename "$page")" mandoc_lint "$page"; done
fi
if command -v man >/dev/null && command -v groff >/dev/null; then
  check "man shows them" bash -c "MANPATH='$work/man' man tenkai-run 2>&1 | grep -q 'EXIT STATUS'"
fi

# --- completion ---

export TENKAI_CONFIG=$work/tenkai.yaml XDG_CONFIG_HOME=$work HOME=$work
(
  umask 077
  cat >"$TENKAI_CONFIG" <<'YAML'
profiles:
  gpu-large: {launcher: slurm, daemons: 4}
YAML
)
mkdir "$work/bin" "$work/files"
ln -s "$TENKAI_BIN" "$work/bin/tenkai"
touch "$work/files/fit.R"
PATH=$work/bin:$PATH

# What is typed, and what a tab makes of it.
typed=(
  "tenkai stat" "tenkai status "
  "tenkai launch --cred" "tenkai launch --credential"
  "tenkai launch --credential st" "tenkai launch --credential stdin "
  "tenkai launch --profile gpu" "tenkai launch --profile gpu-large "
  "tenkai launch --profile=gpu" "tenkai launch --profile=gpu-large "
  "tenkai launch --by sl" "tenkai launch --by slurm "
  "tenkai profile sh" "tenkai profile show "
  "tenkai profile show gp" "tenkai profile show gpu-large "
  "tenkai completion z" "tenkai completion zsh "
  "tenkai status --color=al" "tenkai status --color=always "
  "tenkai run --wait fi" "tenkai run --wait fit.R "
  "tenkai run fit.R --wai" "tenkai run fit.R --wai"
)
# try_shell SHELL: with its script. Some write the '=' or a blank behind an option by themselves.
try_shell() {
  local shell=$1 i said_line expected texts=() lines=()
  "$TENKAI_BIN" completion "$shell" >"$work/$shell"
  for ((i = 0; i < ${#typed[@]}; i += 2)); do texts+=("${typed[i]}"); done
  (cd "$work/files" && timeout -k 5 100 python3 "$root/tests/flows/command_line.py" "$shell" "$work/$shell" "${texts[@]}") \
    >"$work/lines" 2>"$work/errors" || sed 's/^/    /' "$work/errors"
  mapfile -t lines <"$work/lines"
  for ((i = 0; i < ${#typed[@]}; i += 2)); do
    said_line=${lines[i / 2]-} expected=${typed[i + 1]}
    check "$shell makes '$expected' of '${typed[i]}'" [ "${said_line%[ =]}" = "${expected% }" ]
    [ "${said_line%[ =]}" = "${expected% }" ] || echo "    but: '$said_line'"
  done
}
try_shell bash
if command -v zsh >/dev/null; then try_shell zsh; else echo "skipped: there is no zsh here"; fi
if command -v fish >/dev/null; then
  "$TENKAI_BIN" completion fish >"$work/fish"
  for ((i = 0; i + 2 < ${#typed[@]}; i += 2)); do
    expected=${typed[i + 1]% }
    fish_completes() { (cd "$work/files" && fish --no-config -c "source $work/fish; complete -C '${typed[i]}'") | cut -f1 | grep -qxF -- "${expected##* }"; }
    check "fish makes '$expected' of '${typed[i]}'" fish_completes
  done
else
  echo "skipped: there is no fish here"
fi
if command -v shellcheck >/dev/null; then check "the script for bash is a good one" shellcheck "$work/bash"; fi

# --- version ---

version=$(sed -n 's/^project(tenkai VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
tenkai version
said_so 0 "version says how the program was built" "tenkai $version"
check "  with which libraries" says "OpenSSL 3."
tenkai version --json
check "as JSON it is JSON" json 'it["version"] and it["compiler"] and it["libraries"]["Boost"].startswith("1.")'

# --- clean ---

export XDG_CACHE_HOME=$work/brought
tenkai clean
said_so 0 "clean says where nothing is" "nothing was brought to $work/brought/tenkai"
mkdir -p "$XDG_CACHE_HOME/tenkai/$version/library-1" "$XDG_CACHE_HOME/tenkai/0.0.9" "$XDG_CACHE_HOME/tenkai/launch-x"
tenkai clean --dry-run
said_so 0 "clean --dry-run removes nothing" "would remove $XDG_CACHE_HOME/tenkai/0.0.9"
check "  of what was brought" [ -d "$XDG_CACHE_HOME/tenkai/0.0.9" ]
tenkai clean --keep
said_so 0 "clean --keep removes other versions" "removed $XDG_CACHE_HOME/tenkai/0.0.9"
check "  and leaves its own" [ -d "$XDG_CACHE_HOME/tenkai/$version" ]
tenkai clean --json
check "clean removes all, and says so as JSON" json '[one["state"] for one in it["versions"]] == ["removed"]'
check "  and leaves what was not brought" [ "$(ls "$XDG_CACHE_HOME/tenkai")" = launch-x ]
unset XDG_CACHE_HOME

# --- plugins ---

tenkai plugins --json
check "plugins names each launcher" json '[one["name"] for one in it["plugins"]] == ["command", "mpi", "slurm", "ssh"]'
check "  with its command" json 'all(one["command"][1:] == ["plugin", one["name"]] for one in it["plugins"])'
check "  and one that needs nothing is ready" json 'it["plugins"][0]["state"] == "ready"'
# A machine on which nothing is installed.
PATH=$work/bin tenkai plugins
said_so 0 "what a launcher lacks is said" "slurm: no sbatch: no job can be submitted from this machine"
check "  of ssh, too" says "ssh: no ssh: "
check "  and of mpi" says "mpi: no mpirun: "
TENKAI_PLUGINS=$root/tests/data/plugins tenkai plugins
said_so 0 "a plugin of the user is found" "tests/data/plugins/tenkai-plugin-tiny"
printf '#!/bin/sh\necho "{\\"version\\":\\"99.0.0\\"}"\n' >"$work/bin/tenkai-plugin-ssh"
chmod 755 "$work/bin/tenkai-plugin-ssh"
TENKAI_PLUGINS=$work/bin tenkai plugins
said_so 0 "one of another release, in the place of ours, is told" "ssh: it is of tenkai 99.0.0, this is $version"
mkdir "$work/own"
# Mute, and not to be stopped by an end of its input.
printf '#!/bin/sh\ntrap "" TERM\nexec sleep 1000\n' >"$work/own/tenkai-plugin-mute"
chmod 755 "$work/own/tenkai-plugin-mute"
TENKAI_FLOW=$mark TENKAI_PLUGINS=$work/own tenkai plugins --json
check "one that says nothing of itself is found all the same" json '{one["name"]: one["state"] for one in it["plugins"]}["mute"] == "found"'
check "  and is not left behind" wait_for 10 nothing_is_left
finish

#!/usr/bin/env bash
# `tenkai status` and `tenkai launch` beside a real R session, with real daemons: what
# they show, what they launch, and what they say where they cannot.
# time limit: 240 s
. "$(dirname "$0")/common.sh"

said=$work/said
# tenkai ARGUMENTS...: what it writes is in $said, its exit code in $code.
tenkai() {
  code=0
  TENKAI_FLOW=$mark "$TENKAI_BIN" "$@" >"$said" 2>&1 </dev/null || code=$?
}
says() { grep -qF -- "$1" "$said"; }
# said_so CODE SENTENCE TEXT: what the last command said.
said_so() {
  check "$2" [ "$code" = "$1" ]
  check "  and says: $3" says "$3"
  if ! says "$3" || [ "$code" != "$1" ]; then sed 's/^/    /' "$said"; fi
}

start Rscript --vanilla cli.R "$work"
session=$started
check "a session is ready" wait_for 60 [ -e "$work/ready" ]
[ -e "$work/ready" ] || finish

# --- status ---

tenkai status --pid "$session"
said_so 0 "status finds the dispatchers of a session" "profile far (dispatcher "
check "  and the other one" says "profile default (dispatcher "
check "  with what it has done" says "1 daemon online; tasks: 0 waiting, 0 running, 1 done"
tenkai status --pid "$session" --color always
check "  unless they are asked for" grep -q $'\033' "$said"
tenkai status --pid "$session"
far=$(sed -n 's/^profile far (dispatcher \([0-9]*\),.*/\1/p' "$said")
check "  without colours, because this is no terminal" bash -c "! grep -q $'\033' '$said'"
tenkai status --pid "$far"
check "a dispatcher is found by its own process id" [ "$code" = 0 ]
check "  and then the other is not shown" [ "$(grep -c '^profile' "$said")" = 1 ]
tenkai status --json --pid "$session"
check "as JSON it is JSON" python3 -m json.tool "$said" "$work/json"
check "  of both" [ "$(grep -c '"profile"' "$work/json")" = 2 ]
check "  with their session" grep -q "\"session_pid\": $session,\?" "$work/json"

# --- launch ---

by_sh=(--by command --program sh --args -c --args .)
tenkai launch "${by_sh[@]}" --pid "$session"
said_so 2 "which of two dispatchers is meant must be said" "more than one dispatcher"
check "  and both are named" [ "$(grep -c '  profile ' "$said")" = 2 ]

tenkai launch "${by_sh[@]}" --pid "$far" --dry-run
said_so 0 "a dry run shows the commands" 'sh -c "Rscript -e \"tenkai::daemon('
check "  of each free daemon" [ "$(wc -l <"$said")" = 3 ]
tenkai status --pid "$far"
check "  and launches nothing" bash -c "! grep -q ' command ' '$said'"

(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  far: {launcher: command, url: "ws://:0", command: {program: sh, args: [-c, .]}}
YAML
)
TENKAI_CONFIG=$work/tenkai.yaml tenkai launch --profile far --slots 1
said_so 0 "launch brings a real daemon to the dispatcher with the profile's name" "daemon 1, by command has joined"
tenkai launch "${by_sh[@]}" --pid "$far" --daemons 1
said_so 0 "  or to the one that is said, and waits for it" "daemon 2, by command has joined"
check "the session works with them" wait_for 90 [ -e "$work/worked" ]

tenkai launch "${by_sh[@]}" --pid "$far" --slots 1
said_so 2 "where a daemon is, no other one is launched" "daemon 1 is online already; free are 3"
tenkai launch "${by_sh[@]}" --pid "$far" --rscript /no/such/Rscript --json
check "a launch that fails has exit code 1" [ "$code" = 1 ]
check "  and, as JSON, its cause" grep -q '"cause":"rscript_missing"' "$said"
check "  in a document" python3 -m json.tool "$said" "$work/json"
tenkai status --pid "$far"
check "the cause is in the status" says "rscript_missing"
tenkai launch --by nonsense --pid "$far"
said_so 2 "an unknown plugin is named" "there is no launcher plugin 'nonsense'"

# --- others ---

as_if_alone() { unshare --net "$TENKAI_BIN" "$@"; }
if unshare --net true 2>/dev/null; then
  code=0
  as_if_alone status >"$said" 2>&1 || code=$?
  said_so 1 "where there is none, status says so" "no dispatcher of yours runs on this machine"
  code=0
  as_if_alone launch --by command --program srun --no-quote --dry-run --url wss://login1:5555 --daemons 2 >"$said" 2>&1 ||
    code=$?
  said_so 0 "without a dispatcher a dry run needs a URL" \
    "srun Rscript -e \"tenkai::daemon('wss://login1:5555/2',credential='@"
fi

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$work"
  cp "$TENKAI_BIN" "$work/tenkai"
  as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  code=0
  "${as_nobody[@]}" "$work/tenkai" status --pid "$far" >"$said" 2>&1 || code=$?
  said_so 1 "another user is told whose dispatcher it is" "the dispatcher $far belongs to uid 0"
  # Somebody listens at a name that says it is ours.
  cat >"$work/squat.py" <<'PYTHON'
import socket, sys, time
door = socket.socket(socket.AF_UNIX)
door.bind("\0" + sys.argv[1])
door.listen()
print("listening", flush=True)
time.sleep(60)
PYTHON
  start "${as_nobody[@]}" /usr/bin/python3 "$work/squat.py" tenkai-0-viewer-1-0123456789abcdef
  check "somebody else takes a name of ours" wait_for 10 grep -q listening "$work/output"
  tenkai status --pid 1
  said_so 1 "and is not looked at" "there is no dispatcher of yours with the process id 1"
  tenkai status
  check "  nor in the way" [ "$code" = 0 ]
  kill "$started"
fi

touch "$work/enough"
session_has_ended() { ! [ -d "/proc/$session" ]; }
check "the session ends" wait_for 60 session_has_ended
check "with everything as it should be" bash -c "! grep 'NOT OK' '$work/output'"
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish

#!/usr/bin/env bash
# `tenkai doctor` on this machine: nothing on a healthy one, and what is staged.
# time limit: 120 s
. "$(dirname "$0")/common.sh"
. ./doctor_common.sh

healthy "a laptop"
rows() { (cd "$work/here" && HOME=$home "$TENKAI_BIN" doctor --rows) >"$work/rows"; }
rows
check "there is a row for each check" [ "$(awk -F'\t' 'NF == 5' "$work/rows" | wc -l)" = "$(grep -cE '^(ok|skipped) ' "$work/out")" ]
doctor --json
check "as JSON, too" python3 -c 'import json, sys; it = json.load(open(sys.argv[1])); assert it["wrong"] == 0 and it["checks"][0]["state"] == "ok"' "$work/out"
doctor --profil x
check "a wrong command line is 2" [ "$status" = 2 ]
cat >"$work/doctor.R" <<'R'
found <- tenkai::doctor()
stopifnot(inherits(found, "tenkaiDoctor"), !any(found$state %in% c("wrong", "warning")))
print(found)
R
check "in R, the same" bash -c 'HOME=$1 Rscript "$2" >"$3"' bash "$home" "$work/doctor.R" "$work/out"
check "with what the session knows" says 'ok       session.program'

mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/old" && chmod +x "$work/bin/old"
printf '#!/bin/sh\nprintf "@r=4.0.5\\n@end=yes\\n"\n' >"$work/bin/Rscript4.0" && chmod +x "$work/bin/Rscript4.0"
printf '#!/bin/sh\nsleep 6.2\nexec Rscript "$@"\n' >"$work/bin/slow" && chmod +x "$work/bin/slow"
profiles <<YAML
profiles:
  missing: {launcher: local, environment: {rscript: /no/Rscript}}
  old: {launcher: local, environment: {rscript: $work/bin/Rscript4.0}}
  slow: {launcher: local, environment: {rscript: $work/bin/slow}}
  module: {launcher: command, command: {program: sh}, environment: {modules: [R/9.9]}, url: "wss://127.0.0.1:0"}
  card: {launcher: command, command: {program: sh}, interface: ib7}
  many: {daemons: 400}
  srun: {launcher: command, command: {program: no-such-srun}, url: "wss://127.0.0.1:0"}
YAML
staged F1 wrong r "is not found" --profile missing
staged F1 wrong r.version "4.1 or later" --profile old
staged F1 wrong r "module" --profile module
staged F5 wrong profile.address "there is no network interface 'ib7'" --profile card
staged F25 wrong program.launcher "no-such-srun: is not found" --profile srun
staged F22 warning r.start "to start" --profile slow
before=(env "R_LIBS=$work/none")
staged F1 wrong r.package "not in R's libraries"
before=(bash -c 'ulimit -n 400; exec "$@"' bash)
staged F21 wrong machine.open_files "too few for 400 daemons" --profile many
before=(bash -c 'ulimit -t 900; exec "$@"' bash)
staged F23 warning machine.cpu_time "killed after 900 s"
before=(env OMP_NUM_THREADS=512)
staged F27 warning machine.processors "OMP_NUM_THREADS is 512"
before=()
profiles <<YAML
profiles:
  mine: {launcher: slurm, slurm: {options: [--job-name=mine]}}
YAML
staged F19 wrong profile.files "job-name" --profile mine
profiles <<YAML
profiles:
  mine: {launcher: slurm, slurm: {options: [--output=/dev/null]}}
YAML
staged F20 wrong profile.files "slurm.logs" --profile mine
profiles <<<'profiles: {mine: {launcher: local, environment: {rscript: /no/Rscript}}, other: {lancher: slurm}}'
staged another wrong r "/no/Rscript: is not found" --profile mine
check "  and what is wrong in the other profile" finds wrong profile.files
profiles <<<'profiles: {mine: {daemons: 1}}'
staged typo wrong profile.known "did you mean 'mine'" --profile minne

printf '#!/bin/sh\necho $$ >"%s/hangs"\nexec sleep 300\n' "$work" >"$work/bin/hangs" && chmod +x "$work/bin/hangs"
profiles <<<"profiles: {hangs: {launcher: local, environment: {rscript: $work/bin/hangs}}}"
HOME=$home TENKAI_CONFIG=$config "$TENKAI_BIN" doctor --profile hangs >/dev/null 2>&1 &
asking=$!
asked() { [ -s "$work/hangs" ]; }
check "an Rscript that hangs is waited for" wait_for 20 asked
kill -INT "$asking"
status=0
wait "$asking" || status=$?
check "Ctrl-C ends the doctor" [ "$status" = 130 ]
is_over() { ! kill -0 "$(cat "$work/hangs")" 2>/dev/null; }
check "  and whom it has asked" wait_for 10 is_over
finish

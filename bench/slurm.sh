#!/usr/bin/env bash
# How soon daemons are there while most of a Slurm is busy, beside a bare job array of
# the same shape; bench/run --slurm. On a private Slurm of 8 processors, 5 of which are
# busy, some of them for 8, 12 and 16 s:
#
#   bench/slurm.sh ROUNDS
#
# Prints a line for each round: seconds to the first and to the fourth of 8, of either.
set -eu
rounds=${1:-3}
cd "$(dirname "$0")/../tests/flows"
# shellcheck source-path=SCRIPTDIR/../tests/flows
. ./common.sh
# shellcheck source=../tests/slurm/cluster.sh
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=4 >/dev/null
cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  bench: {launcher: slurm, daemons: 8, threads: none, slurm: {time: 10}}
YAML
export TENKAI_CONFIG=$work/tenkai.yaml

# Three of the processors stay free.
make_busy() {
  for seconds in 8 12 16 60 60; do
    sbatch --parsable --output=/dev/null -n1 --wrap "sleep $seconds" >/dev/null
  done
  slurm_wait 20 all_run
}
all_run() { [ "$(squeue -h -t R | wc -l)" = 5 ]; }
is_quiet() { [ -z "$(squeue -h)" ]; }
quiet() {
  scancel --me
  slurm_wait 30 is_quiet
}

now() { date +%s.%N; }
# seconds_to COUNT START: until so many files are there.
seconds_to() {
  while [ "$(find "$work/here" -type f | wc -l)" -lt "$1" ]; do sleep 0.05; done
  awk -v begin="$2" -v end="$(now)" 'BEGIN { printf "%.2f", end - begin }'
}

# The controller looks at new jobs once a second or so: who submits right before it does is
# a second quicker. Both submit at the same moment of a second, another one in each round.
wait_for_phase() {
  sleep "$(awk -v now="$(now)" -v phase="$phase" 'BEGIN { wait = phase - now % 1; print wait < 0 ? wait + 1 : wait }')"
}

bare() {
  rm -rf "$work/here" && mkdir "$work/here"
  wait_for_phase
  start=$(now)
  # R itself is the least that a daemon needs.
  sbatch --parsable --output=/dev/null --array=0-7 -n1 --time=10 \
    --wrap "Rscript -e 'library(tenkai); file.create(paste0(\"$work/here/\", Sys.getpid())); Sys.sleep(60)'" >/dev/null
  echo "$(seconds_to 1 "$start") $(seconds_to 4 "$start")"
}

ours() {
  PHASE=$phase Rscript --vanilla - <<'R'
library(tenkai)
Sys.sleep((as.numeric(Sys.getenv("PHASE")) - as.numeric(Sys.time())) %% 1)
start <- Sys.time()
invisible(daemons(profile = "bench"))
passed <- function(count) {
  while (sum(status("bench")$daemons[, "online"]) < count) Sys.sleep(0.05)
  sprintf("%.2f", as.numeric(Sys.time() - start, units = "secs"))
}
cat(passed(1), passed(4), "\n")
invisible(daemons(0, .compute = "bench"))
R
}

echo "round  bare: first, fourth of 8 [s]  tenkai: first, fourth [s]  ratios"
for round in $(seq "$rounds"); do
  phase=$(awk -v round="$round" -v rounds="$rounds" 'BEGIN { print (round - 0.5) / rounds }')
  make_busy; one=$(bare); quiet
  make_busy; two=$(ours); quiet
  echo "$one $two" >>"$work/rounds"
  echo "$one $two" | awk -v round="$round" '{ printf "%5d  %10s %10s  %19s %10s  %13.2f %.2f\n", round, $1, $2, $3, $4, $3 / $1, $4 / $2 }'
done
for what in 1:first 2:fourth; do
  column=${what%:*}
  ratio=$(awk -v c="$column" '{ ours += $(c + 2); bare += $c } END { print ours / bare }' "$work/rounds")
  awk -v ratio="$ratio" -v name="${what#*:}" 'BEGIN {
    printf "  %-12s  the %s daemon, against a bare job, mean  %.2f  (<= 1.2)\n",
      ratio <= 1.2 ? "reached" : "NOT REACHED", name, ratio }'
done

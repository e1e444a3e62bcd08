#!/usr/bin/env bash
# What a session says where Slurm does what a private one cannot be made to do: jobs of a
# fake one, which really run and end by a word of their own, and answers that are late,
# dirty, lost or wrong.
# time limit: 250 s
. "$(dirname "$0")/common.sh"
export FAKE_SLURM=$work/play PATH=$root/tests/slurm/fake:$PATH
mkdir "$FAKE_SLURM"
ulimit -c 0
leave() {
  local folder
  for folder in "$FAKE_SLURM" "$work"/purged/*; do FAKE_SLURM=$folder fake_slurm stop || true; done
  clean_up
}
trap leave EXIT
(
  umask 077
  cat >"$work/profiles.yaml" <<YAML
profiles:
  base: {launcher: slurm, daemons: 1, threads: 1, url: "wss://127.0.0.1:0", retries: {default: 0}, slurm: {time: 10}}
  eight: {inherits: base, daemons: 8, slurm: {array-chunk: 1}}
  grown: {inherits: base, scale: {min: 8, max: 8}, slurm: {array-chunk: 1}}
YAML
  for name in oom boot deadline oom-2 boot-2 deadline-2 preempted-2 lost-word dirt lag down too-long held purged purged-no-db purged-task; do
    echo "  $name: {inherits: base}" >>"$work/profiles.yaml"
  done
)
export TENKAI_CONFIG=$work/profiles.yaml
run_r_beside slurm_purged.R
run_r slurm_truth_fake.R
finish_beside
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish

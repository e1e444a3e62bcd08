#!/usr/bin/env bash
# `tenkai doctor` with a private Slurm: nothing on a healthy one, and what is staged.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
. ./doctor_common.sh
trap 'stop_slurm; clean_up' EXIT
chmod 755 "$work"

# programs NAME LINE...: a folder in front of the PATH, with a program of this text.
programs() {
  mkdir -p "$work/front"
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$work/front/$1"
  chmod +x "$work/front/$1"
  before=(env "PATH=$work/front:$PATH")
}
no_programs() { rm -rf "$work/front" && before=(); }
real() { command -v "$1"; }

start_slurm "$work/slurm" nodes=2 cpus=4 memory=4000 PreemptType=preempt/partition_prio PreemptMode=REQUEUE \
  "PartitionName=brief Nodes=n1 MaxTime=5" "PartitionName=closed Nodes=n1 State=DOWN" \
  "PartitionName=front Nodes=n1 AllocNodes=elsewhere" "PartitionName=low Nodes=n1 PriorityTier=1 PreemptMode=REQUEUE" \
  "PartitionName=lone Nodes=n2"
# The partition that is the default must not be one of which jobs have to make room.
scontrol update partitionname=main PreemptMode=OFF

mkdir "$home/logs"
profiles <<YAML
profiles:
  cpu: {launcher: slurm, daemons: 4, url: "wss://:0", slurm: {time: 30, mem: 1G, array-chunk: 2}}
  step: {launcher: slurm, daemons: 2, slurm: {nodes: 2, time: 5}}
  missing: {inherits: cpu, environment: {rscript: /no/Rscript}}
  large: {inherits: cpu, slurm: {array-chunk: 2, mem: 1G}, limits: {memory: 900M}}
  lasting: {inherits: cpu, limits: {walltime: 2h}}
  brief: {inherits: cpu, slurm: {partition: brief, time: 30}}
  card: {inherits: cpu, url: null, interface: ib7}
  front: {inherits: cpu, slurm: {partition: front}}
  kept: {inherits: cpu, slurm: {partition: low}, retries: {preempted: 0}}
  memory: {inherits: cpu, slurm: {mem: 9G}}
  wide: {inherits: cpu, slurm: {cpus-per-task: 9}}
  gpu: {inherits: cpu, slurm: {gpus-per-task: 1}}
  typo: {inherits: cpu, slurm: {partition: mian}}
  closed: {inherits: cpu, slurm: {partition: closed}}
  odd: {inherits: cpu, slurm: {options: ["--constraint=a&&(b"]}}
  apart: {inherits: cpu, slurm: {logs: ~/logs}}
  nowhere: {inherits: cpu, slurm: {logs: ~/none}}
  many: {inherits: cpu, daemons: 30000}
  image: {inherits: cpu, environment: {apptainer: $work/none.sif}}
  crowd: {inherits: cpu, threads: 8, slurm: {cpus-per-task: 2}}
  dialled: {inherits: cpu, url: "wss://192.0.2.77:0"}
  cut: {inherits: cpu, environment: {prologue: "export PATH=$work/cut:\$PATH"}}
  bare: {inherits: cpu, environment: {prologue: "export R_LIBS=/none R_LIBS_USER=/none"}}
  module: {inherits: cpu, environment: {modules: [R/9.9]}}
  lone: {inherits: cpu, slurm: {partition: lone}}
YAML

healthy "a Slurm" --profile cpu
check "the script itself was tested" says "it would be taken"
healthy "one job over two nodes" --profile step
healthy "a Slurm and no profile"
before=(env USER=no-such-user)
healthy "a Slurm, and a USER that is not who this is" --profile cpu
before=()

# A job is sent on its way, and comes back.
mkdir "$work/cut"
printf '#!/bin/sh\nexit 1\n' >"$work/cut/timeout" && chmod +x "$work/cut/timeout"
healthy "a probe" --profile cpu --probe
check "it comes back by the name of this machine" says "by which daemons connect, leads back"
check "it tells its memory" grep -qE ' probe.memory .* [0-9]+ MiB$' "$work/out"
no_jobs() { [ -z "$(squeue -h)" ]; }
check "no job is left" slurm_wait 10 no_jobs
check "no folder is left" [ -z "$(ls -A "$XDG_CACHE_HOME/tenkai")" ]
staged F5 wrong probe.url "does not lead back from there" --profile dialled --probe
staged F6 wrong probe.reach "a firewall, or no route" --profile cut --probe
check "F6: the job has left the rest in the folder" finds ok probe.r
staged F1 wrong probe.r.package "is not in R's libraries" --profile bare --probe
staged F1 wrong probe.job "module" --profile module --probe
staged F17 wrong probe.job "has not reported within 4 s" --profile closed --probe --wait 4
check "nor is a job left that never began" slurm_wait 10 no_jobs

staged F1 warning r "is not found" --profile missing
staged F2 warning profile.memory "Slurm would kill it" --profile large
staged F4 warning profile.time "longer than the job itself" --profile lasting
staged F17 wrong slurm.time "more than the partition allows" --profile brief
staged F5 wrong profile.address "no network interface 'ib7'" --profile card
staged F8 wrong slurm.partition "takes jobs from elsewhere alone" --profile front
staged F14 warning slurm.preemption "are lost" --profile kept
staged F17 wrong slurm.memory "more than any node" --profile memory
staged F17 wrong slurm.processors "more than any node" --profile wide
staged F17 wrong slurm.gpus "no node of main has one" --profile gpu
staged F17 wrong slurm.test "Slurm refuses it" --profile memory
staged F17 wrong slurm.partition "did you mean 'main'" --profile typo
staged F17 wrong slurm.partition "takes no jobs now" --profile closed
staged F18 wrong slurm.test "Slurm refuses it" --profile odd
staged F20 wrong profile.logs "there is no such folder" --profile nowhere
staged F20 warning profile.logs "of this machine alone" --profile apart
staged F21 warning slurm.limit "15000 jobs" --profile many
staged F25 warning r "wants the image" --profile image
staged F27 warning profile.threads "would wait for each other" --profile crowd

before=(env SBATCH_QOS=other SBATCH_TIMELIMIT=1 SLURM_CPU_BIND=none)
staged F16 warning slurm.variables "SBATCH_QOS=other will count" --profile cpu
check "F16: what the profile says itself is not changed, so not complained of" [ -z "$(grep -F TIMELIMIT "$work/out")" ]
no_programs

programs squeue 'exec sleep 60'
staged F9 wrong slurm.queue "gives no answer within 5 s" --profile cpu
programs squeue 'sleep 3.2'
staged F9 warning slurm.queue "is overloaded" --profile cpu
no_programs
programs sbatch 'echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1'
staged F10 wrong slurm.test "Socket timed out" --profile cpu
programs sbatch "[ \$1 != --version ] || exec echo slurm 20.02.7" "exec $(real sbatch) \"\$@\""
staged F26 warning slurm.version "waits for the daemon's own step" --profile cpu
no_programs
programs scontrol "[ \"\$2\" != config ] || { $(real scontrol) \"\$@\" | sed 's,^\(AccountingStorageType *= \).*,\1accounting_storage/slurmdbd,'; exit; }" \
  "exec $(real scontrol) \"\$@\""
programs sacct 'echo "sacct: error: Problem talking to the database: Connection refused" >&2; exit 1'
staged F29 warning slurm.database "Problem talking to the database" --profile cpu
no_programs
programs scontrol "[ \"\$2\" != config ] || { $(real scontrol) \"\$@\" | sed 's/^MinJobAge .*/MinJobAge = 2 sec/'; exit; }" \
  "exec $(real scontrol) \"\$@\""
staged F12 warning slurm.database "Slurm forgets a job 2 s after its end" --profile cpu
no_programs

mkdir "$work/bare"
for program in bash sh env Rscript R sed grep uname dirname basename rm which; do
  ln -sf "$(command -v "$program")" "$work/bare/$program"
done
before=(env "PATH=$work/bare")
staged F25 wrong slurm.programs "not in the PATH" --profile cpu
no_programs

slurm_kill n2
scontrol update nodename=n2 state=down reason='no power'
staged F15 wrong slurm.nodes "no power" --profile lone
healthy "a Slurm with one node less" --profile cpu
slurm_kill slurmctld TERM
staged F9 wrong slurm.answer "controller" --profile cpu
finish

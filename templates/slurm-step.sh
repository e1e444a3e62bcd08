#!/bin/bash
# The script of tenkai for daemons within a job that runs already: srun starts the agents
# as a step of it. docs/templates.md says what is put in, and how to write another.

# Nobody may read what this writes any more; that is no reason to end.
trap '' PIPE
{{ launch.status-file }}
# This one is of the step; JOBID_RANK are those of its agents.
status_file=$status_folder/$SLURM_JOB_ID
write_status started "${SLURMD_NODENAME:-$(uname -n)}" "${SLURM_RESTART_COUNT:-0}"
end_of_job

{{ launch.environment }}
{{ launch.agent }}
# What one agent does before it is one. Its exit is srun's to tell.
rank_offset={{ launch.rank-offset }}
rank() {
  trap '' USR1 USR2
  export TENKAI_RANK=$((SLURM_PROCID + rank_offset))
  status_file=$status_folder/${SLURM_JOB_ID}_$SLURM_PROCID
  write_status started "${SLURMD_NODENAME:-$(uname -n)}" "${SLURM_RESTART_COUNT:-0}"
  write_status ready
  write_status rscript "$rscript"
  unset -f write_status rank
  exec "$@"
}
export -f write_status rank
export status_folder rank_offset rscript

# The job's processors and memory are shared with whatever else runs in it: the session,
# other daemons, steps that their tasks start.
options=(--overlap --mem=0 --wait=0 --kill-on-bad-exit=0 --unbuffered --open-mode=append --input=none)
options+=(--job-name={{ launch.name }})
options+=(--nodes={{ slurm.nodes }} --ntasks={{ launch.ntasks }} --cpus-per-task={{ launch.cpus }})
options+=(--gpus-per-task={{ launch.gpus | }})
options+=(--output={{ launch.log }}.%t)
run srun "${options[@]}" bash -c 'rank "$@"' rank "${agent[@]}"

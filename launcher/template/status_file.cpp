#include <string>
#include <string_view>

#include "launcher/template/environment.h"
#include "launcher/template/shell.h"

namespace tenkai {
namespace {

// Without a trap of its own TERM would leave the status of the last command for the exit.
// Nothing here may end a job, whatever the file system does. One printf is one write:
// lines of two writers do not mix. The sub-shell keeps its umask to itself, because
// what tasks write is not ours to hide.
// The folder above goes with the session, and is not made again.
// A prologue may have changed IFS, and may have asked for the end at any failure.
constexpr std::string_view functions = R"sh(
write_status() {
  (umask 077; IFS=' '; [ -d "$status_folder" ] || mkdir "$status_folder"
    printf '%s\n' "$*" >>"$status_file") 2>/dev/null || :
}

# What comes behind it at the end finds the exit code where it was.
tell_exit() {
  set +e
  write_status exit "$1"
  return "$1"
}

# fail WHAT SENTENCE [STATUS]
fail() {
  write_status failed "$1"
  printf 'tenkai: %s\n' "$2" >&2
  exit "${3:-1}"
}

# end_of_job [SECONDS]: exports TENKAI_JOB_END, when the job ends, in seconds since 1970, for
# the agent: as Slurm says it (from 23.02 on), or so long from now, or, without a number or
# with 0, Slurm is asked, once.
end_of_job() {
  local end=${SLURM_JOB_END_TIME-}
  [ -n "$end" ] || [ "${1:-0}" = 0 ] || end=$(($(date +%s) + $1))
  [ -n "$end" ] || end=$(asked_end_of_job) || :
  export TENKAI_JOB_END=$end
}

hand_on() {
  signalled=yes
  [ -z "$agent" ] || kill "-$1" "$agent" 2>/dev/null || :
}

# run COMMAND...: hands TERM to it, once, and the notices USR1 and USR2; waits until it has
# ended, and ends as it did.
run() {
  agent= signalled=
  trap 'trap : TERM; hand_on TERM' TERM
  "$@" &
  agent=$!
  # A notice is no TERM that came too early.
  [ -z "$signalled" ] || kill -TERM "$agent" 2>/dev/null || :
  if [ "${notices-}" != none ]; then
    trap 'hand_on USR1' USR1
    trap 'hand_on USR2' USR2
  fi
  while :; do
    signalled=
    wait "$agent" && code=0 || code=$?
    # A signal ends the wait, not the agent.
    [ -n "$signalled" ] || exit "$code"
  done
}

# That the job ends soon is no news before there is an agent, and must not end it now.
trap '' USR1 USR2
trap 'tell_exit "$?"' EXIT
trap 'exit 143' TERM

# A trap of a prologue's for the exit comes behind ours, and not in its place.
trap() {
  builtin trap "$@" || return
  [ "$BASHPID" = "$$" ] || return 0
  local IFS=' ' exit_trap
  case " $* " in *[Ee][Xx][Ii][Tt]* | *' 0 '*) ;; *) return 0 ;; esac
  exit_trap=$(builtin trap -p EXIT)
  case $exit_trap in *tell_exit*) return 0 ;; esac
  eval "exit_trap=(${exit_trap:-trap -- : EXIT})"
  builtin trap 'tell_exit "$?"; '"${exit_trap[2]}" EXIT
}
)sh";

}  // namespace

// A controller that does not answer must not keep a job from its work.
std::string_view asked_end_of_job() {
  return R"sh(
asked_end_of_job() {
  end_text=$(timeout 5 squeue -h -j "$SLURM_JOB_ID" -o %e 2>/dev/null)
  date -d "${end_text:-unknown}" +%s 2>/dev/null
}
)sh";
}

Result<std::string> status_file_script(const TemplateValues& values) {
  auto folder = values.find("launch.folder");
  if (folder == values.end() || folder->second.size() != 1) {
    return Error{
        "the job script needs 'launch.folder', the folder of the launch, for its status file; set it"};
  }
  return "# What the job tells of itself: lines in a file below the folder of the launch.\n"
         "status_folder=" +
         sh_word(folder->second[0]) +
         "/status\n"
         "status_file=$status_folder/${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}_${SLURM_ARRAY_TASK_ID:-0}\n" +
         std::string(asked_end_of_job().substr(1)) + std::string(functions);
}

std::string_view old_status_names() {
  return R"sh(
beacon_folder=$status_folder
beacon_file=$status_file
beacon() {
  (umask 077; IFS=' '; [ -d "$beacon_folder" ] || mkdir "$beacon_folder"
    printf '%s\n' "$*" >>"$beacon_file") 2>/dev/null || :
}
write_status() { beacon "$@"; }
echo 'tenkai: launch.beacons is called launch.status-file now, and beacon write_status' >&2
)sh";
}

}  // namespace tenkai

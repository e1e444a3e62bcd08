#!/usr/bin/env bash
# The fake sbatch and the real one, side by side: what they make of the same scripts,
# and what they and squeue say where there is something wrong.
# time limit: 180 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
fake=$root/tests/slurm/fake
export FAKE_SLURM=$work/play
mkdir "$FAKE_SLURM"
echo '{"partitions": ["main"], "user": "'"$(id -un)"'"}' >"$FAKE_SLURM/script.json"
start_slurm "$work/slurm" nodes=1 cpus=1
cd "$work"

# by PATH COMMAND...: exit status and what is said, without numbers of jobs and
# the valid names of a list.
by() {
  local path=$1 status=0
  shift
  PATH=$path:$PATH "$@" >out 2>&1 || status=$?
  echo "status $status"
  grep -v 'Valid job states\|^$' out || true
}
# made PATH TEXT [ARGUMENT...]: what becomes of a script with this text.
made() {
  local path=$1 id
  printf '%b' "$2" >script.sh
  shift 2
  by "$path" sbatch --parsable --hold "$@" script.sh | sed 's/^[0-9]*$/ID/'
  id=$(tail -n 1 out)
  case $id in
    *[!0-9]* | '') ;;
    *) PATH=$path:$PATH squeue -h -j "$id" -o '%j|%k|%P|%K' ;;
  esac
}
real=/usr/bin
same() {
  local sentence=$1
  shift
  "$1" "$real" "${@:2}" >of_real
  "$1" "$fake" "${@:2}" >of_fake
  check "$sentence" cmp -s of_real of_fake
  diff of_real of_fake | sed 's/^/    /' || true
}

# Outside of quotes a backslash does not keep a blank in 22.05, and does in 24.11.
keeps_blanks() { ! sbatch --version | grep -q ' 22\.'; }
while IFS= read -r line; do
  case $line in *'\\ '*) keeps_blanks && continue ;; esac
  same "alike: $line" made "#!/bin/sh\n$line\ntrue\n"
done <<'LINES'
#SBATCH --comment=a#b
#SBATCH --comment="a b"
#SBATCH --comment='a "b'
#SBATCH --comment=a\\ b\\\\c
#SBATCH --comment="a\\"b"
#SBATCH --comment='a\\'b'
#SBATCH --comment=a --job-name=second
#SBATCH --comment=a # --job-name=second
#SBATCH --comment=a$HOME`id`
# SBATCH --comment=no
 #SBATCH --comment=no
#SBATCH  --comment=two
#SBATCHX --comment=x
#SBATCH --comment a b
#SBATCH nonsense --comment=a
#SBATCH --nope=1
#SBATCH --comment="unclosed
#SBATCH --comment=a"b c"d
#SBATCH --comment=a\\#b
#SBATCH --comment="a#b"
#SBATCH --comment="a\\ b"
#SBATCH --comment=a\\
#SBATCH --comment=a\\nb
#SBATCH --comment=''
#SBATCH --comment=a:b --job-name x:y
#SBATCH : --comment=x
#SBATCH --comment=
#SBATCH -Jabc --comm=x
#SBATCH --comment=é
#SBATCH --time=nonsense
#SBATCH --time=1-2:30
#SBATCH --partition=nowhere
#SBATCH --array=3-9:2,12%3
#SBATCH --array=x
#SBATCH --array=1-2000
\n\n#SBATCH --comment=late
set -e\n#SBATCH --comment=late
# c\n#SBATCH --comment=c1\n#SBATCH --comment=c2
#SBATCH\t--comment=tab
LINES
same "alike: no script" made ''
same "alike: no interpreter" made 'true\n'
same "alike: lines of DOS" made '#!/bin/sh\r\ntrue\r\n'
same "alike: arguments go before directives" made '#!/bin/sh\n#SBATCH --job-name=a\n' --job-name=b
same "alike: an option that does not exist" made '#!/bin/sh\n' --nope
same "alike: a letter that does not exist" made '#!/bin/sh\n' -9
same "alike: an option without its value" made '#!/bin/sh\n' --comment
same "alike: a job that does not exist" by squeue -j 99999
same "alike: two jobs that do not exist" by squeue -h -j 99999,99998
same "alike: a state that does not exist" by squeue -t bogus
same "alike: a user that does not exist" by squeue -h -u nosuchuser
same "alike: a name that does not exist" by squeue -h -n nosuchname
same "alike: cancelling what does not exist" by scancel 99999
same "alike: looking at what does not exist" by scontrol show job 99999
finish

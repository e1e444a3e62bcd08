#!/usr/bin/env bash
# Jobs of a private Slurm on nodes that have R alone: each takes tenkai from the session's folder,
# once on each node, whole or not at all, and what keeps it from coming is told.
# time limit: 900 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
unshare --mount true 2>/dev/null || { echo "skipped: a node's own view of the files needs root" && exit 0; }
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=4 memory=4000 >/dev/null

# The session's tenkai is in a folder that nodes do not see.
here=$work/session
mkdir -p "$here/bin" "$here/library" "$here/share/tenkai" "$work/fakes" "$work/cache"
cp "$TENKAI_BIN" "$here/bin/tenkai"
# The first of them, as R does.
cp -R "${R_LIBS%%:*}/tenkai" "$here/library"
cp -RL "$root/r" "$here/share/tenkai/r"
find "$here/share" \( -name '*.o' -o -name '*.so' \) -delete
export TENKAI_BIN=$here/bin/tenkai R_LIBS=$here/library XDG_CACHE_HOME=$work/cache

# What a job does first: it goes on as the same script where $HIDDEN is out of sight, and with a home
# of its node's own.
cat >"$work/node.sh" <<SH
if [ -z "\${IN_NODE-}" ]; then
  export IN_NODE=1
  exec unshare --mount bash -c 'for each in \$HIDDEN; do mount -t tmpfs none "\$each"; done; exec bash "\$0"' "\$0"
fi
export HOME=$work/nodes/\$SLURMD_NODENAME
mkdir -p "\$HOME"
unset XDG_CACHE_HOME TENKAI_BIN R_LIBS R_LIBS_SITE
export R_LIBS_USER=\$HOME/R PATH=$work/fakes:/usr/local/bin:/usr/bin:/bin
SH
cat >"$work/tenkai.yaml" <<YAML
profiles:
  node:
    launcher: slurm
    daemons: 1
    environment: {variables: {HIDDEN: $here}, prologue: ". $work/node.sh"}
    slurm: {partition: main, time: 10}
  none: {inherits: node, bring: no}
  array: {inherits: node, daemons: 6, slurm: {array-chunk: 1}}
  ranks: {inherits: node, daemons: 2, slurm: {nodes: 2}}
  program: {inherits: node, environment: {variables: {HIDDEN: $here/library}}}
YAML
export TENKAI_CONFIG=$work/tenkai.yaml
TENKAI_FLOW=$mark salloc -Q -N2 -n2 Rscript --vanilla bring_slurm.R "$work" steps </dev/null || failed=1
rm -rf "$work/nodes"
run_r bring_slurm.R

# What was brought is a program, too, which removes it.
export HOME=$work/nodes/n1
unset XDG_CACHE_HOME
brought=$(echo "$HOME"/.cache/tenkai/*/program-*/tenkai)
# What daemons run from, it keeps.
check "tenkai clean removes what a job has brought" wait_for 20 "$brought" clean
check "... all of it" [ -z "$(ls "$HOME/.cache/tenkai")" ]
finish

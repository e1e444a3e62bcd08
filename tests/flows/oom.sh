#!/usr/bin/env bash
# A task takes more memory than its group may have: the kernel kills its daemon, and
# the mirai says so. It is not tried again, unless that is asked for.
# time limit: 180 s
. "$(dirname "$0")/common.sh"

# A memory group of our own, below the one we are in or below the root; v1 or v2.
# Its folder is in $group.
limit=$((300 * 1024 * 1024))
make_group() {
  local base file
  base=/sys/fs/cgroup/memory$(awk -F: '$2 ~ /(^|,)memory(,|$)/ {print $3}' /proc/self/cgroup)
  for group in "$base/tenkai-$mark" "/sys/fs/cgroup/memory/tenkai-$mark"; do
    [ -d /sys/fs/cgroup/memory ] || break
    mkdir "$group" 2>/dev/null || continue
    for file in memory.limit_in_bytes memory.memsw.limit_in_bytes; do
      [ ! -e "$group/$file" ] || echo "$limit" 2>/dev/null >"$group/$file" || true
    done
    [ "$(cat "$group/memory.limit_in_bytes")" = "$limit" ] && return
    rmdir "$group"
  done
  group=/sys/fs/cgroup/tenkai-$mark
  [ -e /sys/fs/cgroup/cgroup.controllers ] || return 1
  mkdir "$group" 2>/dev/null || return 1
  if [ -e "$group/memory.max" ] && echo "$limit" 2>/dev/null >"$group/memory.max"; then
    [ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max" || true
    return
  fi
  rmdir "$group"
  return 1
}
if ! make_group; then
  echo "skipped: no memory group can be made here (needs root, and a writable memory controller below /sys/fs/cgroup)"
  exit 0
fi
remove_group() { rmdir "$group" 2>/dev/null; }
trap 'clean_up; wait_for 5 remove_group || true' EXIT

# Runs a command in the group.
cat >"$work/limited" <<LIMITED
#!/bin/sh
echo \$\$ >"$group/cgroup.procs"
exec "\$@"
LIMITED
chmod +x "$work/limited"

run_r oom.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish

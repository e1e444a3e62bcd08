#!/usr/bin/env bash
# `tenkai profile` with an installation, a site and a user of its own: what it lists,
# where every value is said to come from, and that all mistakes are told at once.
# time limit: 60 s
. "$(dirname "$0")/common.sh"
umask 022

# A program with a site's file beside it, as an installation has it.
mkdir -p "$work/prefix/bin" "$work/prefix/share/tenkai/etc" "$work/home/.config/tenkai" "$work/here"
cp "$TENKAI_BIN" "$work/prefix/bin/tenkai"
site=$work/prefix/share/tenkai/etc/tenkai.yaml
user=$work/home/.config/tenkai/tenkai.yaml
cp "$root/etc/tenkai.yaml.example" "$site"
cat >"$user" <<'YAML'
profiles:
  mine:
    inherits: cpu
    daemons: 4
    slurm: {time: 1:30:00, partition: no}
YAML

# profile ARGUMENTS...: its output in $work/out and $work/err, its status in $status.
profile() {
  status=0
  (cd "$work/here" && HOME=$work/home "$work/prefix/bin/tenkai" profile "$@") >"$work/out" 2>"$work/err" ||
    status=$?
}
prints() { grep -qE -- "$1" "$work/out"; }
complains() { grep -qF -- "$1" "$work/err"; }
# The value at a path of the JSON that was printed.
json() { python3 -c 'import json, sys; print(eval("it" + sys.argv[1], {"it": json.load(sys.stdin)}))' "$1" <"$work/out"; }

profile check
check "a site's file and a user's are checked together" [ "$status" = 0 ]
check "and both are named" prints "$user"
profile list
check "profiles are listed with launcher, daemons and place" prints "^mine +slurm +4 +$user:2:3$"
profile list --json
check "as JSON, too" [ "$(json "[0]['name']")" = cpu ]

profile show mine
check "a value of one's own comes from one's own file" prints "^slurm.time +1:30:00 +$user:5:19$"
check "a value stays as it was typed" prints '^slurm.partition +no +'
check "an inherited one comes from the site's" prints "^slurm.mem +8G +$site:[0-9]+:12$"
check "a default is called one" prints '^tls +yes +default$'
check "the site's caps are shown" prints "^cap of daemons +1000 +$site:"
profile show mine --json
check "as JSON, too" [ "$(json "['values']['slurm.time']['value']")" = 1:30:00 ]
cat >"$work/here/tenkai.yaml" <<'YAML'
profiles:
  grows: {inherits: cpu, scale: {max: 50}}
YAML
profile list
check "a profile that scales is listed with its bounds" prints "^grows +slurm +0-50 "
profile show grows
check "what is idle goes when the site's daemons would" prints '^scale.idle +10min +default$'
rm "$work/here/tenkai.yaml"
profile show minne
check "an unknown profile is answered with the one that was meant" complains "did you mean 'mine'?"
check "and the status 1" [ "$status" = 1 ]

cat >"$work/here/tenkai.yaml" <<'YAML'
profiles:
  cpu: {slurm: {partition: big}}
  mine: {demons: 4, daemons: 2000}
  other: {inherits: nobody}
YAML
profile check
check "four mistakes are four problems" [ "$(grep -c '^./tenkai.yaml:[234]:' "$work/err")" = 4 ]
check "and the status 1" [ "$status" = 1 ]
check "a locked key names both places" complains "profiles.cpu.slurm.partition is locked by $site:"
check "a cap does" complains "beyond the site's cap of '1000' ($site:"
profile check --json
check "as JSON, too" [ "$(json "['problems'][1]['line']")" = 3 ]
profile list
check "nothing is listed meanwhile" [ "$status" = 1 ]
rm "$work/here/tenkai.yaml"

cat >"$work/here/tenkai.yaml" <<'YAML'
profiles:
  own: {inherits: cpu, slurm: {template: ./none.sbatch}}
  unranked: {inherits: cpu, slurm: {template: ./unranked.sbatch}}
YAML
printf '#!/bin/bash\n{{ launch.agent }}\nrun "${agent[@]}"\n' >"$work/here/unranked.sbatch"
profile check
check "a template that is not there is found" complains "./tenkai.yaml:2:42: profile 'own': there is no template "
check "and one that does not say which agent is which" complains "does not set TENKAI_RANK"
profile list
check "and the other profiles can be used meanwhile" [ "$status" = 0 ]
rm "$work/here/tenkai.yaml"

chmod g+w "$user"
profile list
check "a file that the group can change is refused with the remedy" complains "chmod go-w $user"
chmod g-w "$user"
mkfifo "$work/here/tenkai.yaml"
profile check
check "a pipe is refused, and not waited for" complains './tenkai.yaml:1:1: the file is no regular file'
rm "$work/here/tenkai.yaml"
TENKAI_CONFIG=$work/none.yaml profile check
check "a file that TENKAI_CONFIG names must be there" complains 'none.yaml:1:1: there is no such file'

printf 'profiles:\n  old: {launcher: slurm, slurm: {carrier: comment}}\n' >"$work/old.yaml"
TENKAI_CONFIG=$work/old.yaml profile deploy old
check "an old name of a key works, and the session hears of it" prints "^warning=.*old.yaml:2:34: slurm.carrier is called slurm.job-tag now"
check "with what it says" prints "^option=slurm.job-tag=comment$"
TENKAI_CONFIG=$work/old.yaml profile check
check "and so does who checks the files" complains "warning: $work/old.yaml:2:34: slurm.carrier is called"
for sample in "$root"/etc/profiles/*.yaml "$root/etc/tenkai.yaml.example"; do
  cp "$sample" "$work/sample.yaml"
  profile check "$work/sample.yaml"
  check "${sample#"$root"/} is right" [ "$status" = 0 ]
done
profile keys --markdown
tail -n "$(wc -l <"$work/out")" "$root/docs/profiles.md" >"$work/keys"
check "docs/profiles.md shows the keys that there are" cmp -s "$work/keys" "$work/out"
finish

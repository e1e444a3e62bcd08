#!/usr/bin/env bash
# Runs the examples of what people read: each vignette, README.md and examples/quickstart.R
# in an R of its own, as tests/documents.R says. (The vignette about clusters is run by
# documents_clusters.sh.)
# time limit: 300 s
. "$(dirname "$0")/common.sh"
unset "${!SLURM_@}" TENKAI_CONFIG
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config

# What sees nothing may be blind.
cat >"$work/planted.md" <<'MD'
```r
1 + 1
#> [1] 2
```
```r
1 + 1
#> [1] 3
```
```r
stop("broken")
```
MD
planted_is_found() {
  ! run_document "$work/planted.md" 60 >"$work/planted" &&
    [ "$(grep -c '^ok: ' "$work/planted")" = 1 ] && [ "$(grep -c '^NOT OK: ' "$work/planted")" = 2 ]
}
check "a document with examples that are wrong is found out" planted_is_found

for document in "$root/README.md" "$root/examples/quickstart.R" "$root"/r/vignettes/*.Rmd; do
  [ "${document##*/}" != clusters.Rmd ] || continue
  run_document "$document" 100 || failed=1
done
check "nothing of them is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish

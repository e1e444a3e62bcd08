#!/usr/bin/env bash
# scripts/release in a repository of its own: what it refuses, that a failure leaves
# nothing, and what a release is made of. In place of the build, which the release itself
# runs, stands one that only has CMake configure; in place of the tests, one that passes or
# fails as it is told.
# time limit: 600 s
. "$(dirname "$0")/common.sh"

# Nothing of who runs this: no signing, no hooks, no repository above $work.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES=$work
export GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@localhost GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@localhost
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
mkdir "$work/tmp" "$work/checkout" "$work/no_git"
export TMPDIR=$work/tmp

# A git that only tells that it was called, for the build.
printf '#!/bin/sh\ntouch "%s"\nexit 1\n' "$work/git_was_called" >"$work/no_git/git"
chmod +x "$work/no_git/git"
export NO_GIT=$work/no_git FAILS=$work/fails CHECKOUT=$work/checkout

stand_ins() {
  cat >scripts/build <<'BUILD'
#!/bin/sh
set -eu
cd "$(dirname "$0")/.."
PATH=$NO_GIT:$PATH
[ ! -e .git ] && [ "$(cat "$FAILS")" != build ]
[ "$(cat "$FAILS")" != nothing ] || cmake --preset release -DTENKAI_TESTS=OFF >"$FAILS.log" 2>&1
version=$(sed -n 's/^project(tenkai VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
mkdir -p build/bin
printf '#!/bin/sh\necho tenkai %s\n' "$version" >build/bin/tenkai
chmod +x build/bin/tenkai
BUILD
  cat >scripts/test <<'TEST'
#!/bin/sh
[ "$(cat "$FAILS")" != killed ] || kill -TERM "$(cat "$FAILS.pid")"
if [ "$(cat "$FAILS")" = meanwhile ]; then
  touch "$CHECKOUT/tenkai-5.6.8.tar.gz"
  git -C "$CHECKOUT" commit --quiet --allow-empty --message 'of somebody else'
fi
[ "$(cat "$FAILS")" != tests ]
TEST
  echo nothing >"$FAILS"
}

# changelog SECTION...: as it is between two releases.
changelog() { { printf '# Changes\n'; printf '\n%s\n' "$@"; } >CHANGELOG.md; }

tar -C "$root" --exclude='./build*' --exclude=./.git --exclude='./.cache' --exclude='*.Rcheck' -cf - . |
  tar -C "$work/checkout" -xf - --no-same-owner
cd "$work/checkout"
stand_ins
# Numbers of our own, so that nothing here depends on what is released next.
written=5.6.7 version=5.6.8 next=5.6.9
ours=$(sed -n 's/^project(tenkai VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
sed -i "s/\<${ours//./\\.}\>/$written/" CMakeLists.txt r/DESCRIPTION
sed -i "s/\<\(v\{0,1\}\)${ours//./\\.}\>/\1$written/g" spack/spack_repo/tenkai/packages/*/package.py packaging/conda/meta.yaml
changelog "## $written, not released yet" '- One thing.
- Another thing.' '## 0.0.1, 2020-01-01' '- An old thing.'
git init --quiet --initial-branch=main
git add --all
git commit --quiet --message 'all of it'

said=$work/said
# release ARGUMENTS...: what it says is in $said, its exit code in $code.
release() {
  code=0
  scripts/release "$@" >"$said" 2>&1 </dev/null || code=$?
}
# All that a release could change here.
state() {
  git for-each-ref
  git rev-parse HEAD
  git status --porcelain --ignored
  git worktree list
  ls -A
  cat CHANGELOG.md CMakeLists.txt
  ls -A "$TMPDIR"
}
says() { grep -qF -- "$1" "$said"; }
changes_nothing() {
  [ "$(state)" = "$before" ] && return
  diff <(echo "$before") <(state) | sed 's/^/    /'
  return 1
}
# refuses CODE SENTENCE TEXT ARGUMENTS...: and says so, and has done nothing.
refuses() {
  local wanted=$1 sentence=$2 text=$3
  shift 3
  before=$(state)
  release "$@"
  check "$sentence" [ "$code" = "$wanted" ]
  check "  and says: $text" says "$text"
  if ! says "$text"; then sed 's/^/    /' "$said"; fi
  check "  and nothing has changed" changes_nothing
}

# --- What it refuses ---

refuses 2 "it wants a version" "scripts/release [--no-tests]"
refuses 2 "an option that it does not know is refused" "scripts/release [--no-tests]" --quick "$version"
refuses 2 "two versions are refused" "scripts/release [--no-tests]" "$version" "$next"
for wrong in 1.0 1.0.0.0 v1.0.0 1.0.0-rc1 01.0.0 1..0 1.0.x ../1.0.0; do
  refuses 1 "$wrong is no version" "'$wrong' is no version" --no-tests "$wrong"
done
refuses 1 "a version that comes before that of CMakeLists.txt is refused" "comes before $written" --no-tests 5.6.6

echo >forgotten.h
refuses 1 "a file that nobody committed is refused" "what is not committed" --no-tests "$version"
rm forgotten.h
echo >>README.md
refuses 1 "a change that nobody committed is refused" "what is not committed" --no-tests "$version"
git checkout --quiet README.md

git checkout --quiet -b side
refuses 1 "another branch is refused" "not the branch main, but side" --no-tests "$version"
git checkout --quiet --detach
refuses 1 "no branch at all is refused" "not the branch main, but no branch" --no-tests "$version"
git checkout --quiet side

changelog '## 0.0.1, 2020-01-01' '- An old thing.'
git commit --quiet --all --message 'no section'
refuses 1 "a changelog without an open section is refused" "not released yet'" --branch side --no-tests "$version"
changelog "## $version, not released yet" '## 0.0.1, 2020-01-01' '- An old thing.'
git commit --quiet --all --message 'an empty section'
refuses 1 "an open section with nothing in it is refused" "says nothing below" --branch side --no-tests "$version"
git checkout --quiet main
git branch --quiet -D side

touch "tenkai-$version.tar.gz"
refuses 1 "an archive that is there is not replaced" "is there already" --no-tests "$version"
rm "tenkai-$version.tar.gz"

# --- What fails ---

echo build >"$FAILS"
before=$(state)
release --no-tests "$version"
check "an archive that does not build is not released" [ "$code" = 1 ]
check "  and says so" says "the archive does not build"
check "  and where it is" says "What was tried is in $TMPDIR"
rm -rf "${TMPDIR:?}"/*
check "  and nothing else is left" changes_nothing

echo tests >"$FAILS"
release "$version"
check "an archive whose tests fail is not released" [ "$code" = 1 ]
check "  and says so" says "the tests of the archive failed"
rm -rf "${TMPDIR:?}"/*
check "  and nothing else is left" changes_nothing

echo killed >"$FAILS"
code=0
# And a second time, while it cleans up.
mkdir "$work/killing"
cat >"$work/killing/git" <<GIT
#!/bin/sh
[ "\$1 \$2" != 'worktree remove' ] || kill -TERM "\$(cat "\$FAILS.pid")"
exec "$(command -v git)" "\$@"
GIT
chmod +x "$work/killing/git"
PATH=$work/killing:$PATH sh -c 'echo $$ >"$FAILS.pid"; exec scripts/release "$1"' sh "$version" >"$said" 2>&1 </dev/null || code=$?
check "a release that is interrupted is none" [ "$code" = 1 ]
check "  and says so" says "Nothing was released"
check "  and cleans up although it is interrupted again" says "for you to look at"
rm -rf "${TMPDIR:?}"/*
check "  and nothing is left" changes_nothing

echo meanwhile >"$FAILS"
release "$version"
check "where the branch has moved meanwhile, nothing is released" [ "$code" = 1 ]
check "  and it says so" says "has changed meanwhile"
check "  and what came meanwhile is kept" rm "tenkai-$version.tar.gz"
git reset --quiet --hard HEAD^
check "  and nothing is left" changes_nothing

# Git's own last step fails, when the tag is there and the files are changed.
echo other >"$FAILS"
cat >.git/hooks/reference-transaction <<HOOK
#!/bin/sh
[ "\$1" = prepared ] || exit 0
refs=\$(cat)
case \$refs in
  *refs/tags/*) touch "$work/tagged" ;;
  *refs/heads/main*) exit 1 ;;
esac
HOOK
chmod +x .git/hooks/reference-transaction
release --no-tests "$version"
rm .git/hooks/reference-transaction
check "the tag is made before the branch is moved" [ -e "$work/tagged" ]
check "where the branch cannot be moved, nothing is released" [ "$code" != 0 ]
check "  and it says so" says "Nothing was released"
check "  and nothing is left, not even the tag" changes_nothing

# --- A release ---

echo nothing >"$FAILS"
start=$(git rev-parse HEAD)
release --no-tests "$version"
check "it releases" [ "$code" = 0 ]
[ "$code" = 0 ] || { sed 's/^/    /' "$said"; finish; }
archive=tenkai-$version.tar.gz
tag=v$version
check "  and says how to publish that" says "git push --atomic origin main $tag"
check "  and that there were no tests" says "NOT been tested"
check "  and where the archive is" says "$archive"
check "  and its sum" says "$(sha256sum <"$archive" | cut -d ' ' -f 1)"
check "CMake configures the archive where there is no git" grep -q 'Build files have been written' "$FAILS.log"
check "  and has not asked for it" [ ! -e "$work/git_was_called" ]
check "nothing is left beside it" [ -z "$(ls -A "$TMPDIR")" ]
check "  and no worktree" [ "$(git worktree list | wc -l)" = 1 ]
check "  and nothing uncommitted" [ -z "$(git status --porcelain)" ]

check "the tag is annotated" [ "$(git cat-file -t "$tag")" = tag ]
git cat-file tag "$tag" >"$said"
check "  and says what has changed" says "- Another thing."
check "  and nothing of what was before" [ "$(grep -c 'An old thing' "$said")" = 0 ]
check "  and the sum of the archive" says "$(sha256sum <"$archive" | cut -d ' ' -f 1)"
check "it is one commit above what was released" [ "$(git rev-parse "$tag^{commit}^")" = "$start" ]

# says_version COMMIT VERSION: in each place.
says_version() {
  git show "$1:CMakeLists.txt" | grep -qF "project(tenkai VERSION $2 " &&
    git show "$1:r/DESCRIPTION" | grep -qxF "Version: $2" &&
    git show "$1:spack/spack_repo/tenkai/packages/tenkai/package.py" | grep -qF "\"$2\", tag=\"v$2\"" &&
    git show "$1:spack/spack_repo/tenkai/packages/r_tenkai/package.py" | grep -qF "\"tenkai@$2\", when=\"@$2\"" &&
    git show "$1:packaging/conda/meta.yaml" | grep -qF "set version = \"$2\""
}
first_heading() { git show "$1:CHANGELOG.md" | grep -m 1 '^## '; }
check "the release has its version everywhere" says_version "$tag" "$version"
check "  and its date in the changelog" bash -c "[[ '$(first_heading "$tag")' =~ ^'## $version, 20'[0-9-]{8}$ ]]"
check "the commit after it has the next version" says_version HEAD "$next"
check "  and a section for it" [ "$(first_heading HEAD)" = "## $next, not released yet" ]
check "  and is all there is" [ "$(git rev-parse HEAD^)" = "$(git rev-parse "$tag^{commit}")" ]
check "the changelog keeps its other sections" [ "$(git show HEAD:CHANGELOG.md | grep -c '^## ')" = 3 ]

tar -tzf "$archive" | grep -v '/$' | sed "s|^tenkai-$version/||" | sort >"$work/in_archive"
git ls-tree -r --name-only -z "$tag" | tr '\0' '\n' | sort >"$work/in_tag"
check "the archive holds what the tag holds" diff "$work/in_tag" "$work/in_archive"
check "  in one folder" [ "$(tar -tzf "$archive" | cut -d / -f 1 | sort -u)" = "tenkai-$version" ]
# As docs/releasing.md has it.
again=$(sed -n '/^git -c tar.umask/,/tar.gz$/p' "$root/docs/releasing.md" | sed "s/0\.1\.0/$version/g")
(umask 077; sleep 1; cp "$archive" "$work/first"; rm "$archive"; eval "$again")
check "made again it has the same bytes" cmp "$work/first" "$archive"
rm -f "$archive"

# --- The one after it ---

refuses 1 "the same version is not released twice" "the tag $tag is there already" --no-tests "$version"
refuses 1 "an empty section is not released" "says nothing below" --no-tests "$next"
changelog "## $next, not released yet" '- Something new.'
git commit --quiet --all --message 'something new'
refuses 1 "a version before the last release is refused" "not come after the last release, $version" --no-tests 5.6.7

git tag --annotate --message 9 v5.6.9
echo other >"$FAILS"
release --no-tests 5.6.10
check "10 comes after 9" [ "$code" = 0 ]
git checkout --quiet -b later
changelog '## 5.6.11, not released yet' '- Something else.'
git commit --quiet --all --message 'something else'
larger=5.10.0
release --branch later "$larger"
check "another branch can be released, by another number" [ "$code" = 0 ]
check "  with its tests" bash -c "! grep -q 'NOT been tested' '$said'"
check "  and the section bears the number of the release" [ "$(first_heading "v$larger" | cut -c 1-12)" = "## $larger, 2" ]
check "  and the next one follows it" says_version HEAD 5.10.1

rm -rf .git
refuses_without_git() { release "$larger"; [ "$code" = 1 ] && says "is no checkout of git"; }
check "an unpacked archive cannot be released" refuses_without_git
finish

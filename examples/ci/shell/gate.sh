#!/bin/sh
# The gate in any CI system: sh gate.sh [TARGET-BRANCH]
#
# Judges what the checked out commit adds to the target branch (default: main), by the policy of the commit where it left
# that branch. On the target branch itself the commit before is the base. Reports lie in d2b-gate-reports/, whatever the
# verdict; the exit code is the gate's own. Keep this file where the authors of the data cannot edit it.
set -u

branch=${1:-main}
reports=${D2B_GATE_REPORTS:-d2b-gate-reports}
export CI=true            # the policy, the waivers and the probes are those of the base commit
export PYTHONSAFEPATH=1   # nothing of the checkout is imported

stop() {
    echo "gate.sh: $1" >&2
    exit "$2"
}

git fetch --quiet --no-tags origin "+refs/heads/$branch:refs/remotes/origin/$branch" ||
    stop "cannot fetch $branch from origin" 3
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git fetch --quiet --no-tags --unshallow origin || stop "cannot complete the shallow clone; clone all history" 3
fi
head=$(git rev-parse --verify HEAD) || stop "there is no commit to judge" 2
base=$(git merge-base "$head" "refs/remotes/origin/$branch") || stop "HEAD and $branch share no commit" 2
if [ "$base" = "$head" ]; then
    base=$(git rev-parse --verify --quiet "$head^1") || stop "the first commit has nothing to be compared with" 2
fi

mkdir -p "$reports" || stop "cannot write to $reports" 3
d2b-gate check --from-ref "$base" --to-ref "$head" \
    --output-file "json=$reports/result.json" \
    --output-file "sarif=$reports/d2b-gate.sarif" \
    --output-file "junit=$reports/d2b-gate.xml"

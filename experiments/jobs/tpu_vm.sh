#!/usr/bin/env bash
# A training on all workers of a Cloud TPU slice, by gcloud:
#
#   export NAME=mvae ZONE=us-west4-a TYPE=v5litepod-16 VERSION=v2-alpha-tpuv5-lite
#   experiments/jobs/tpu_vm.sh create                  # a spot slice
#   experiments/jobs/tpu_vm.sh install                 # mvae, on all workers
#   experiments/jobs/tpu_vm.sh train --exp trio16 --data gs://bucket/mine --run gs://bucket/trio16
#   experiments/jobs/tpu_vm.sh log | stop | delete
#
# install FOLDER copies a dataset to all workers as well, for those that have it nowhere else.
set -euo pipefail
cd "$(dirname "$0")/../.."

tpu() { gcloud compute tpus tpu-vm "$1" "$NAME" --zone="$ZONE" "${@:2}"; }
on_all() { tpu ssh --worker=all --command="$1"; }
copy() { gcloud compute tpus tpu-vm scp --zone="$ZONE" --worker=all --recurse "$1" "$NAME:$2"; }

create() { tpu create --accelerator-type="$TYPE" --version="$VERSION" --spot; }

install() { # [DATASET]
  local archive
  archive=$(mktemp)
  git archive --format=tar.gz --output="$archive" HEAD
  copy "$archive" mvae.tar.gz
  rm "$archive"
  on_all 'mkdir -p mvae/data && tar -xzf mvae.tar.gz -C mvae &&
    sudo apt-get update -qq && sudo apt-get install -y -qq make python3.11 python3.11-venv &&
    cd mvae && make install PYTHON=python3.11 &&
    .venv/bin/pip install --quiet --constraint constraints.txt --editable ".[gs,tpu]"'
  if [ $# -gt 0 ]; then copy "$1" mvae/data/; fi
}

train() { # nohup and a file, so that a broken connection does not end it
  on_all "cd mvae && exec nohup .venv/bin/mvae train $(printf '%q ' "$@") >> train.log 2>&1"
}

log() { tpu ssh --worker=0 --command='tail -n 20 -f mvae/train.log'; }
stop() { on_all 'pkill -TERM -f "[.]venv/bin/mvae train" || true'; }
delete() { tpu delete --quiet; }

case "${1:-}" in
  create | install | train | log | stop | delete) "$@" ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

#!/usr/bin/env bash
# Builds Espalier on this host and runs its tests and benchmarks on the GPU. Part of the archive of scripts/bundle.
#   run <folder for results> [stage...]
# The stages, all of them where none is named, go on when another fails; a table at the end says how each ended. A later
# call uses what an earlier one built. Each stage has a time limit in seconds: ESPALIER_STAGE_SECONDS (default 600).
#   build      the addon, and the CUDA part for this GPU (or for ESPALIER_CUDA_ARCHITECTURES)
#   cuda       the tests of the CUDA part on the GPU
#   bench      the benchmark; ESPALIER_BENCH_OPTIONS are its options, such as --quick
#   memcheck   the same under compute-sanitizer's memcheck
#   racecheck  the same under compute-sanitizer's racecheck
#   emulated   the CUDA part as plain C++, and its tests on the processor
#   node       the tests of the package
#   train      the packed data set, on the processor and on the GPU
set -uo pipefail

stages=(build cuda bench memcheck racecheck emulated node train)
if [ $# -eq 0 ]; then
  echo "usage: run <folder for results> [${stages[*]}]" >&2
  exit 2
fi
mkdir -p "$1" || exit 1
results=$(realpath "$1")
shift
if [ $# -gt 0 ]; then stages=("$@"); fi
cd "$(dirname "$(realpath "$0")")" || exit 1
limit=${ESPALIER_STAGE_SECONDS:-600}
jobs=$(nproc)
release=$PWD/build/Release
# Node of the archive first: CMake asks it for headers.
export PATH="$PWD/tools:$PATH:/usr/local/cuda/bin"
if ! command -v make >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
has_gpu() { nvidia-smi -L 2>/dev/null | grep -q '^GPU'; }

# One architecture compiles in a sixth of the time of all.
if [ -z "${ESPALIER_CUDA_ARCHITECTURES:-}" ] && command -v nvidia-smi >/dev/null; then
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d '. ')
  if [[ $capability =~ ^[0-9]+$ ]]; then export ESPALIER_CUDA_ARCHITECTURES=$capability; fi
fi

stage_build() {
  cmake -S . -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build --parallel "$jobs" --target espalier || return
  if ! grep -q '^ESPALIER_CUDA_FOUND:INTERNAL=.' build/CMakeCache.txt; then
    echo "no usable CUDA Toolkit: the addon is built for the processor only"
    return 1
  fi
  cmake --build build --parallel "$jobs" --target espalier_cuda espalier_cuda_test espalier_cuda_bench || return
  node lib/cli/main.js doctor
}

stage_emulated() {
  cmake --build build --parallel "$jobs" --target espalier_emulated && "$release/espalier_cuda_test_emulated"
}

stage_cuda() {
  "$release/espalier_cuda_test"
}

stage_memcheck() {
  compute-sanitizer --tool memcheck --leak-check full --error-exitcode 1 "$release/espalier_cuda_test"
}

stage_racecheck() {
  compute-sanitizer --tool racecheck --error-exitcode 1 "$release/espalier_cuda_test"
}

# Every test file is a program; those that fail are named at the end. tap's own runner, which the archive lacks, would
# bring the loader that exchanges modules, and a longer limit. The examples of the guides need a compiler for TypeScript.
stage_node() {
  local folder=$results/node-tests failed
  rm -rf "$folder" && mkdir -p "$folder"
  run_one() {
    local log=$1/$(tr / - <<<"${2#./test/}").log
    TAP_TIMEOUT=300 timeout 330 node --import @tapjs/mock/import "$2" >"$log" 2>&1 || echo "$2" >>"$1/failed"
  }
  export -f run_one
  find ./test -name '*.test.js' ! -path ./test/docs/examples.test.js | sort | xargs -P "$(((jobs + 1) / 2))" -I{} bash -c 'run_one "$@"' _ "$folder" {}
  failed=$(sort "$folder/failed" 2>/dev/null)
  echo "$(find "$folder" -name '*.log' | wc -l) test files, failed: ${failed:-none}"
  grep -h '^ *not ok' "$folder"/*.log | sort | uniq -c | head -40
  [ -z "$failed" ]
}

stage_train() {
  local device
  for device in cpu cuda; do
    node lib/cli/main.js train data/train-images-idx3-ubyte.gz --epochs 3 --seed 1 --device "$device" --verbose \
      --out "$results/train-$device" || return
  done
}

stage_bench() {
  # shellcheck disable=SC2086
  node build/bench/cuda.js --json "$results/cuda.json" ${ESPALIER_BENCH_OPTIONS:-}
}

{
  date
  uname -a
  nvidia-smi
  nvcc --version
  cmake --version
  c++ --version
} >"$results/machine.log" 2>&1

# Why a stage cannot run here; nothing where it can.
hindrance() {
  case $1 in
    memcheck | racecheck) command -v compute-sanitizer >/dev/null || echo "no compute-sanitizer on the PATH" ;;
    train) [ -d data ] || echo "no data set in the archive" ;;
  esac
}

export -f $(compgen -A function stage_)
export results release jobs
table=()
worst=0
for stage in "${stages[@]}"; do
  if ! declare -F "stage_$stage" >/dev/null; then
    echo "unknown stage $stage" >&2
    exit 2
  fi
  reason=$(hindrance "$stage")
  if [ -n "$reason" ]; then
    table+=("$(printf '%-10s %-22s %s' "$stage" skipped "$reason")")
    continue
  fi
  echo "== $stage"
  begin=$SECONDS
  timeout "$limit" bash -c "set -o pipefail; stage_$stage" >"$results/$stage.log" 2>&1
  status=$?
  # What is skipped for want of a GPU has failed where there is one.
  if [ $status = 77 ] && has_gpu; then status=1; fi
  case $status in
    0) outcome=passed ;;
    77) outcome='skipped' ;;
    124) outcome='FAILED (out of time)' ;;
    *) outcome="FAILED ($status)" ;;
  esac
  if [[ $outcome == FAILED* ]]; then worst=1; fi
  tail -5 "$results/$stage.log"
  table+=("$(printf '%-10s %-22s %5d s   %s' "$stage" "$outcome" $((SECONDS - begin)) "$(tail -1 "$results/$stage.log" | cut -c1-100)")")
done

printf '%s\n' "${table[@]}" | tee "$results/summary.txt"
exit $worst

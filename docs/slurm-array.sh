#!/usr/bin/env bash
# A campaign as a Slurm array: each task runs one part. The number of parts is that of the array.
#
#   parts=$(sbatch --parsable docs/slurm-array.sh)
#   sbatch --dependency=afterany:"$parts" --wrap 'failproof merge campaign/* --junit failproof.xml'
#
# SEEDS, OUT and PARTS can be given in the environment. Part 3 of 8 alone, again:
#
#   PARTS=8 sbatch --array=3 docs/slurm-array.sh
#SBATCH --job-name=failproof
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --mem=512M
#SBATCH --time=02:00:00
#SBATCH --signal=B:INT@120
set -uo pipefail

seeds=${SEEDS:-0..800000}
out=${OUT:-campaign}
part=$SLURM_ARRAY_TASK_ID
parts=${PARTS:-$SLURM_ARRAY_TASK_COUNT}

# Two minutes before its time is up, the part is asked to end: it writes what it has.
# It can be run again.
failproof run --seeds "$seeds" --shard "$part/$parts" --out "$out/$part" --quiet &
trap 'kill -INT $!' INT TERM
while wait $!; code=$?; kill -0 $! 2>/dev/null; do :; done

# Findings are told by the merge; only a wrong option, a full disk or a stop fails the part.
case $code in 0 | 1 | 3 | 4) exit 0 ;; *) exit "$code" ;; esac

#!/bin/bash
# The tables and the report of folds that an array of folds.sh trained. Research use only.
#   sbatch --dependency=afterok:JOB deploy/slurm/collect.sh 5 mine experiment [the same other options]
#SBATCH --job-name=lnsnet-collect
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=04:00:00
set -euo pipefail
folds=$1 dataset=$2 output=$3
exec "${LNSNET:-node_modules/.bin/lnsnet}" crossvalidate "$dataset" --output "$output" \
  --folds "$folds" --collect --threads "$SLURM_CPUS_PER_TASK" "${@:4}"

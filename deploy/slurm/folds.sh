#!/bin/bash
# A fold of a cross-validation for each task of the array. Research use only.
#   sbatch --array=0-4 deploy/slurm/folds.sh mine experiment [other options of crossvalidate]
# Data set and experiment lie on a disk that all nodes see. A task that is stopped saves, and goes on when it is queued again.
#SBATCH --job-name=lnsnet-fold
#SBATCH --array=0-4
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
set -euo pipefail
dataset=$1 output=$2
# In place of the shell, so that Slurm's signal reaches it.
exec "${LNSNET:-node_modules/.bin/lnsnet}" crossvalidate "$dataset" --output "$output" \
  --folds "$SLURM_ARRAY_TASK_COUNT" --fold "$SLURM_ARRAY_TASK_ID" --threads "$SLURM_CPUS_PER_TASK" "${@:3}"

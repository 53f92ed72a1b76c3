#!/bin/bash
# A worker for each task of the array, until the time is over or the job is cancelled. Research use only.
#   sbatch --export=ALL,LNSNET_QUEUE=redis://10.0.0.7:6379 --array=0-2 deploy/slurm/workers.sh /srv/lnsnet
#SBATCH --job-name=lnsnet-worker
#SBATCH --array=0-2
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail
exec "${LNSNET:-node_modules/.bin/lnsnet}" worker --folder "$1" --threads "$SLURM_CPUS_PER_TASK"

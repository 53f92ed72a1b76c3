// Histograms of HU, to compute percentiles over many scans.

/** Counts of −1100 … 4095 HU, one bin a HU; what lies beyond is counted in the outermost bins. */
export interface HuHistogram {
  readonly counts: Float64Array;
}

export const LOWEST_HU = -1100;
const HIGHEST_HU = 4095;

export function emptyHistogram(): HuHistogram {
  return { counts: new Float64Array(HIGHEST_HU - LOWEST_HU + 1) };
}

export function addHu({ counts }: HuHistogram, hu: number): void {
  const bin = Math.round(hu) - LOWEST_HU;
  counts[bin < 0 ? 0 : bin >= counts.length ? counts.length - 1 : bin]++;
}

export function mergeHistograms(histograms: readonly HuHistogram[]): HuHistogram {
  const merged = emptyHistogram();
  for (const { counts } of histograms)
    for (let bin = 0; bin < counts.length; bin++) merged.counts[bin] += counts[bin];
  return merged;
}

export interface HuSummary {
  readonly voxels: number;
  readonly mean: number;
  readonly sd: number;
  readonly p0_5: number;
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99_5: number;
}

/** Mean, population standard deviation and percentiles in HU; null where nothing was counted. */
export function summariseHu({ counts }: HuHistogram): HuSummary | null {
  const voxels = counts.reduce((a, b) => a + b, 0);
  if (voxels === 0) return null;
  const mean = counts.reduce((sum, count, bin) => sum + count * (bin + LOWEST_HU), 0) / voxels;
  const variance =
    counts.reduce((sum, count, bin) => sum + count * (bin + LOWEST_HU - mean) ** 2, 0) / voxels;
  const percentile = (share: number): number => {
    let left = share * voxels;
    const bin = counts.findIndex((count) => {
      left -= count;
      return left <= 0 && count > 0;
    });
    return LOWEST_HU + bin;
  };
  return {
    voxels,
    mean,
    sd: Math.sqrt(variance),
    p0_5: percentile(0.005),
    p5: percentile(0.05),
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99_5: percentile(0.995),
  };
}

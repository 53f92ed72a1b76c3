// The paired Wilcoxon signed-rank test.
import { normalUpperTail } from "./distributions.js";

/** How pairs without a difference are treated; see {@link wilcoxonSignedRank}. */
export type ZeroMethod = "wilcox" | "pratt" | "zsplit";

/** The outcome of a two-sided test. */
export interface SignedRankTest {
  /** The number of pairs used: without those that "wilcox" leaves out. */
  readonly pairs: number;
  /** The smaller of the two rank sums. */
  readonly statistic: number;
  /** Two-sided; 1 where no pair differs. */
  readonly pValue: number;
  /** Whether the p-value is exact or from the normal approximation. */
  readonly method: "exact" | "normal";
}

/**
 * Tests whether the differences of pairs lie symmetrically around 0 (Wilcoxon, Biometrics Bulletin 1, 1945), two-sided.
 *
 * Pairs without a difference are left out ("wilcox"), ranked and then left out ("pratt"), or shared by both sides
 * ("zsplit"), as in scipy's `wilcoxon`. Without zeros, without ties and with up to 50 pairs the p-value is exact;
 * otherwise it comes from the normal approximation with its variance corrected for ties. (scipy before 1.13 uses "exact"
 * for tied differences too, where it is not valid.) By default there is no continuity correction, as in scipy.
 *
 * @param differences - one for each pair; finite
 * @throws RangeError where a difference is not finite
 */
export function wilcoxonSignedRank(
  differences: readonly number[],
  zeroMethod: ZeroMethod = "wilcox",
  continuityCorrection = false,
): SignedRankTest {
  if (!differences.every(Number.isFinite)) throw new RangeError("A difference of a pair is not finite.");
  const kept = zeroMethod === "wilcox" ? differences.filter((difference) => difference !== 0) : differences;
  const zeros = kept.filter((difference) => difference === 0).length;
  const { ranks, tieSizes } = ranksOf(kept.map(Math.abs));
  const sumWhere = (belongs: (difference: number) => boolean) =>
    ranks.reduce((sum, rank, pair) => (belongs(kept[pair]) ? sum + rank : sum), 0);
  const zeroShare = zeroMethod === "zsplit" ? sumWhere((difference) => difference === 0) / 2 : 0;
  const statistic = Math.min(
    sumWhere((difference) => difference > 0) + zeroShare,
    sumWhere((difference) => difference < 0) + zeroShare,
  );
  const pairs = kept.length;
  if (zeros === pairs) return { pairs, statistic, pValue: 1, method: "exact" };
  if (!differences.includes(0) && tieSizes.every((size) => size === 1) && pairs <= maxExactPairs) {
    return { pairs, statistic, pValue: exactPValue(statistic, pairs), method: "exact" };
  }
  const ranked =
    zeroMethod === "pratt" ? { zeros, tieSizes: tieSizes.slice(zeros > 0 ? 1 : 0) } : { zeros: 0, tieSizes };
  const pValue = normalPValue(statistic, pairs, ranked, continuityCorrection);
  return { pairs, statistic, pValue, method: "normal" };
}

/** Up to this many pairs 2^pairs, the number of sign choices, is exact in a double, and the exact p-value is cheap. */
const maxExactPairs = 50;

/** Ranks from 1, where equal values share their mean rank; and the number of values in each group of ties, in ascending order. */
function ranksOf(values: readonly number[]): { ranks: number[]; tieSizes: number[] } {
  const order = values.map((_, at) => at).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  const tieSizes: number[] = [];
  for (let first = 0; first < order.length; ) {
    let end = first;
    while (end < order.length && values[order[end]] === values[order[first]]) end++;
    for (let at = first; at < end; at++) ranks[order[at]] = (first + 1 + end) / 2;
    tieSizes.push(end - first);
    first = end;
  }
  return { ranks, tieSizes };
}

/** Twice the share of all sign choices whose positive ranks sum to `statistic` or less. */
function exactPValue(statistic: number, pairs: number): number {
  const choices = new Float64Array((pairs * (pairs + 1)) / 2 + 1);
  choices[0] = 1;
  for (let rank = 1; rank <= pairs; rank++) {
    for (let sum = choices.length - 1; sum >= rank; sum--) choices[sum] += choices[sum - rank];
  }
  const below = choices.subarray(0, statistic + 1).reduce((total, count) => total + count, 0);
  return Math.min(1, (2 * below) / 2 ** pairs);
}

/** The normal approximation: moments of the rank sum, reduced for zeros (Pratt, JASA 54, 1959) and corrected for ties. */
function normalPValue(
  statistic: number,
  pairs: number,
  { zeros, tieSizes }: { readonly zeros: number; readonly tieSizes: readonly number[] },
  continuityCorrection: boolean,
): number {
  const meanOfAll = (count: number) => (count * (count + 1)) / 4;
  const varianceOfAll = (count: number) => (count * (count + 1) * (2 * count + 1)) / 24;
  const ties = tieSizes.reduce((sum, size) => sum + size * (size * size - 1), 0) / 48;
  const mean = meanOfAll(pairs) - meanOfAll(zeros);
  const variance = varianceOfAll(pairs) - varianceOfAll(zeros) - ties;
  const distance = Math.abs(statistic - mean) - (continuityCorrection ? 0.5 : 0);
  return Math.min(1, 2 * normalUpperTail(Math.max(0, distance) / Math.sqrt(variance)));
}

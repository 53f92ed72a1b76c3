// The area under a ROC curve, for npm run check -- realism.

/**
 * The probability that an implant has a greater value than an own body, equal values counting half (Mann and Whitney
 * 1947); null where there are not both.
 */
export function areaUnderCurve(
  points: readonly { readonly isImplant: boolean; readonly value: number }[],
): number | null {
  const sorted = [...points].sort((a, b) => a.value - b.value);
  const implants = points.filter(({ isImplant }) => isImplant).length;
  const own = points.length - implants;
  if (implants === 0 || own === 0) return null;
  let won = 0;
  let ownBelow = 0;
  for (let first = 0; first < sorted.length; ) {
    let end = first;
    while (end < sorted.length && sorted[end].value === sorted[first].value) end++;
    const tied = sorted.slice(first, end);
    const tiedImplants = tied.filter(({ isImplant }) => isImplant).length;
    const tiedOwn = tied.length - tiedImplants;
    won += tiedImplants * (ownBelow + tiedOwn / 2);
    ownBelow += tiedOwn;
    first = end;
  }
  return won / (implants * own);
}

// Runs a network exported by `lnsnet export`, with nothing but ONNX Runtime and the JSON file beside it. Research use only.

/**
 * Probability of foreground in each voxel.
 *
 * @param hu HU of a scan prepared as `recipe.preparation` says; x runs fastest, then y, then z
 * @param size voxels along z, y, x
 * @param recipe content of the JSON file
 * @param logitsOf the network: takes the image of a patch and returns its logits
 */
export async function probability(hu, size, recipe, logitsOf) {
  const [low, high] = recipe.preparation.window_hu;
  const { size_zyx: edges, overlap, weight_deviation_share, weight_least } = recipe.patches;
  const scaled = (value) => ((Math.min(Math.max(Math.round(value), low), high) - low) * 2) / (high - low) - 1;
  const gaussian = (n, edge) =>
    Math.exp(-(((n - (edge - 1) / 2) / (edge * weight_deviation_share)) ** 2) / 2);
  const sum = new Float64Array(hu.length);
  const total = new Float64Array(hu.length);
  for (const start of patchStarts(size, edges, overlap)) {
    const image = new Float32Array(edges[0] * edges[1] * edges[2]).fill(-1);
    const voxels = [...voxelsInScan(start, edges, size)];
    for (const { from, to } of voxels) image[from] = scaled(hu[to]);
    const logits = image.some((value) => value > -1) ? await logitsOf(image) : null;
    for (const { from, to, place } of voxels) {
      const weight = place.reduce((product, n, axis) => product * gaussian(n, edges[axis]), 1);
      total[to] += Math.max(weight, weight_least);
      if (logits !== null) sum[to] += Math.max(weight, weight_least) / (1 + Math.exp(-logits[from]));
    }
  }
  return sum.map((value, n) => value / total[n]);
}

/** First voxels (z, y, x) of the patches: evenly spread along each axis, no further apart than the overlap allows. */
function patchStarts(size, edges, overlap) {
  const [z, y, x] = size.map((length, axis) => {
    const room = length - edges[axis];
    if (room <= 0) return [Math.floor(room / 2)];
    const steps = Math.ceil(room / (edges[axis] * (1 - overlap)));
    return Array.from({ length: steps + 1 }, (_, step) => Math.round((room * step) / steps));
  });
  return z.flatMap((k) => y.flatMap((j) => x.map((i) => [k, j, i])));
}

/** The voxels of a patch that lie in the scan: their index in the patch and in the scan, and their place in the patch. */
function* voxelsInScan(start, edges, size) {
  for (let from = 0; from < edges[0] * edges[1] * edges[2]; from++) {
    const place = [
      Math.floor(from / (edges[1] * edges[2])),
      Math.floor(from / edges[2]) % edges[1],
      from % edges[2],
    ];
    const [k, j, i] = place.map((n, axis) => n + start[axis]);
    if (k < 0 || j < 0 || i < 0 || k >= size[0] || j >= size[1] || i >= size[2]) continue;
    yield { from, to: (k * size[1] + j) * size[2] + i, place };
  }
}

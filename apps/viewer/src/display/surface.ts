// The surface of a mask as triangles, by naive surface nets: a vertex in each cell that the surface passes through.
import { type Geometry, pointOfIndex, type Vector3 } from "@lnsnet/core/volume";

/** Triangles in index coordinates of a mask. */
export interface Surface {
  /** (i, j, k) of each vertex, continuous. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Three vertices a triangle, counterclockwise from outside. */
  readonly triangles: Uint32Array<ArrayBuffer>;
}

/**
 * The surface between voxel centres inside and outside. What lies beyond the mask's box is outside.
 * S. Gibson, "Constrained elastic surface nets", MICCAI 1998, here with two steps of smoothing.
 *
 * @param data nonzero is inside; i fastest
 */
export function surfaceOf(data: Uint8Array, size: Vector3): Surface {
  // Cell (i, j, k) lies between voxels (i − 1, …) and (i, …), so that the box's rim has cells too.
  const [width, height, depth] = [size[0] + 1, size[1] + 1, size[2] + 1];
  const inside = (i: number, j: number, k: number) =>
    i >= 0 && j >= 0 && k >= 0 && i < size[0] && j < size[1] && k < size[2]
      ? data[i + size[0] * (j + size[1] * k)] !== 0
      : false;
  const vertexOf = new Int32Array(width * height * depth).fill(-1);
  const positions: number[] = [];
  const corners = new Uint8Array(8);
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++) {
        let count = 0;
        for (let corner = 0; corner < 8; corner++) {
          const isIn = inside(i - 1 + (corner & 1), j - 1 + ((corner >> 1) & 1), k - 1 + (corner >> 2));
          corners[corner] = isIn ? 1 : 0;
          count += corners[corner];
        }
        if (count === 0 || count === 8) continue;
        vertexOf[i + width * (j + height * k)] = positions.length / 3;
        const [x, y, z] = middleOfCrossings(corners);
        positions.push(i - 1 + x, j - 1 + y, k - 1 + z);
      }
    }
  }
  const triangles: number[] = [];
  const cell = (i: number, j: number, k: number) => vertexOf[i + width * (j + height * k)];
  const quad = (a: number, b: number, c: number, d: number, isFlipped: boolean) => {
    if (isFlipped) triangles.push(a, c, b, a, d, c);
    else triangles.push(a, b, c, a, c, d);
  };
  // Each edge between a voxel inside and one outside lies in four cells, whose vertices make a quad.
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++) {
        const here = inside(i - 1, j - 1, k - 1);
        if (j > 0 && k > 0 && i < width && here !== inside(i, j - 1, k - 1))
          quad(cell(i, j - 1, k - 1), cell(i, j, k - 1), cell(i, j, k), cell(i, j - 1, k), !here);
        if (i > 0 && k > 0 && here !== inside(i - 1, j, k - 1))
          quad(cell(i - 1, j, k - 1), cell(i - 1, j, k), cell(i, j, k), cell(i, j, k - 1), !here);
        if (i > 0 && j > 0 && here !== inside(i - 1, j - 1, k))
          quad(cell(i - 1, j - 1, k), cell(i, j - 1, k), cell(i, j, k), cell(i - 1, j, k), !here);
      }
    }
  }
  const surface = { positions: Float32Array.from(positions), triangles: Uint32Array.from(triangles) };
  for (let step = 0; step < 2; step++) smooth(surface);
  return surface;
}

/** The mean of the points halfway along the cell's edges that the surface crosses. */
function middleOfCrossings(corners: Uint8Array): Vector3 {
  let [x, y, z, count] = [0, 0, 0, 0];
  for (let corner = 0; corner < 8; corner++) {
    for (let axis = 0; axis < 3; axis++) {
      const other = corner | (1 << axis);
      if (other === corner || corners[corner] === corners[other]) continue;
      x += axis === 0 ? 0.5 : corner & 1;
      y += axis === 1 ? 0.5 : (corner >> 1) & 1;
      z += axis === 2 ? 0.5 : corner >> 2;
      count++;
    }
  }
  return [x / count, y / count, z / count];
}

/** Moves each vertex halfway to the mean of its neighbours, in place. */
function smooth({ positions, triangles }: Surface): void {
  const sums = new Float32Array(positions.length);
  const counts = new Uint32Array(positions.length / 3);
  for (let at = 0; at < triangles.length; at += 3) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = triangles[at + corner];
      for (const next of [triangles[at + ((corner + 1) % 3)], triangles[at + ((corner + 2) % 3)]]) {
        for (let axis = 0; axis < 3; axis++) sums[3 * vertex + axis] += positions[3 * next + axis];
        counts[vertex]++;
      }
    }
  }
  for (let at = 0; at < positions.length; at++) {
    const count = counts[Math.floor(at / 3)];
    if (count > 0) positions[at] = (positions[at] + sums[at] / count) / 2;
  }
}

/** A surface as a graphics card draws it. */
export interface Body {
  /** LPS mm, three numbers a vertex. */
  readonly points: Float32Array<ArrayBuffer>;
  /** Unit vectors that point outwards, three numbers a vertex. */
  readonly normals: Float32Array<ArrayBuffer>;
  /** Three vertices a triangle. */
  readonly triangles: Uint32Array<ArrayBuffer>;
}

/** The voxels of which a {@link Body} is made: nonzero is inside; `start` is the first voxel of the mask in the grid. */
export interface BodyMask {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly size: Vector3;
  readonly start: Vector3;
  readonly grid: Pick<Geometry, "spacingMm" | "originMm" | "direction">;
}

/** The surface of a mask in the patient. Takes 20 to 300 ms, and so belongs in a worker. */
export function bodyOf({ data, size, start, grid }: BodyMask): Body {
  const { positions, triangles } = surfaceOf(data, size);
  const points = new Float32Array(positions.length);
  const place = { ...grid, size };
  for (let at = 0; at < positions.length; at += 3) {
    const index = [0, 1, 2].map((axis) => positions[at + axis] + start[axis]);
    points.set(pointOfIndex(place, [index[0], index[1], index[2]]), at);
  }
  return { points, normals: normalsOf(points, triangles), triangles };
}

/** Unit normals that point outwards, one a vertex, of triangles in any coordinates. */
function normalsOf(positions: Float32Array, triangles: Uint32Array): Float32Array<ArrayBuffer> {
  const normals = new Float32Array(positions.length);
  for (let at = 0; at < triangles.length; at += 3) {
    const [a, b, c] = [3 * triangles[at], 3 * triangles[at + 1], 3 * triangles[at + 2]];
    const u = [0, 1, 2].map((axis) => positions[b + axis] - positions[a + axis]);
    const v = [0, 1, 2].map((axis) => positions[c + axis] - positions[a + axis]);
    const across = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (const vertex of [a, b, c])
      for (let axis = 0; axis < 3; axis++) normals[vertex + axis] += across[axis];
  }
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.hypot(normals[at], normals[at + 1], normals[at + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) normals[at + axis] /= length;
  }
  return normals;
}

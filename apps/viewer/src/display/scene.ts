// Draws surfaces in 3D with WebGL2: nodes solid, bone as a veil around them.
import { type Geometry, pointOfIndex, type Vector3, type Volume } from "@lnsnet/core/volume";
import { normalsOf, type Surface, surfaceOf } from "./surface.js";

/** From where the scene is seen, in degrees; 0, 0 is from the front. */
export interface SceneCamera {
  readonly turn: number;
  readonly tilt: number;
  readonly zoom: number;
}

interface Body {
  readonly array: WebGLVertexArrayObject;
  readonly count: number;
  readonly rgb: Vector3;
}

const vertexShader = `#version 300 es
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
uniform mat3 turned;
uniform vec3 middle;
uniform vec3 scale;
out vec3 seen;
void main() {
  seen = turned * normal;
  gl_Position = vec4(turned * (position - middle) * scale, 1.0);
}`;

const fragmentShader = `#version 300 es
precision highp float;
in vec3 seen;
uniform vec3 colour;
uniform float veil;
out vec4 pixel;
void main() {
  vec3 n = normalize(seen);
  float facing = abs(n.z);
  float light = 0.25 + 0.75 * max(dot(n, normalize(vec3(0.3, 0.4, 0.86))), 0.0);
  pixel = mix(vec4(colour * light, 1.0), vec4(colour, 0.06 + 0.4 * pow(1.0 - facing, 2.0)), veil);
}`;

/** A 3D picture of nodes on one canvas. */
export class Scene {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #nodes = new Map<number, Body>();
  #bone: Body | null = null;

  private constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#program = programOf(gl);
  }

  /** @returns null where the browser has no WebGL2 */
  static on(canvas: HTMLCanvasElement): Scene | null {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: false });
    return gl === null ? null : new Scene(gl);
  }

  /** @param mask nonzero is bone; on a grid of its own */
  setBone(mask: Volume<Uint8Array>): void {
    this.#forget(this.#bone);
    this.#bone = this.#bodyOf(surfaceOf(mask.data, mask.size), mask, [0, 0, 0], [0.85, 0.83, 0.76]);
  }

  /** Puts a node in place of what had its number; a mask of null takes it away. */
  setNode(
    number: number,
    mask: { readonly start: Vector3; readonly size: Vector3; readonly data: Uint8Array } | null,
    grid: Geometry,
    rgb: Vector3,
  ): void {
    this.#forget(this.#nodes.get(number) ?? null);
    this.#nodes.delete(number);
    if (mask !== null)
      this.#nodes.set(number, this.#bodyOf(surfaceOf(mask.data, mask.size), grid, mask.start, rgb));
  }

  /** The numbers that are shown. */
  get numbers(): readonly number[] {
    return [...this.#nodes.keys()];
  }

  /**
   * @param middleMm LPS, in the middle of the picture
   * @param reachMm how far the picture reaches from there to its nearer edge, at zoom 1
   */
  draw(camera: SceneCamera, middleMm: Vector3, reachMm: number): void {
    const gl = this.#gl;
    const { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.useProgram(this.#program);
    const at = (name: string) => gl.getUniformLocation(this.#program, name);
    const { right, up, near } = directions(camera);
    gl.uniformMatrix3fv(at("turned"), true, [...right, ...up, ...near]);
    gl.uniform3fv(at("middle"), middleMm);
    const shorter = Math.min(width, height);
    const scale = camera.zoom / reachMm;
    gl.uniform3f(at("scale"), (scale * shorter) / width, (scale * shorter) / height, -1 / (4 * reachMm));
    gl.uniform1f(at("veil"), 0);
    for (const body of this.#nodes.values()) this.#drawBody(body, at("colour"));
    if (this.#bone === null) return;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    gl.uniform1f(at("veil"), 1);
    this.#drawBody(this.#bone, at("colour"));
    gl.depthMask(true);
    gl.disable(gl.BLEND);
  }

  #drawBody({ array, count, rgb }: Body, colour: WebGLUniformLocation | null): void {
    this.#gl.bindVertexArray(array);
    this.#gl.uniform3fv(colour, rgb);
    this.#gl.drawElements(this.#gl.TRIANGLES, count, this.#gl.UNSIGNED_INT, 0);
  }

  #bodyOf({ positions, triangles }: Surface, grid: Geometry, start: Vector3, rgb: Vector3): Body {
    const gl = this.#gl;
    const points = new Float32Array(positions.length);
    for (let at = 0; at < positions.length; at += 3) {
      const index = [0, 1, 2].map((axis) => positions[at + axis] + start[axis]);
      points.set(pointOfIndex(grid, [index[0], index[1], index[2]]), at);
    }
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    for (const [location, values] of [points, normalsOf(points, triangles)].entries()) {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 3, gl.FLOAT, false, 0, 0);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    return { array, count: triangles.length, rgb };
  }

  #forget(body: Body | null): void {
    if (body !== null) this.#gl.deleteVertexArray(body.array);
  }
}

/** Bone of a scan on a grid of at most `most` voxels along each axis. */
export function boneOf(scan: Volume, most = 72): Volume<Uint8Array> {
  const strides = scan.size.map((n) => Math.ceil(n / most));
  const [width, height, depth] = scan.size.map((n, axis) => Math.ceil(n / strides[axis]));
  const data = new Uint8Array(width * height * depth);
  for (let k = 0, at = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++, at++) {
        const from = i * strides[0] + scan.size[0] * (j * strides[1] + scan.size[1] * k * strides[2]);
        data[at] = scan.data[from] > boneHu ? 1 : 0;
      }
    }
  }
  const { spacingMm: s } = scan;
  return {
    ...scan,
    size: [width, height, depth],
    spacingMm: [s[0] * strides[0], s[1] * strides[1], s[2] * strides[2]],
    data,
  };
}

/** Above vessels with contrast medium. */
const boneHu = 350;

/** Directions of the picture in the patient, LPS. `near` points to the person. */
function directions({ turn, tilt }: SceneCamera) {
  const [c, s] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const [d, t] = [Math.cos((tilt * Math.PI) / 180), Math.sin((tilt * Math.PI) / 180)];
  return { right: [c, s, 0], up: [-s * t, c * t, d], near: [s * d, -c * d, t] };
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertexShader],
    [gl.FRAGMENT_SHADER, fragmentShader],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) continue;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
    throw new Error(`The 3D view's program: ${gl.getProgramInfoLog(program)}`);
  return program;
}

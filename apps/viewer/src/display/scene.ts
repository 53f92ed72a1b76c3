// Draws surfaces in 3D with WebGL2: nodes solid, bone as a veil around them.
import type { Vector3, Volume } from "@lnsnet/core/volume";
import type { Body, BodyMask } from "./surface.js";

/** From where the scene is seen, in degrees; 0, 0 is from the front. */
export interface SceneCamera {
  readonly turn: number;
  readonly tilt: number;
  readonly zoom: number;
}

/** What is to be seen, and how large. */
export interface SceneView {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly camera: SceneCamera;
  /** LPS, in the middle of the picture. */
  readonly middleMm: Vector3;
  /** How far the picture reaches from there to its nearer edge, at zoom 1. */
  readonly reachMm: number;
  /** Colours of the nodes that are shown, by number; red, green and blue up to 1. */
  readonly colours: ReadonlyMap<number, Vector3>;
}

/** A body on the graphics card. */
interface LoadedBody {
  readonly array: WebGLVertexArrayObject;
  readonly buffers: readonly WebGLBuffer[];
  readonly count: number;
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
  readonly #nodes = new Map<number, LoadedBody>();
  #bone: LoadedBody | null = null;

  private constructor(
    gl: WebGL2RenderingContext,
    /** Whether the processor draws, for want of a graphics card. */
    readonly isSlow: boolean,
  ) {
    this.#gl = gl;
    this.#program = programOf(gl);
  }

  /** @returns null where the browser has no WebGL2 */
  static on(canvas: OffscreenCanvas): Scene | null {
    const isSlow = isDrawnByProcessor();
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: !isSlow });
    return gl === null ? null : new Scene(gl, isSlow);
  }

  setBone(body: Body): void {
    this.#forget(this.#bone);
    this.#bone = this.#loaded(body);
  }

  /** Puts a node in place of what had its number; null takes it away. */
  setNode(number: number, body: Body | null): void {
    this.#forget(this.#nodes.get(number) ?? null);
    this.#nodes.delete(number);
    if (body !== null) this.#nodes.set(number, this.#loaded(body));
  }

  draw({ width, height, camera, middleMm, reachMm, colours }: SceneView): void {
    const gl = this.#gl;
    gl.canvas.width = width;
    gl.canvas.height = height;
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
    for (const [number, body] of this.#nodes) {
      const rgb = colours.get(number);
      if (rgb !== undefined) this.#drawBody(body, rgb, at("colour"));
    }
    if (this.#bone === null) return;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    gl.uniform1f(at("veil"), 1);
    this.#drawBody(this.#bone, boneColour, at("colour"));
    gl.depthMask(true);
    gl.disable(gl.BLEND);
  }

  #drawBody({ array, count }: LoadedBody, rgb: Vector3, colour: WebGLUniformLocation | null): void {
    this.#gl.bindVertexArray(array);
    this.#gl.uniform3fv(colour, rgb);
    this.#gl.drawElements(this.#gl.TRIANGLES, count, this.#gl.UNSIGNED_INT, 0);
  }

  #loaded({ points, normals, triangles }: Body): LoadedBody {
    const gl = this.#gl;
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    const load = (target: GLenum, values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(target, buffer);
      gl.bufferData(target, values, gl.STATIC_DRAW);
      return buffer;
    };
    const perVertex = [points, normals].map((values, location) => {
      const buffer = load(gl.ARRAY_BUFFER, values);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 3, gl.FLOAT, false, 0, 0);
      return buffer;
    });
    const buffers = [...perVertex, load(gl.ELEMENT_ARRAY_BUFFER, triangles)];
    gl.bindVertexArray(null);
    return { array, buffers, count: triangles.length };
  }

  #forget(body: LoadedBody | null): void {
    if (body === null) return;
    this.#gl.deleteVertexArray(body.array);
    for (const buffer of body.buffers) this.#gl.deleteBuffer(buffer);
  }
}

/** Bone of a scan on a grid of at most `most` voxels along each axis. */
export function boneOf(scan: Volume, most: number): BodyMask {
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
  const { spacingMm: s, originMm, direction } = scan;
  const spacingMm = [s[0] * strides[0], s[1] * strides[1], s[2] * strides[2]] as const;
  return {
    data,
    size: [width, height, depth],
    start: [0, 0, 0],
    grid: { spacingMm, originMm, direction },
  };
}

const boneColour: Vector3 = [0.85, 0.83, 0.76];

/** Above vessels with contrast medium. */
const boneHu = 350;

/** Directions of the picture in the patient, LPS. `near` points to the person. */
function directions({ turn, tilt }: SceneCamera) {
  const [c, s] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const [d, t] = [Math.cos((tilt * Math.PI) / 180), Math.sin((tilt * Math.PI) / 180)];
  return { right: [c, s, 0], up: [-s * t, c * t, d], near: [s * d, -c * d, t] };
}

/** Renderers that need no graphics card, by their names: those of Chromium, of Linux and of Windows. */
function isDrawnByProcessor(): boolean {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  const named = gl?.getExtension("WEBGL_debug_renderer_info");
  const name: unknown = gl?.getParameter(named?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
  return /swiftshader|llvmpipe|softpipe|basic render/i.test(String(name));
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

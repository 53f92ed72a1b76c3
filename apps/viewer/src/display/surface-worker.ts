// Makes surfaces away from the page's own thread, which goes on answering meanwhile.
import { expose, transfer } from "comlink";
import { type Body, type BodyMask, bodyOf } from "./surface.js";

const worker = {
  bodyOf(mask: BodyMask): Body {
    const body = bodyOf(mask);
    return transfer(body, [body.points.buffer, body.normals.buffer, body.triangles.buffer]);
  },
};

/** What the page calls. */
export type SurfaceWorker = typeof worker;

expose(worker);

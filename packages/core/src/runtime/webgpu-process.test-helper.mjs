// Runs models on WebGPU in a process of its own, since the environment names its Vulkan driver: a model in, a result out.
import { nodeRuntime } from "../../dist/runtime/node.js";

process.on("message", async ({ model, inputs }) => {
  const session = await nodeRuntime.createSession(model, { device: "webgpu" });
  const outputs = await session.run(inputs);
  await session.release();
  process.send({ device: session.device, deviceNote: session.deviceNote, outputs });
});

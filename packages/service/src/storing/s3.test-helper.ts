// An S3-compatible server of the test's own, which checks signatures and keeps objects in a folder.
import { mkdir } from "node:fs/promises";
import S3rver from "s3rver";
import { freePort } from "../orthanc.test-helper.js";
import { openBucket } from "./store.js";

/** The keys that s3rver knows. */
export const keys = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" };

export interface S3 {
  /** Address of an empty bucket. */
  readonly bucket: string;
  /** What the bucket holds. */
  keys(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startS3(folder: string): Promise<S3> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const server = new S3rver({
    ...{ port, address: "127.0.0.1", silent: true, directory: folder },
    configureBuckets: [{ name: "lnsnet", configs: [] }],
  });
  await server.run();
  const bucket = `http://127.0.0.1:${port}/lnsnet`;
  return {
    bucket,
    keys: async () => ((await openBucket(bucket, keys).listObjects()) ?? []).map(({ Key }) => Key),
    stop: () => server.close(),
  };
}

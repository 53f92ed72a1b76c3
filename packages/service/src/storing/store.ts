// An S3-compatible store, by which studies go to workers that do not see the service's folder, and their results come back.
import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { readBytes } from "@lnsnet/node/disk";
import { S3mini } from "s3mini";

/** Folders of files in a bucket; none has folders in it. */
export interface Store {
  /** Puts the files of a folder there; those that are there with the same size stay. */
  put(folder: string, place: string): Promise<void>;
  /**
   * Takes a folder out whole or not at all; one that stands there stays.
   *
   * @param hashes what its files are, where that is known
   * @throws Error where the store holds no such folder, or a file that is another
   */
  take(place: string, folder: string, hashes?: ReadonlyMap<string, string>): Promise<void>;
  /** The content of a file; null where there is none. */
  read(place: string, name: string): Promise<Uint8Array | null>;
  remove(place: string): Promise<void>;
}

/** Where the keys of a store stand: in the environment, under the names that all programs for S3 use. */
export interface StoreEnvironment {
  readonly AWS_ACCESS_KEY_ID?: string | undefined;
  readonly AWS_SECRET_ACCESS_KEY?: string | undefined;
  readonly AWS_REGION?: string | undefined;
}

/**
 * @param address of the bucket, such as https://s3.hospital.example/lnsnet
 * @throws InputError where it is none, or the environment holds no keys
 */
export function openStore(address: string, environment: StoreEnvironment): Store {
  const bucket = openBucket(address, environment);
  const listed = async (place: string) => {
    const objects = (await bucket.listObjects("/", `${place}/`)) ?? [];
    return objects.map(({ Key, Size }) => ({ key: Key, name: basename(Key), bytes: Number(Size) }));
  };
  const content = async (key: string) => {
    const buffer = await bucket.getObjectArrayBuffer(key);
    return buffer === null ? null : new Uint8Array(buffer);
  };
  return {
    async put(folder, place) {
      const there = new Map((await listed(place)).map(({ name, bytes }) => [name, bytes]));
      for (const name of (await readdir(folder)).sort(summariesLast)) {
        const bytes = await readBytes(join(folder, name));
        if (there.get(name) !== bytes.length) await bucket.putObject(`${place}/${name}`, bytes);
      }
    },
    async take(place, folder, hashes) {
      const objects = await listed(place);
      if (objects.length === 0) throw new Error(`The store ${address} holds nothing at ${place}.`);
      const own = join(dirname(folder), `.${basename(folder)}-${crypto.randomUUID()}`);
      try {
        await mkdir(own, { recursive: true });
        for (const { key, name } of objects) {
          const bytes = await content(key);
          const hash = hashes?.get(name);
          if (bytes === null || (hash !== undefined && hash !== hashOf(bytes)))
            throw new Error(`The store ${address} holds another ${key} than was put there.`);
          await writeFile(join(own, name), bytes);
        }
        await rename(own, folder).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
        });
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
    read: (place, name) => content(`${place}/${name}`),
    async remove(place) {
      for (const { key } of await listed(place)) await bucket.deleteObject(key);
    },
  };
}

/** @throws InputError as {@link openStore} */
export function openBucket(address: string, environment: StoreEnvironment): S3mini {
  const isBucket =
    URL.canParse(address) &&
    /^https?:$/.test(new URL(address).protocol) &&
    new URL(address).pathname.length > 1;
  if (!isBucket)
    throw new InputError(
      `The store "${address}" is no address of a bucket such as https://s3.hospital.example/lnsnet; correct it.`,
    );
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION = "us-east-1" } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new InputError(
      `The store ${address} needs the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; set both.`,
    );
  return new S3mini({
    endpoint: address,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    region: AWS_REGION,
  });
}

/** Hidden files last: they say that the others are all there. */
const summariesLast = (a: string, b: string): number =>
  Number(a.startsWith(".")) - Number(b.startsWith(".")) || a.localeCompare(b);

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

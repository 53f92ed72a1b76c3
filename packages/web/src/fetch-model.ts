// Trained weights from an address: the shipped ones, which a page's bundler serves, or others.
import { InputError, type Model, readModel } from "@lnsnet/core";

/**
 * Loads a model by its address. A bundler gives that of the shipped one: with Vite,
 * `import url from "@lnsnet/models/finder.safetensors?url"`.
 *
 * @param url relative to the page
 * @param signal stops the transfer
 * @throws InputError where nothing is served there, or what is served is not a model of lnsnet; the signal's reason
 */
export async function fetchModel(url: string | URL, signal?: AbortSignal): Promise<Model> {
  const response = await fetch(url, { signal: signal ?? null }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new InputError(`${url} cannot be fetched; check the address and the connection.`, { cause: error });
  });
  if (!response.ok)
    throw new InputError(`${url} answers with status ${response.status}; give the address of a model.`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return readModel(bytes, String(url));
}

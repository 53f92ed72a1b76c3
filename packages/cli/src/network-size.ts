// The size of a patch or volume, as a network takes it.
import { InputError } from "@lnsnet/core/errors";
import { type NetworkSpecification, sizeRule, takesSize } from "@lnsnet/core/networks";
import { threeNumbers } from "./arguments.js";

/**
 * Depth, height and width that a network takes.
 *
 * @throws InputError where the text is no such size
 */
export function networkSize(
  text: string,
  name: string,
  network: NetworkSpecification,
): [number, number, number] {
  const size = threeNumbers(text, name, 1, 4096);
  if (!takesSize(network, size))
    throw new InputError(`${name} is ${text}, and ${sizeRule(network)}; give such sizes.`);
  return size;
}

// Reads what torch.save wrote: a zip archive with a pickle and a file for each storage. Nothing of it is run.
// Source of the layout: torch/serialization.py and torch/_utils.py of PyTorch 1.6 to 2.
import { strFromU8 } from "fflate";
import { InputError } from "../errors.js";
import { shown } from "../text.js";
import { floatsOfBfloat16, floatsOfFloat16 } from "./half-floats.js";
import { type PickleGlobal, type Unpickled, unpickle } from "./pickle.js";
import { isZip, listZip, type ZipEntry } from "./zip.js";

/**
 * The object that torch.save was given. Dictionaries are Maps, lists and tuples arrays, tensors {@link CheckpointTensor}.
 * Values of NumPy, devices and types are accepted and stand for nothing.
 *
 * @param name what errors call the file
 * @throws InputError where it is no such archive, is damaged, or its pickle names anything but {@link vocabularyOf}
 */
export function readTorchCheckpoint(bytes: Uint8Array, name: string): Unpickled {
  if (!isZip(bytes))
    throw new InputError(
      `${name} is no zip archive, and a checkpoint that PyTorch 1.6 or later saved is expected; check the path, or load it with Python and save it again with torch.save.`,
    );
  const entries = listZip(bytes, name);
  const pickle = entries.find(({ name: entry }) => /^[^/]+\/data\.pkl$/.test(entry));
  if (pickle === undefined)
    throw new InputError(
      `${name} is a zip archive without a pickle "data.pkl" in its folder, and what torch.save writes is expected; choose the checkpoint itself.`,
    );
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const files = new Map(entries.map((entry) => [entry.name.slice(folder.length), entry]));
  const byteOrder = files.get("byteorder");
  const archive: Archive = {
    name,
    files,
    isBigEndian: byteOrder !== undefined && strFromU8(byteOrder.read()) === "big",
  };
  return unpickle(pickle.read(), name, vocabularyOf(archive));
}

interface Archive {
  readonly name: string;
  readonly files: ReadonlyMap<string, ZipEntry>;
  readonly isBigEndian: boolean;
}

/** A tensor of a checkpoint. Its numbers are read from the archive when they are asked for, at each call anew. */
export class CheckpointTensor {
  constructor(
    /** The last axis varies fastest, whatever the strides in the file. */
    readonly shape: readonly number[],
    private readonly numbers: () => Float32Array,
  ) {}

  /** @throws InputError where the storage is missing, damaged, or of a kind without float32 values */
  read(): Float32Array {
    return this.numbers();
  }
}

/** How numbers of a storage become float32. `raw` owns its buffer from byte 0. */
interface StorageType {
  readonly bytes: number;
  readonly decode: (raw: Uint8Array<ArrayBuffer>) => Float32Array;
}

const storageTypes: Readonly<Record<string, StorageType>> = {
  FloatStorage: { bytes: 4, decode: (raw) => new Float32Array(raw.buffer) },
  DoubleStorage: { bytes: 8, decode: (raw) => Float32Array.from(new Float64Array(raw.buffer)) },
  HalfStorage: { bytes: 2, decode: (raw) => floatsOfFloat16(new Uint16Array(raw.buffer)) },
  BFloat16Storage: { bytes: 2, decode: (raw) => floatsOfBfloat16(new Uint16Array(raw.buffer)) },
  LongStorage: { bytes: 8, decode: (raw) => Float32Array.from(new BigInt64Array(raw.buffer), Number) },
  IntStorage: { bytes: 4, decode: (raw) => Float32Array.from(new Int32Array(raw.buffer)) },
  ShortStorage: { bytes: 2, decode: (raw) => Float32Array.from(new Int16Array(raw.buffer)) },
  CharStorage: { bytes: 1, decode: (raw) => Float32Array.from(new Int8Array(raw.buffer)) },
  ByteStorage: { bytes: 1, decode: (raw) => Float32Array.from(raw) },
  BoolStorage: { bytes: 1, decode: (raw) => Float32Array.from(raw) },
};

/** The numbers of one or more tensors, in the archive. */
class Storage {
  constructor(
    readonly type: StorageType,
    readonly key: string,
    readonly count: number,
  ) {}
}

/** A storage's type, as the pickle names it. */
class NamedStorageType implements PickleGlobal {
  readonly call = undefined;
  constructor(readonly type: StorageType) {}
}

/** What a checkpoint holds and no reader needs: values of NumPy, devices, types. It keeps nothing of what it is given. */
class Inert {}

const callsToInert: PickleGlobal = { call: () => new Inert() };
const nameAlone: PickleGlobal = {};

const inertCalls = [
  "_codecs encode",
  "numpy dtype",
  // NumPy 1 and 2 have them in different modules.
  ...["numpy.core", "numpy._core"].flatMap((core) => [
    `${core}.multiarray _reconstruct`,
    `${core}.multiarray scalar`,
    `${core}.numeric _frombuffer`,
  ]),
  "torch device",
  "torch Size",
];

const inertNames = [
  "numpy ndarray",
  ...["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
    (type) => `torch ${type}`,
  ),
];

function vocabularyOf(archive: Archive) {
  const globals = new Map<string, PickleGlobal>([
    ["collections OrderedDict", { call: ([items = []]) => new Map(pairsOf(items)) }],
    ["torch._utils _rebuild_tensor_v2", { call: (args) => rebuiltTensor(args, archive) }],
    ["torch._utils _rebuild_parameter", { call: ([data]) => data }],
    ...Object.entries(storageTypes).map(
      ([name, type]) => [`torch ${name}`, new NamedStorageType(type)] as const,
    ),
    ...inertCalls.map((name) => [name, callsToInert] as const),
    ...inertNames.map((name) => [name, nameAlone] as const),
  ]);
  return { globals, persistent: storageOf, build: ignoreState };
}

function pairsOf(items: Unpickled): [Unpickled, Unpickled][] {
  if (!Array.isArray(items) || !items.every((item) => Array.isArray(item) && item.length === 2))
    throw new TypeError("an ordered dictionary of what are no pairs");
  return items;
}

/** The identifier is ("storage", type, key, device, count). */
function storageOf(identifier: Unpickled): Storage {
  if (!Array.isArray(identifier) || identifier[0] !== "storage") throw new TypeError("an unknown identifier");
  const [, named, key, , count] = identifier as readonly Unpickled[];
  if (!(named instanceof NamedStorageType) || typeof key !== "string" || !isCount(count))
    throw new TypeError("a storage without type, key and length");
  return new Storage(named.type, key, count);
}

/** Attributes of dictionaries (state_dict has versions of its modules there) and the state of NumPy's values. */
function ignoreState(target: Unpickled): void {
  if (!(target instanceof Map || target instanceof Inert)) throw new TypeError("a state of plain data");
}

/** The arguments are (storage, offset, shape, strides, …), offset and strides in numbers. */
function rebuiltTensor(
  [storage, offset, shape, strides]: readonly Unpickled[],
  archive: Archive,
): CheckpointTensor {
  if (!(storage instanceof Storage) || !isCount(offset) || !areCounts(shape) || !areCounts(strides))
    throw new TypeError("a tensor without storage, offset, shape and strides");
  if (shape.length !== strides.length) throw new RangeError("a tensor with other strides than axes");
  const count = shape.reduce((product, length) => product * length, 1);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], offset);
  // An expanded tensor repeats a few numbers: a small file could ask for any memory.
  if (count > 0 && (last >= storage.count || count > storage.count))
    throw new RangeError(`a tensor of ${count} numbers that reaches beyond its storage of ${storage.count}`);
  return new CheckpointTensor(shape, () =>
    strided(numbersOf(storage, archive), { offset, shape, strides, count }),
  );
}

function numbersOf({ type, key, count }: Storage, { name, files, isBigEndian }: Archive): Float32Array {
  const entry = files.get(`data/${key}`);
  if (entry === undefined)
    throw new InputError(
      `${name} lacks the storage "data/${shown(key)}", and a complete checkpoint is expected; copy the file again.`,
    );
  // A copy that begins at byte 0 of its buffer, as the views need.
  const raw = Uint8Array.from(entry.read());
  if (raw.length !== count * type.bytes)
    throw new InputError(
      `${name} has ${raw.length} bytes in the storage "data/${shown(key)}", and ${count * type.bytes} are expected; copy the file again.`,
    );
  if (isBigEndian)
    for (let at = 0; at < raw.length; at += type.bytes) raw.subarray(at, at + type.bytes).reverse();
  return type.decode(raw);
}

interface View {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly count: number;
}

/** The numbers of a view in the order of its axes. */
function strided(numbers: Float32Array, { offset, shape, strides, count }: View): Float32Array {
  let dense = 1;
  const isDense = shape.every((_, n) => {
    const axis = shape.length - 1 - n;
    const matches = shape[axis] === 1 || strides[axis] === dense;
    dense *= shape[axis];
    return matches;
  });
  if (isDense) return numbers.slice(offset, offset + count);
  const values = new Float32Array(count);
  const index = new Array<number>(shape.length).fill(0);
  for (let n = 0, at = offset; n < count; n++) {
    values[n] = numbers[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return values;
}

const isCount = (value: Unpickled): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const areCounts = (value: Unpickled): value is readonly number[] =>
  Array.isArray(value) && value.length <= 8 && value.every(isCount);

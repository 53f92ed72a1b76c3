// Reads Python pickles without running anything: names of Python's are keys of a table that the caller gives.
// Source of the opcodes: CPython's Lib/pickletools.py, protocols 2 to 5.
import { strFromU8 } from "fflate";
import { InputError } from "../errors.js";
import { shown } from "../text.js";

/** A list or a tuple is an array, a dictionary a Map, an integer beyond 2^53 a bigint; the table's functions make all else. */
export type Unpickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Unpickled[]
  | ReadonlyMap<Unpickled, Unpickled>
  | ReadonlySet<Unpickled>
  | object;

/** What a name of Python's stands for. */
export interface PickleGlobal {
  /** What calling it gives; left out where it cannot be called. It must only make data of what it is given. */
  readonly call?: ((args: readonly Unpickled[]) => Unpickled) | undefined;
}

interface CallableGlobal extends PickleGlobal {
  readonly call: (args: readonly Unpickled[]) => Unpickled;
}

/** What a pickle may hold beside plain data. */
export interface PickleVocabulary {
  /** By module and name, such as "collections OrderedDict". A pickle with any other name is refused. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** The object that a persistent identifier stands for. */
  readonly persistent?: (identifier: Unpickled) => Unpickled;
  /** Takes the state that belongs to an object which the table made; what it throws refuses the pickle. */
  readonly build?: (target: Unpickled, state: Unpickled) => void;
}

/**
 * The object in a pickle of protocol 2 to 5. Nothing of it is run: a name is looked up in the table, and calling it
 * calls the table's own function. Sizes that the pickle states are compared with its length before memory is taken.
 *
 * @param name what errors call the file
 * @throws InputError where the pickle is cut short or damaged, names what the table does not hold, or uses an opcode that
 *   plain data do not need
 */
export function unpickle(bytes: Uint8Array, name: string, vocabulary: PickleVocabulary): Unpickled {
  if (bytes.length > largestPickle)
    throw new InputError(
      `${name} holds a pickle of ${(bytes.length / 2 ** 20).toFixed(0)} MiB beside its tensors, and at most ${largestPickle / 2 ** 20} MiB are read; save its weights alone with Python.`,
    );
  try {
    return new Unpickler(bytes, name, vocabulary).run();
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw new InputError(
      `${name} holds a pickle that is cut short or damaged (${cause.message}), and a complete one is expected; copy the file again.`,
      { cause },
    );
  }
}

/** A checkpoint's has less than a tenth of it; each byte may cost a hundred in memory. */
const largestPickle = 32 * 2 ** 20;

/** Integers of a checkpoint have 8 bytes; Python's have no limit, and large ones cost time that grows with its square. */
const longestInteger = 64;

class Unpickler {
  private readonly view: DataView;
  private at = 0;
  private readonly stack: Unpickled[] = [];
  /** Lengths of the stack at which a group of values begins. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Unpickled>();
  private readonly callable: ReadonlySet<Unpickled>;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly name: string,
    private readonly vocabulary: PickleVocabulary,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.callable = new Set([...vocabulary.globals.values()].filter(({ call }) => call !== undefined));
  }

  run(): Unpickled {
    for (;;) {
      const opcode = this.unsigned(1);
      if (opcode === STOP) return this.pop();
      const step = steps.get(opcode);
      if (step === undefined)
        throw new InputError(
          `${this.name} holds a pickle with the opcode 0x${opcode.toString(16).padStart(2, "0")}, which neither torch.save nor plain data need; save the file again with torch.save.`,
        );
      step(this);
    }
  }

  push(value: Unpickled): void {
    this.stack.push(value);
  }

  pop(): Unpickled {
    const least = this.marks.length === 0 ? 0 : this.marks[this.marks.length - 1];
    if (this.stack.length <= least) throw new RangeError("a value is missing");
    return this.stack.pop() as Unpickled;
  }

  top(): Unpickled {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  /** The values since the last mark. */
  popGroup(): Unpickled[] {
    const start = this.marks.pop();
    if (start === undefined) throw new RangeError("a mark is missing");
    return this.stack.splice(start);
  }

  popMany(count: number): Unpickled[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.at;
    this.take(width);
    if (width === 1) return this.view.getUint8(at);
    if (width === 2) return this.view.getUint16(at, true);
    if (width === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  int32(): number {
    return this.unsigned(4) | 0;
  }

  /** The only big-endian number of a pickle. */
  float64(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, false);
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at)
      throw new RangeError(`it states ${length} bytes at byte ${this.at} of ${this.bytes.length}`);
    const start = this.at;
    this.at += length;
    return this.bytes.subarray(start, this.at);
  }

  text(length: number): string {
    return strFromU8(this.take(length));
  }

  line(): string {
    const end = this.bytes.indexOf(LINE_FEED, this.at);
    if (end < 0) throw new RangeError("a line does not end");
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  /** An integer of any length, two's complement, least byte first. */
  integer(length: number): number | bigint {
    if (length > longestInteger) throw new RangeError(`an integer of ${length} bytes`);
    let value = 0n;
    const digits = this.take(length);
    for (let n = length - 1; n >= 0; n--) value = (value << 8n) | BigInt(digits[n]);
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  global(module: Unpickled, qualifiedName: Unpickled): PickleGlobal {
    if (typeof module !== "string" || typeof qualifiedName !== "string")
      throw new TypeError("a name that is no text");
    const found = this.vocabulary.globals.get(`${module} ${qualifiedName}`);
    if (found === undefined)
      throw new InputError(
        `${this.name} asks Python for "${shown(`${module}.${qualifiedName}`)}", and tensors and plain data are expected; do not open this file in Python unless you trust it, and if you do, save its weights alone there.`,
      );
    return found;
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!Array.isArray(args)) throw new TypeError("arguments that are no tuple");
    if (!this.callable.has(callee)) throw new TypeError("a call of what cannot be called");
    this.push((callee as CallableGlobal).call(args));
  }

  build(): void {
    const state = this.pop();
    if (this.vocabulary.build === undefined) throw new TypeError("an object with a state");
    this.vocabulary.build(this.top(), state);
  }

  resolvePersistent(): void {
    if (this.vocabulary.persistent === undefined) throw new TypeError("a persistent identifier");
    this.push(this.vocabulary.persistent(this.pop()));
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new RangeError(`memo ${index} was never filled`);
    this.push(value);
  }
}

function append(machine: Unpickler, values: readonly Unpickled[]): void {
  const target = machine.top();
  if (!Array.isArray(target)) throw new TypeError("values appended to what is no list");
  for (const value of values) target.push(value);
}

function setItems(machine: Unpickler, items: readonly Unpickled[]): void {
  const target = machine.top();
  if (!(target instanceof Map)) throw new TypeError("items set in what is no dictionary");
  if (items.length % 2 !== 0) throw new RangeError("a key without a value");
  for (let n = 0; n < items.length; n += 2) target.set(items[n], items[n + 1]);
}

function addItems(machine: Unpickler, values: readonly Unpickled[]): void {
  const target = machine.top();
  if (!(target instanceof Set)) throw new TypeError("values added to what is no set");
  for (const value of values) target.add(value);
}

const LINE_FEED = 0x0a;
const STOP = 0x2e;

type Step = (machine: Unpickler) => void;

/** What each opcode does, by its byte. */
const steps: ReadonlyMap<number, Step> = new Map<number, Step>([
  [0x80, (m) => requireProtocol(m.unsigned(1))], // PROTO
  [0x95, (m) => void m.unsigned(8)], // FRAME: only says how far to read ahead
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.unsigned(1))], // BININT1
  [0x4d, (m) => m.push(m.unsigned(2))], // BININT2
  [0x8a, (m) => m.push(m.integer(m.unsigned(1)))], // LONG1
  [0x8b, (m) => m.push(m.integer(m.unsigned(4)))], // LONG4
  [0x47, (m) => m.push(m.float64())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.unsigned(4)))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.unsigned(1)))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.unsigned(8)))], // BINUNICODE8
  [0x54, (m) => m.push(m.text(m.unsigned(4)))], // BINSTRING
  [0x55, (m) => m.push(m.text(m.unsigned(1)))], // SHORT_BINSTRING
  [0x42, (m) => m.push(m.take(m.unsigned(4)).slice())], // BINBYTES
  [0x43, (m) => m.push(m.take(m.unsigned(1)).slice())], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.take(m.unsigned(8)).slice())], // BINBYTES8
  [0x96, (m) => m.push(m.take(m.unsigned(8)).slice())], // BYTEARRAY8
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popGroup()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [0x74, (m) => m.push(m.popGroup())], // TUPLE
  [0x85, (m) => m.push(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.push(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.push(m.popMany(3))], // TUPLE3
  [0x91, (m) => m.push(new Set(m.popGroup()))], // FROZENSET
  [0x61, (m) => append(m, [m.pop()])], // APPEND
  [0x65, (m) => append(m, m.popGroup())], // APPENDS
  [0x73, (m) => setItems(m, m.popMany(2))], // SETITEM
  [0x75, (m) => setItems(m, m.popGroup())], // SETITEMS
  [0x90, (m) => addItems(m, m.popGroup())], // ADDITEMS
  [0x71, (m) => m.remember(m.unsigned(1))], // BINPUT
  [0x72, (m) => m.remember(m.unsigned(4))], // LONG_BINPUT
  [0x94, (m) => m.rememberNext()], // MEMOIZE
  [0x68, (m) => m.recall(m.unsigned(1))], // BINGET
  [0x6a, (m) => m.recall(m.unsigned(4))], // LONG_BINGET
  [0x63, (m) => m.push(m.global(m.line(), m.line()))], // GLOBAL
  [0x93, (m) => m.push(m.global(...(m.popMany(2) as [Unpickled, Unpickled])))], // STACK_GLOBAL
  [0x52, (m) => m.call()], // REDUCE
  [0x81, (m) => m.call()], // NEWOBJ: the class and the arguments lie as for REDUCE
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.resolvePersistent()], // BINPERSID
]);

function requireProtocol(protocol: number): void {
  if (protocol < 2 || protocol > 5) throw new RangeError(`protocol ${protocol}`);
}

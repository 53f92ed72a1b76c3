// Writes a graph as an ONNX model that any runtime reads.
import {
  type Floats,
  type Integers,
  type Node,
  type OnnxEmitter,
  type OnnxTarget,
  sortNodes,
  type Value,
} from "./graph.js";
import { lower } from "./lower.js";
import { type OnnxAttribute, type OnnxNode, type OnnxTensor, onnxBytes } from "./onnx-file.js";
import { leafName } from "./operations/leaves.js";
import { type Shape, sizeOf } from "./shape.js";

/** ONNX operator set that emitted models use. */
const OPSET = 20;
const IR_VERSION = 9;

export interface OnnxModelOptions {
  /** Values given at each run; each an input leaf. */
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
  /** Numbers of the parameters that are stored in the model, by full name. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
  /** Values that take the place of parameters: in a training step, views of the one vector of all weights. */
  readonly bindings?: ReadonlyMap<Value, Value>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The device that will run the model; a model for the CPU, the default, suits every device that supports all of ONNX. */
  readonly target?: OnnxTarget;
}

/** The bytes of an ONNX model (opset `OPSET`) that computes `outputs`. */
export function emitOnnx({ target = "cpu", ...options }: OnnxModelOptions): Uint8Array {
  const { inputs, metadata = {} } = options;
  const { outputs, bindings } = loweredFor(target, options);
  const writer = new GraphWriter({ ...options, outputs, bindings });
  for (const value of inputs) writer.write(value.node);
  for (const node of sortBound(Object.values(outputs), bindings)) writer.write(node);
  writer.nameOutputs();
  return onnxBytes({
    irVersion: IR_VERSION,
    producer: "lnsnet",
    opset: OPSET,
    metadata,
    graph: {
      name: "lnsnet",
      nodes: writer.nodes,
      initializers: writer.initializers,
      inputs: inputs.map((value) => ({ name: leafName(value), shape: value.shape })),
      outputs: Object.entries(outputs).map(([name, value]) => ({ name, shape: value.shape })),
    },
  });
}

/** Writes the ONNX nodes of operations: names their values, and stores equal constants once. */
class GraphWriter implements OnnxEmitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly names = new Map<Value, string>();
  private readonly taken: Set<string>;
  private readonly outputNames: ReadonlyMap<Value, string>;
  /** Names of constants by their content. */
  private readonly pooled = new Map<string, string>();
  /** Path of the graph's node that is being written. */
  private path = "";

  constructor(private readonly options: OnnxModelOptions & { readonly bindings: ReadonlyMap<Value, Value> }) {
    this.taken = new Set(Object.keys(options.outputs));
    this.outputNames = new Map(Object.entries(options.outputs).map(([name, value]) => [value, name]));
  }

  /** Writes a node of the graph, once. */
  write(node: Node): void {
    if (node.outputs.every((value) => this.names.has(value))) return;
    this.path = node.path;
    node.operation.onnx(node, this);
  }

  /** Copies an output that no node writes under its own name: a leaf, or a value that is two outputs. */
  nameOutputs(): void {
    for (const [name, value] of Object.entries(this.options.outputs))
      if (this.nameOf(value) !== name) this.append("Identity", [this.nameOf(value)], [name], {}, {});
  }

  nameOf(value: Value): string {
    const name = this.names.get(this.options.bindings.get(value) ?? value);
    if (name === undefined) throw new Error(`${value.node.operation.name} was not written before it is used`);
    return name;
  }

  emit(type: string, node: Pick<Node, "inputs" | "outputs">, attributes: Integers = {}): void {
    this.nodeTo(
      node.outputs,
      type,
      node.inputs.map((value) => this.nameOf(value)),
      attributes,
    );
  }

  nodeTo(
    values: readonly (Value | null)[],
    type: string,
    inputs: readonly string[],
    integers: Integers = {},
    floats: Floats = {},
  ): void {
    const outputs = values.map((value) => {
      if (value === null) return this.unique(`${this.label(type)}.unused`);
      const name = this.outputNames.get(value) ?? this.unique(this.label(type));
      this.names.set(value, name);
      return name;
    });
    this.append(type, inputs, outputs, integers, floats);
  }

  node(type: string, inputs: readonly string[], integers: Integers = {}, floats: Floats = {}): string {
    const name = this.unique(this.label(type));
    this.append(type, inputs, [name], integers, floats);
    return name;
  }

  floats(shape: Shape, data: ArrayLike<number>): string {
    const add = () => this.store(this.unique("constant"), shape, Float32Array.from(data));
    return isUniform(data) ? this.pool(`f${shape.join(",")}:${data[0] ?? 0}`, add) : add();
  }

  integers(data: readonly number[]): string {
    return this.pool(`i${data.join(",")}`, () =>
      this.store(this.unique("integers"), [data.length], BigInt64Array.from(data.map(BigInt))),
    );
  }

  leaf(value: Value, name: string): void {
    const { inputs, outputs, weights } = this.options;
    if (this.taken.has(name) && outputs[name] !== value) throw new Error(`two values are named ${name}`);
    this.names.set(value, name);
    this.taken.add(name);
    const data = weights?.get(name);
    if (data === undefined) {
      if (!inputs.includes(value)) throw new Error(`${name} is neither an input nor has it weights`);
      return;
    }
    if (data.length !== sizeOf(value.shape))
      throw new Error(`${data.length} weights for ${name} ${value.shape}`);
    this.store(name, value.shape, data);
  }

  constant(value: Value, data: Float32Array): void {
    this.names.set(value, this.floats(value.shape, data));
  }

  private unique(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.taken.has(name); count++) name = `${wanted}.${count}`;
    this.taken.add(name);
    return name;
  }

  private label(type: string): string {
    return this.path === "" ? type : `${this.path}/${type}`;
  }

  private append(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    integers: Integers,
    floats: Floats,
  ): void {
    const attributes = attributesOf(integers, floats);
    this.nodes.push({ type, name: outputs[0], inputs, outputs, attributes });
  }

  private store(name: string, shape: Shape, data: Float32Array | BigInt64Array): string {
    this.initializers.push({ name, shape, data });
    return name;
  }

  /** The name of the constant with this content, which is added if there is none. */
  private pool(content: string, add: () => string): string {
    const name = this.pooled.get(content) ?? add();
    this.pooled.set(content, name);
    return name;
  }
}

/** Attributes that are floats in ONNX, even where an operation passes a whole number. */
const FLOAT_ATTRIBUTES = new Set(["alpha", "beta", "epsilon"]);

function attributesOf(integers: Integers, floats: Floats): OnnxAttribute[] {
  const isFloat = ([name]: [string, unknown]) => FLOAT_ATTRIBUTES.has(name);
  const given = Object.entries(integers);
  return [
    ...given.filter((entry) => !isFloat(entry)).map(([name, value]) => ({ name, ...integersOrWord(value) })),
    ...[...given.filter(isFloat), ...Object.entries(floats)].map(([name, value]) => ({
      name,
      float: Number(value),
    })),
  ];
}

function integersOrWord(value: Integers[string]) {
  if (typeof value === "string") return { word: value };
  return typeof value === "number" ? { integer: value } : { integers: value };
}

function isUniform(data: ArrayLike<number>): boolean {
  for (let at = 1; at < data.length; at++) if (data[at] !== data[0]) return false;
  return true;
}

/** Outputs and bound values as the target can compute them. */
function loweredFor(
  target: OnnxTarget,
  { outputs, bindings = new Map() }: OnnxModelOptions,
): Required<Pick<OnnxModelOptions, "outputs" | "bindings">> {
  const names = Object.keys(outputs);
  const values = lower([...Object.values(outputs), ...bindings.values()], target);
  return {
    outputs: Object.fromEntries(names.map((name, index) => [name, values[index]])),
    bindings: new Map([...bindings.keys()].map((value, index) => [value, values[names.length + index]])),
  };
}

/** Nodes in order; nodes of bound values replace the parameters that they are bound to. */
function sortBound(values: readonly Value[], bindings: ReadonlyMap<Value, Value>): Node[] {
  if (bindings.size === 0) return sortNodes(values);
  const used = sortNodes(values).flatMap((node) =>
    node.outputs.flatMap((value) => bindings.get(value) ?? []),
  );
  const replaced = new Set([...bindings.keys()].map((value) => value.node));
  const first = new Set(sortNodes(used));
  return [...first, ...sortNodes(values).filter((node) => !replaced.has(node) && !first.has(node))];
}

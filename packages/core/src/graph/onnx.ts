// Writes a graph as an ONNX model that any runtime reads.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from "onnx-buf";
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
import { leafName } from "./operations/leaves.js";
import { type Shape, sizeOf } from "./shape.js";

/** ONNX operator set that emitted models use. */
const OPSET = 20;
const IR_VERSION = 9n;

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
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "lnsnet",
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: "lnsnet",
      node: writer.nodes,
      initializer: writer.initializers,
      input: inputs.map((value) => valueInfo(leafName(value), value.shape)),
      output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value.shape)),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** Writes the ONNX nodes of operations: names their values, and stores equal constants once. */
class GraphWriter implements OnnxEmitter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
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
    const add = () =>
      this.store(this.unique("constant"), shape, TensorProto_DataType.FLOAT, Float32Array.from(data));
    return isUniform(data) ? this.pool(`f${shape.join(",")}:${data[0] ?? 0}`, add) : add();
  }

  integers(data: readonly number[]): string {
    return this.pool(`i${data.join(",")}`, () =>
      this.store(
        this.unique("integers"),
        [data.length],
        TensorProto_DataType.INT64,
        BigInt64Array.from(data.map(BigInt)),
      ),
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
    this.store(name, value.shape, TensorProto_DataType.FLOAT, data.slice());
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
    opType: string,
    input: readonly string[],
    output: string[],
    integers: Integers,
    floats: Floats,
  ): void {
    const attribute = attributesOf(integers, floats);
    this.nodes.push(
      create(NodeProtoSchema, { opType, name: output[0], input: [...input], output, attribute }),
    );
  }

  private store(
    name: string,
    shape: Shape,
    dataType: TensorProto_DataType,
    data: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>,
  ): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push(create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType, rawData }));
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

function attributesOf(integers: Integers, floats: Floats) {
  const isFloat = ([name]: [string, unknown]) => FLOAT_ATTRIBUTES.has(name);
  const given = Object.entries(integers);
  return [
    ...given
      .filter((entry) => !isFloat(entry))
      .map(([name, value]) => create(AttributeProtoSchema, { name, ...integersOrWord(value) })),
    ...[...given.filter(isFloat), ...Object.entries(floats)].map(([name, value]) =>
      create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: Number(value) }),
    ),
  ];
}

function integersOrWord(value: Integers[string]) {
  if (typeof value === "string")
    return {
      type: AttributeProto_AttributeType.STRING,
      s: Uint8Array.from(value, (letter) => letter.charCodeAt(0)),
    };
  return typeof value === "number"
    ? { type: AttributeProto_AttributeType.INT, i: BigInt(value) }
    : { type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) };
}

/** An input or output of the model: float32, of a fixed shape. */
function valueInfo(name: string, shape: Shape) {
  const dim = shape.map((length) => ({ value: { case: "dimValue" as const, value: BigInt(length) } }));
  const value = { elemType: TensorProto_DataType.FLOAT, shape: { dim } };
  return { name, type: { value: { case: "tensorType" as const, value } } };
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

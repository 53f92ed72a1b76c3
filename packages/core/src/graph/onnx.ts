// Writes a graph as an ONNX model that any runtime reads.
import { create, toBinary } from "@bufbuild/protobuf";
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataType } from "onnx-buf";
import {
  type Floats,
  type Integers,
  type Node,
  type OnnxEmitter,
  sortNodes,
  type Target,
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
  /** What will run the model; the CPU by default, and so does every other device that has all of ONNX. */
  readonly target?: Target;
}

const FLOAT_ATTRIBUTES = new Set(["alpha", "beta", "epsilon"]);

/** The bytes of an ONNX model (opset `OPSET`) that computes `outputs`. */
export function emitOnnx({ target = "cpu", ...options }: OnnxModelOptions): Uint8Array {
  const { inputs, weights, metadata } = options;
  const { outputs, bindings } = loweredFor(target, options);
  const names = new Map<Value, string>();
  const outputNames = new Map(Object.entries(outputs).map(([name, value]) => [value, name]));
  const taken = new Set<string>(Object.keys(outputs));
  const nodes: unknown[] = [];
  const initializers: { name: string; dims: bigint[]; dataType: number; rawData: Uint8Array }[] = [];
  const pooled = new Map<string, string>();
  let path = "";

  const unique = (wanted: string): string => {
    let name = wanted;
    for (let count = 1; taken.has(name); count++) name = `${wanted}.${count}`;
    taken.add(name);
    return name;
  };
  const resolve = (value: Value): Value => bindings.get(value) ?? value;
  const nameOf = (value: Value): string => {
    const name = names.get(resolve(value));
    if (name === undefined) throw new Error(`${value.node.operation.name} was not written before it is used`);
    return name;
  };
  const store = (name: string, shape: Shape, dataType: TensorProto_DataType, rawData: Uint8Array): string => {
    initializers.push({ name, dims: shape.map(BigInt), dataType, rawData });
    return name;
  };
  const write = (
    type: string,
    inputNames: readonly string[],
    written: string[],
    integers: Integers,
    floats: Floats,
  ) => {
    const whole = Object.entries(integers).filter(([name]) => !FLOAT_ATTRIBUTES.has(name));
    const broken = [
      ...Object.entries(integers).filter(([name]) => FLOAT_ATTRIBUTES.has(name)),
      ...Object.entries(floats),
    ];
    const attribute = [
      ...whole.map(([name, value]) =>
        typeof value === "number"
          ? { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) }
          : { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) },
      ),
      ...broken.map(([name, value]) => ({
        name,
        type: AttributeProto_AttributeType.FLOAT,
        f: Number(value),
      })),
    ];
    nodes.push({ opType: type, name: written[0], input: [...inputNames], output: written, attribute });
  };
  const label = (type: string): string => (path === "" ? type : `${path}/${type}`);

  const emitter: OnnxEmitter = {
    nameOf,
    emit: (type, node, attributes = {}) =>
      emitter.nodeTo(node.outputs, type, node.inputs.map(nameOf), attributes),
    nodeTo: (values, type, inputNames, integers = {}, floats = {}) => {
      const written = values.map((value) => {
        const name = (value && outputNames.get(value)) ?? unique(label(type) + (value ? "" : ".unused"));
        if (value) names.set(value, name);
        return name;
      });
      write(type, inputNames, written, integers, floats);
    },
    node: (type, inputNames, integers = {}, floats = {}) => {
      const name = unique(label(type));
      write(type, inputNames, [name], integers, floats);
      return name;
    },
    floats: (shape, data) => {
      const bytes = new Uint8Array(Float32Array.from(data).buffer);
      const key = isUniform(data) ? `f${shape.join(",")}:${data[0] ?? 0}` : null;
      const known = key === null ? undefined : pooled.get(key);
      if (known) return known;
      const name = store(unique("constant"), shape, TensorProto_DataType.FLOAT, bytes);
      if (key !== null) pooled.set(key, name);
      return name;
    },
    integers: (data) => {
      const key = `i${data.join(",")}`;
      const known = pooled.get(key);
      if (known) return known;
      const bytes = new Uint8Array(BigInt64Array.from(data.map(BigInt)).buffer);
      const name = store(unique("integers"), [data.length], TensorProto_DataType.INT64, bytes);
      pooled.set(key, name);
      return name;
    },
    leaf: (value, name) => {
      if (taken.has(name) && outputs[name] !== value) throw new Error(`two values are named ${name}`);
      names.set(value, name);
      taken.add(name);
      const data = weights?.get(name);
      if (data) {
        if (data.length !== sizeOf(value.shape))
          throw new Error(`${data.length} weights for ${name} ${value.shape}`);
        store(name, value.shape, TensorProto_DataType.FLOAT, new Uint8Array(data.slice().buffer));
      } else if (!inputs.includes(value)) throw new Error(`${name} is neither an input nor has it weights`);
    },
    constant: (value, data) => {
      names.set(value, emitter.floats(value.shape, data));
    },
  };

  const writeNode = (node: Node): void => {
    if (node.outputs.every((value) => names.has(value))) return;
    path = node.path;
    node.operation.onnx(node, emitter);
  };
  for (const value of inputs) writeNode(value.node);
  for (const node of sortBound(Object.values(outputs), bindings)) writeNode(node);

  const valueInfo = (name: string, shape: Shape) => ({
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: {
            dim: shape.map((length) => ({ value: { case: "dimValue" as const, value: BigInt(length) } })),
          },
        },
      },
    },
  });
  // An output that no node makes under its own name: a leaf, or one value given out twice.
  for (const [name, value] of Object.entries(outputs))
    if (nameOf(value) !== name) write("Identity", [nameOf(value)], [name], {}, {});
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "lnsnet",
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    metadataProps: Object.entries(metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: "lnsnet",
      node: nodes as never[],
      initializer: initializers as never[],
      input: inputs.map((value) => valueInfo(leafName(value), value.shape)),
      output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value.shape)),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function isUniform(data: ArrayLike<number>): boolean {
  for (let at = 1; at < data.length; at++) if (data[at] !== data[0]) return false;
  return true;
}

/** Outputs and bound values as the target can compute them. */
function loweredFor(
  target: Target,
  { outputs, bindings = new Map() }: OnnxModelOptions,
): Required<Pick<OnnxModelOptions, "outputs" | "bindings">> {
  const names = Object.keys(outputs);
  const values = lower([...Object.values(outputs), ...bindings.values()], target);
  return {
    outputs: Object.fromEntries(names.map((name, index) => [name, values[index]])),
    bindings: new Map([...bindings.keys()].map((value, index) => [value, values[names.length + index]])),
  };
}

/** Nodes in order, with the nodes of bound values in the place of the parameters they stand for. */
function sortBound(values: readonly Value[], bindings: ReadonlyMap<Value, Value>): Node[] {
  if (bindings.size === 0) return sortNodes(values);
  const used = sortNodes(values).flatMap((node) =>
    node.outputs.flatMap((value) => bindings.get(value) ?? []),
  );
  const replaced = new Set([...bindings.keys()].map((value) => value.node));
  const first = new Set(sortNodes(used));
  return [...first, ...sortNodes(values).filter((node) => !replaced.has(node) && !first.has(node))];
}

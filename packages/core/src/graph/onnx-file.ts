// The bytes of an ONNX file: its protobuf messages, of which each field that we use has its number here.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { PbfWriter } from "pbf";
import type { Shape } from "./shape.js";

export interface OnnxFile {
  readonly irVersion: number;
  readonly producer: string;
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
}

interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly OnnxAttribute[];
}

export type OnnxAttribute = { readonly name: string } & (
  | { readonly float: number }
  | { readonly integer: number }
  | { readonly integers: readonly number[] }
  | { readonly word: string }
);

export interface OnnxTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array | BigInt64Array;
}

/** An input or output of the model: float32, of a fixed shape. */
interface OnnxValue {
  readonly name: string;
  readonly shape: Shape;
}

export function onnxBytes(file: OnnxFile): Uint8Array<ArrayBuffer> {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, file.irVersion);
  pbf.writeStringField(2, file.producer);
  pbf.writeMessage(7, writeGraph, file.graph);
  pbf.writeMessage(8, writeOperatorSet, file.opset);
  for (const entry of Object.entries(file.metadata)) pbf.writeMessage(14, writeEntry, entry);
  return pbf.finish() as Uint8Array<ArrayBuffer>;
}

function writeOperatorSet(version: number, pbf: PbfWriter): void {
  pbf.writeStringField(1, "");
  pbf.writeVarintField(2, version);
}

function writeEntry([key, value]: readonly [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeGraph({ nodes, name, initializers, inputs, outputs }: OnnxGraph, pbf: PbfWriter): void {
  for (const node of nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, name);
  for (const tensor of initializers) pbf.writeMessage(5, writeTensor, tensor);
  for (const value of inputs) pbf.writeMessage(11, writeValue, value);
  for (const value of outputs) pbf.writeMessage(12, writeValue, value);
}

function writeNode({ inputs, outputs, name, type, attributes }: OnnxNode, pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input);
  for (const output of outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, name);
  pbf.writeStringField(4, type);
  for (const attribute of attributes) pbf.writeMessage(5, writeAttribute, attribute);
}

function writeAttribute(attribute: OnnxAttribute, pbf: PbfWriter): void {
  const kind = 20;
  pbf.writeStringField(1, attribute.name);
  if ("float" in attribute) {
    pbf.writeFloatField(2, attribute.float);
    pbf.writeVarintField(kind, 1);
  } else if ("integer" in attribute) {
    pbf.writeVarintField(3, attribute.integer);
    pbf.writeVarintField(kind, 2);
  } else if ("word" in attribute) {
    pbf.writeStringField(4, attribute.word);
    pbf.writeVarintField(kind, 3);
  } else {
    for (const integer of attribute.integers) pbf.writeVarintField(8, integer);
    pbf.writeVarintField(kind, 7);
  }
}

function writeTensor({ shape, data, name }: OnnxTensor, pbf: PbfWriter): void {
  for (const length of shape) pbf.writeVarintField(1, length);
  pbf.writeVarintField(2, data instanceof Float32Array ? elementType.float32 : elementType.int64);
  pbf.writeStringField(8, name);
  pbf.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writeValue({ name, shape }: OnnxValue, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, writeType, shape);
}

function writeType(shape: Shape, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, shape);
}

function writeTensorType(shape: Shape, pbf: PbfWriter): void {
  pbf.writeVarintField(1, elementType.float32);
  pbf.writeMessage(2, writeShape, shape);
}

function writeShape(shape: Shape, pbf: PbfWriter): void {
  for (const length of shape) pbf.writeMessage(1, writeDimension, length);
}

function writeDimension(length: number, pbf: PbfWriter): void {
  pbf.writeVarintField(1, length);
}

const elementType = { float32: 1, int64: 7 };

// Writes the records of TensorBoard's event files: protobuf events with scalars, framed as TFRecords.
// https://www.tensorflow.org/tutorials/load_data/tfrecord, tensorboard/compat/proto/{event,summary}.proto
import { PbfWriter } from "pbf";

/** One point in time of a run. */
export interface EventMoment {
  /** Seconds since 1970. */
  readonly wallTimeSeconds: number;
  readonly step: number;
}

/** The record that every event file begins with. */
export function fileVersionRecord(wallTimeSeconds: number): Uint8Array {
  return eventRecord({ wallTimeSeconds, step: 0 }, (event) => event.writeStringField(3, "brain.Event:2"));
}

/** Tells TensorBoard that a run continues from a step: it discards what an earlier file has from there on. */
export function restartRecord(moment: EventMoment): Uint8Array {
  const start = 1;
  return eventRecord(moment, (event) =>
    event.writeMessage(7, (status, log) => log.writeVarintField(1, status), start),
  );
}

/** Scalars of a step by their tag, such as `loss`; a tag with a slash, such as `validation/dsc`, belongs to a group. */
export function scalarsRecord(moment: EventMoment, scalars: Readonly<Record<string, number>>): Uint8Array {
  return eventRecord(moment, (event) => event.writeMessage(5, writeSummary, scalars));
}

function writeSummary(scalars: Readonly<Record<string, number>>, summary: PbfWriter): void {
  for (const scalar of Object.entries(scalars)) summary.writeMessage(1, writeScalar, scalar);
}

function writeScalar([tag, value]: readonly [string, number], entry: PbfWriter): void {
  entry.writeStringField(1, tag);
  entry.writeFloatField(2, value);
}

/** CRC-32C (Castagnoli), as RFC 3720 states it in its appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let remainder = -1;
  for (const byte of bytes) remainder = castagnoli[(remainder ^ byte) & 255] ^ (remainder >>> 8);
  return ~remainder >>> 0;
}

function eventRecord({ wallTimeSeconds, step }: EventMoment, write: (event: PbfWriter) => void): Uint8Array {
  const event = new PbfWriter();
  event.writeDoubleField(1, wallTimeSeconds);
  // Proto3 leaves zeros out.
  if (step !== 0) event.writeVarintField(2, step);
  write(event);
  return framed(event.finish());
}

/** A TFRecord: length (8 bytes), its checksum, data, their checksum; all little-endian. */
function framed(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return record;
}

/** TFRecord's masked checksum: rotated right by 15 bits, plus a constant. */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}

const castagnoli = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});

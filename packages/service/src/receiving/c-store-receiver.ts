// A DICOM node that takes C-STORE (as SCP, PS3.4 B) and C-ECHO from those on its list, and answers a store when the file is on the disk.
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { createServer as createTlsServer } from "node:tls";
import { InputError } from "@lnsnet/core/errors";
import { dicomFileHeader } from "@lnsnet/core/formats";
import { readBytes } from "@lnsnet/node/disk";
import dimse from "dcmjs-dimse";
import type { Configuration } from "../configuration.js";
import { quietDimse } from "../dimse/quiet-dimse.js";
import type { JobSource } from "../jobs/job.js";
import type { Received } from "./reception.js";

const { Scp, Dataset, constants, responses } = dimse;
const {
  PresentationContextResult,
  RejectResult,
  RejectSource,
  RejectReason,
  Status,
  TransferSyntax,
  SopClass,
} = constants;

export interface ReceiverOptions {
  readonly configuration: NonNullable<Configuration["dicom"]>;
  /** For files on their way. */
  readonly folder: string;
  readonly take: (bytes: Uint8Array, name: string, source: JobSource) => Promise<Received>;
  /** Told of every association that is refused. */
  readonly refused: (title: string, address: string, why: string) => void;
  readonly log: (sentence: string) => void;
  /** Told when our own disk cannot take an instance. */
  readonly trouble: (error: unknown) => void;
}

export interface Receiver {
  readonly port: number;
  close(): Promise<void>;
}

/** Transfer syntaxes that the readers of the library know (docs/imaging.md), the plain ones first. */
const syntaxes: readonly string[] = [
  TransferSyntax.ExplicitVRLittleEndian,
  TransferSyntax.ImplicitVRLittleEndian,
  TransferSyntax.JpegLossless,
  TransferSyntax.Jpeg2000Lossless,
  TransferSyntax.JpegLsLossless,
  TransferSyntax.RleLossless,
].map(String);

/** How long a peer may be silent. */
const silenceMs = 60_000;
/** What a peer may send beside the files themselves, since its last one: the library keeps all of it in memory. */
const mostBytesAside = 16_000_000;

/** Begins to listen. @throws InputError where the port is taken */
export async function receiveByDicom(options: ReceiverOptions): Promise<Receiver> {
  const { configuration, folder } = options;
  quietDimse();
  await mkdir(folder, { recursive: true });
  const sockets = new Set<Socket>();
  const welcome = (socket: Socket) => {
    if (sockets.size >= configuration.mostAssociations) return void socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const node = new StorageNode(socket, options);
    node.on("networkError", () => socket.destroy());
  };
  const { tls } = configuration;
  const server: Server =
    tls === undefined
      ? createServer(welcome)
      : createTlsServer(
          {
            cert: await readFile(tls.certificate),
            key: await readFile(tls.key),
            ...(tls.clientAuthority === undefined
              ? {}
              : { ca: await readFile(tls.clientAuthority), requestCert: true, rejectUnauthorized: true }),
          },
          welcome,
        );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new InputError(
          `The DICOM receiver cannot listen on ${configuration.host}:${configuration.port} (${error.message}); choose another port.`,
        ),
      ),
    );
    server.listen(configuration.port, configuration.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : configuration.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** One association. */
class StorageNode extends Scp {
  readonly #options: ReceiverOptions;
  readonly #socket: Socket;
  #callingTitle = "";
  /** The library takes whatever a peer sends, also one that was rejected. */
  #isAccepted = false;
  /** The file that is being written. */
  #file: { path: string; stream: Writable; error: Error | null } | null = null;
  /** The last store that was requested. */
  #kept: Promise<void> = Promise.resolve();
  /** Bytes that went into no file, since the last one. */
  #bytesAside = 0;

  constructor(socket: Socket, options: ReceiverOptions) {
    super(socket, { connectTimeout: silenceMs, associationTimeout: silenceMs, pduTimeout: silenceMs });
    this.#options = options;
    this.#socket = socket;
    socket.on("data", ({ length }: Buffer) => {
      this.#bytesAside += length;
      if (this.#bytesAside > mostBytesAside) this.#cutOff("sends messages without end");
    });
    socket.on("close", () => this.#forget());
  }

  /** Ends the connection with a peer that does what nobody should. */
  #cutOff(what: string): void {
    if (this.#socket.destroyed) return;
    this.#options.log(`"${this.#callingTitle}" at ${addressOf(this.#socket)} ${what}, and was cut off.`);
    this.#socket.destroy();
  }

  /** What was cut off was promised to nobody. */
  #forget(): void {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    const remove = () => void rm(file.path, { force: true }).catch(() => undefined);
    if (file.stream.closed) remove();
    else file.stream.once("close", remove).destroy();
  }

  override associationRequested(association: InstanceType<typeof dimse.association.Association>): void {
    const { title, allow } = this.#options.configuration;
    const calling = association.getCallingAeTitle().trim();
    const called = association.getCalledAeTitle().trim();
    const address = addressOf(this.#socket);
    this.#isAccepted = false;
    const isAllowed = allow.some(
      (entry) => entry.title === calling && (entry.address === undefined || entry.address === address),
    );
    if (called !== title || !isAllowed) {
      const { CalledAeNotRecognized, CallingAeNotRecognized } = RejectReason;
      const reason = called === title ? CallingAeNotRecognized : CalledAeNotRecognized;
      const why = called === title ? "it is not on the list" : `it called "${called}"`;
      this.#options.refused(calling, address, why);
      this.sendAssociationReject(RejectResult.Permanent, RejectSource.ServiceUser, reason);
      this.#socket.destroySoon();
      return;
    }
    this.#isAccepted = true;
    this.#callingTitle = calling;
    association.setMaxPduLength(131_072);
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const isKnown =
        isStorage(context.getAbstractSyntaxUid()) || context.getAbstractSyntaxUid() === SopClass.Verification;
      const offered = context.getTransferSyntaxUids();
      const syntax = syntaxes.find((uid) => offered.includes(uid));
      if (!isKnown) context.setResult(PresentationContextResult.RejectAbstractSyntaxNotSupported);
      else if (syntax === undefined)
        context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported);
      else context.setResult(PresentationContextResult.Accept, syntax);
    }
    this.sendAssociationAccept();
  }

  override cEchoRequest(
    request: InstanceType<typeof dimse.requests.CEchoRequest>,
    callback: (response: InstanceType<typeof dimse.responses.CEchoResponse>) => void,
  ): void {
    const response = responses.CEchoResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }

  /** The data set goes to the disk as it comes, byte for byte. */
  override createStoreWritableStream(
    context: InstanceType<typeof dimse.association.PresentationContext>,
    request: InstanceType<typeof dimse.requests.CStoreRequest>,
  ): Writable {
    // One that begins anew in the middle of a file has given that file up.
    this.#forget();
    if (!this.#isAccepted || this.#socket.destroyed) {
      this.#cutOff("stores without an association");
      return new Writable({ write: (_chunk, _encoding, done) => done() });
    }
    // Throws where the request names no UIDs; the library then ends the association.
    const header = dicomFileHeader(
      request.getAffectedSopClassUid(),
      request.getAffectedSopInstanceUid(),
      context.getAcceptedTransferSyntaxUid() ?? TransferSyntax.ImplicitVRLittleEndian,
    );
    const path = join(this.#options.folder, `${randomUUID()}.dcm`);
    const stream = createWriteStream(path, { flags: "wx", mode: 0o600 });
    const file = { path, stream, error: null as Error | null };
    stream.on("error", (error) => {
      file.error = error;
      // Nobody drains a stream that has failed.
      stream.emit("drain");
    });
    this.#measure(stream);
    stream.write(header);
    this.#file = file;
    return stream;
  }

  /** Counts what is written, holds a sender that is faster than the disk, and ends what is too long. */
  #measure(stream: Writable): void {
    const most = 1e6 * this.#options.configuration.instanceMegabytes;
    const write = stream.write.bind(stream) as (bytes: Uint8Array) => boolean;
    let written = 0;
    stream.write = ((bytes: Uint8Array) => {
      this.#bytesAside -= bytes.length;
      written += bytes.length;
      if (written > most)
        stream.destroy(
          new InputError(`An instance of ${this.#callingTitle} has more than ${most / 1e6} MB.`),
        );
      if (stream.destroyed) return true;
      const hasRoom = write(bytes);
      if (!hasRoom) this.#socket.pause();
      return hasRoom;
    }) as Writable["write"];
    // A stream that ends while it is full is never drained.
    for (const event of ["drain", "close"]) stream.on(event, () => this.#socket.resume());
  }

  override createDatasetFromStoreWritableStream(
    _stream: Writable,
    _context: InstanceType<typeof dimse.association.PresentationContext>,
    callback: (dataset: InstanceType<typeof Dataset>) => void,
  ): void {
    // The bytes on the disk are what counts; the library need not read them.
    callback(new Dataset({}));
  }

  override cStoreRequest(
    request: InstanceType<typeof dimse.requests.CStoreRequest>,
    callback: (response: InstanceType<typeof dimse.responses.CStoreResponse>) => void,
  ): void {
    const response = responses.CStoreResponse.fromRequest(request);
    this.#kept = this.#keep().then((status) => {
      response.setStatus(status);
      callback(response);
    });
  }

  /** Answered when what was stored is on the disk, also to a peer that did not wait for that. */
  override associationReleaseRequested(): void {
    this.#kept.then(() => this.sendAssociationReleaseResponse());
  }

  override abort(): void {
    this.#socket.destroy();
  }

  /** The status of the answer. Never throws. */
  async #keep(): Promise<number> {
    const file = this.#file;
    this.#file = null;
    this.#bytesAside = 0;
    if (file === null) return Status.ProcessingFailure;
    try {
      if (file.error !== null) throw file.error;
      await finished(file.stream);
      const source: JobSource = { way: "C-STORE", from: this.#callingTitle };
      const { refused } = await this.#options.take(await readBytes(file.path), "the stored instance", source);
      const [refusal] = refused;
      if (refusal === undefined) return Status.Success;
      this.#options.log(`${this.#callingTitle}: ${refusal.reason}`);
      // C000: cannot understand.
      return 0xc000;
    } catch (error) {
      if (!(error instanceof InputError)) this.#options.trouble(error);
      this.#options.log(
        `An instance of ${this.#callingTitle} was not stored (${error instanceof Error ? error.message : error}).`,
      );
      // A700: out of resources, so that the sender tries again.
      return 0xa700;
    } finally {
      await rm(file.path, { force: true }).catch(() => undefined);
    }
  }
}

const addressOf = (socket: Socket): string => (socket.remoteAddress ?? "").replace(/^::ffff:/, "");

/** Storage SOP classes share this root (PS3.4, B.5). */
const isStorage = (uid: string): boolean =>
  uid.startsWith("1.2.840.10008.5.1.4.1.1.") || uid.startsWith("1.2.840.10008.5.1.4.34.7");

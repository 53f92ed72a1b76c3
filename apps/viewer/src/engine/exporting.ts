// What Save writes: the nodes of a scan in every format, by the writers that the command line uses.
import {
  InputError,
  type ModelIdentity,
  nodeJson,
  nodesCsv,
  type SourceSeries,
  safeFileName,
  type Volume,
  type WritingContext,
  writeNifti,
} from "@lnsnet/core";
import { nodePicture, nodesSummaryHtml, pngOf, segmentationPreview } from "@lnsnet/core/reports";
import {
  type NodeObjects,
  nodeCaptures,
  nodeName,
  nodeObjects,
  type WrittenNode,
} from "@lnsnet/core/results";
import { strToU8, zipSync } from "fflate";
import type { ExportFormat } from "./export-formats.js";

/** A node as the page knows it: its measures, perhaps with axes that a person moved. */
export type ExportedNode = WrittenNode & {
  readonly name: string;
  /** Of the models of an ensemble. */
  readonly ensembleDisagreement?: number | null;
};

/** What is saved of a scan. */
export interface ExportRequest {
  /** Each node's voxels hold its number; on the scan's grid. */
  readonly instances: Volume<Uint8Array>;
  /** By number. */
  readonly nodes: readonly ExportedNode[];
  /** The models that drew nodes. */
  readonly models: readonly ModelIdentity[];
  /** What a person did to them, sentences; on the summary. */
  readonly statements: readonly string[];
  readonly formats: readonly ExportFormat[];
}

/** A file to save. */
export interface SavedFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The scan that nodes lie in. */
export interface ExportedScan {
  readonly name: string;
  readonly volume: Volume;
  readonly source: SourceSeries | null;
}

/**
 * One file: what was asked for, or a zip of it where that is several files.
 *
 * @throws InputError where there is nothing to save, or a DICOM object is asked for and the scan did not come from DICOM
 */
export function exportedFile(
  scan: ExportedScan,
  request: ExportRequest,
  context: Omit<WritingContext, "models">,
): SavedFile {
  requireExportable(scan, request);
  const stem = safeFileName(scan.name.replace(/\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$/i, ""), "scan");
  const writing = { ...context, models: request.models };
  // Made once: the report refers to the segmentation by its UID.
  let objects: NodeObjects | null = null;
  const objectsOf = (source: SourceSeries) => {
    objects ??= nodeObjects(request.instances, request.nodes, source, writing);
    return objects;
  };
  const files = request.formats.flatMap((format) =>
    filesOf(format, { scan, request, context: writing, stem, objectsOf }),
  );
  if (files.length === 1) return files[0];
  const entries = Object.fromEntries(files.map(({ name, bytes }) => [name, bytes]));
  return { name: `${stem}-nodes.zip`, bytes: zipSync(entries, { level: 0 }) };
}

/** The page that prints. */
export function summaryPage(scan: ExportedScan, request: ExportRequest): string {
  const { nodes, instances, models, statements } = request;
  const drawnBy = models.map(
    ({ name, trainedOn, sha256 }) =>
      `Model ${name}, trained on ${trainedOn}, weights SHA-256 ${sha256.slice(0, 16)}….`,
  );
  return nodesSummaryHtml({
    title: `Lymph nodes of ${scan.name}`,
    dataLabel: trainedOn(models),
    statements: [...drawnBy, ...statements],
    nodes: rowsOf(nodes),
    picture:
      nodes.length === 0
        ? null
        : pngOf(segmentationPreview(scan.volume, instances, nodes, textsOf(scan, models))),
  });
}

interface Writing {
  readonly scan: ExportedScan;
  readonly request: ExportRequest;
  readonly context: WritingContext;
  /** How the names of all files begin. */
  readonly stem: string;
  readonly objectsOf: (source: SourceSeries) => NodeObjects;
}

function filesOf(format: ExportFormat, { scan, request, context, stem, objectsOf }: Writing): SavedFile[] {
  const { instances, nodes, models } = request;
  const { source, volume } = scan;
  const file = (ending: string, bytes: Uint8Array): SavedFile => ({
    name: `${stem}${ending}`,
    bytes: Uint8Array.from(bytes),
  });
  switch (format) {
    case "nifti":
      return [file("-nodes.nii.gz", writeNifti(instances, { description: "lnsnet, research use only" }))];
    case "csv":
      return [file("-nodes.csv", strToU8(nodesCsv(rowsOf(nodes))))];
    case "summary":
      return [file("-summary.html", strToU8(summaryPage(scan, request)))];
    case "pictures": {
      const texts = textsOf(scan, models);
      if (source !== null)
        return nodeCaptures(volume, instances, nodes, source, context, texts).map((bytes, n) =>
          file(`-picture-${n}.dcm`, bytes),
        );
      const overview = pngOf(segmentationPreview(volume, instances, nodes, texts));
      const each = nodes.map((node) =>
        file(
          `-picture-${node.id}.png`,
          pngOf(nodePicture(volume, instances, { ...node, name: nodeName(node) }, texts)),
        ),
      );
      return [file("-picture-0.png", overview), ...each];
    }
    default:
      if (source === null) throw new InputError(needsDicom(format));
      return [file(`-${format}.dcm`, objectsOf(source)[format])];
  }
}

/** @throws InputError */
function requireExportable({ source }: ExportedScan, { nodes, formats }: ExportRequest): void {
  if (formats.length === 0) throw new InputError("No format is chosen; choose at least one to save.");
  if (nodes.length === 0) throw new InputError("There is no node to save; click or draw one first.");
  const needing = formats.find((format) => format === "seg" || format === "rtstruct" || format === "sr");
  if (source === null && needing !== undefined) throw new InputError(needsDicom(needing));
}

const needsDicom = (format: "seg" | "rtstruct" | "sr"): string =>
  `The scan did not come from DICOM, and a ${format.toUpperCase()} refers to the images of a DICOM series; save NIfTI, CSV and pictures, or open the series itself.`;

const rowsOf = (nodes: readonly ExportedNode[]) => nodes.map((node) => nodeJson(node, node, node.name));

const trainedOn = (models: readonly ModelIdentity[]): string =>
  models.length === 0 ? "drawn by hand" : [...new Set(models.map((model) => model.trainedOn))].join(" and ");

const textsOf = ({ name }: ExportedScan, models: readonly ModelIdentity[]) => ({
  title: name,
  caption: models.length === 0 ? "drawn by hand" : `model trained on ${trainedOn(models)}`,
});

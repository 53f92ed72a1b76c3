export { type BlandAltmanPlot, blandAltmanSvg } from "./bland-altman.js";
export { type BoxPlot, boxPlotSvg } from "./box-plot.js";
export { type Bubble, type BubbleChart, bubbleChartSvg } from "./bubble-chart.js";
export { type FollowUpReport, followUpCsv, type NamedChange } from "./follow-up-table.js";
export { type Histogram, type HistogramSeries, histogramSvg } from "./histogram.js";
export { type Block, type Report, reportHtml, type Section, tableBlock } from "./html.js";
export { type LearningCurve, learningCurveSvg } from "./learning-curve.js";
export { type Curve, type LineChart, lineChartSvg } from "./line-chart.js";
export { escapeMarkup } from "./markup.js";
export { type MontageTile, montagePng } from "./montage.js";
export { nodePicture, type PicturedNode } from "./node-picture.js";
export { type NodeJson, nodeJson, nodesCsv, nodesHtml, nodesText } from "./node-table.js";
export { type NodesSummary, nodesSummaryHtml } from "./nodes-summary.js";
export { type OverlayOptions, overlayPng, type Plane } from "./overlay.js";
export type { Raster } from "./raster.js";
export { type ReliabilityPlot, reliabilityPlotSvg } from "./reliability-plot.js";
export { type Point, type ScatterPlot, scatterPlotSvg } from "./scatter-plot.js";
export {
  type PreviewOptions,
  pngOf,
  segmentationPreview,
  segmentationPreviewPng,
} from "./segmentation-preview.js";
export {
  csvTable,
  decimals,
  htmlTable,
  latexTable,
  markdownTable,
  markdownText,
  type TableCell,
  type TableColumn,
  type TableRow,
  textTable,
} from "./table.js";

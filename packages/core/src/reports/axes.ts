// Two axes with grid, ticks and labels, shared by all charts of points and lines.
import { escapeMarkup } from "./markup.js";
import {
  colours,
  coordinate,
  figureWidth,
  linearScale,
  logarithmicScale,
  type Scale,
  titleHeight,
} from "./plot.js";

export type Domain = readonly [low: number, high: number];

export interface AxesOptions {
  readonly title: string;
  /** The measure and its unit. */
  readonly acrossLabel: string;
  readonly upLabel: string;
  readonly acrossDomain: Domain;
  readonly upDomain: Domain;
  /** Lines of legend between the title and the drawing. */
  readonly legendLines: number;
  /** Whether the horizontal axis is logarithmic; its domain is then positive. */
  readonly isAcrossLogarithmic?: boolean;
  /** 220 by default. */
  readonly plotHeight?: number;
  /** How far the ends of both ranges stand off the ends of the axes; 0 by default. */
  readonly inset?: number;
}

export interface Axes {
  readonly across: Scale;
  readonly up: Scale;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Middle of the first line of the legend; further lines follow {@link legendLineHeight} below each other. */
  readonly legendTop: number;
  readonly markup: string;
  /** Height of the whole drawing, for the frame of the figure. */
  readonly height: number;
}

export const legendLineHeight = 18;

/** Axes with the width of every chart; their ranges are extended to whole tick steps. */
export function drawAxes(options: AxesOptions): Axes {
  const legendTop = titleHeight(options.title) + 12;
  const top = legendTop + legendLineHeight * options.legendLines;
  const { plotHeight = 220, inset = 0 } = options;
  const bottom = top + plotHeight;
  const range = [plotLeft + inset, plotRight - inset] as const;
  const across = options.isAcrossLogarithmic
    ? logarithmicScale(options.acrossDomain, range)
    : linearScale(options.acrossDomain, range, { tickCount: 5, nice: true });
  const up = linearScale(options.upDomain, [bottom - inset, top + inset], { tickCount: 5, nice: true });
  const rows = up.ticks.map((tick) => {
    const y = coordinate(up.position(tick));
    return (
      `<line x1="${plotLeft}" x2="${plotRight}" y1="${y}" y2="${y}" stroke="${colours.grid}"/>` +
      `<text x="${plotLeft - 8}" y="${coordinate(up.position(tick) + 4)}" text-anchor="end" font-size="12">${up.format(tick)}</text>`
    );
  });
  const columns = across.ticks.map((tick) => {
    const x = coordinate(across.position(tick));
    return (
      `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" stroke="${colours.quiet}"/>` +
      `<text x="${x}" y="${bottom + 19}" text-anchor="middle" font-size="12">${across.format(tick)}</text>`
    );
  });
  const middle = (top + bottom) / 2;
  return {
    across,
    up,
    left: plotLeft,
    right: plotRight,
    top,
    bottom,
    legendTop,
    markup:
      rows.join("") +
      columns.join("") +
      `<line x1="${plotLeft}" x2="${plotRight}" y1="${bottom}" y2="${bottom}" stroke="${colours.quiet}"/>` +
      `<text x="${(plotLeft + plotRight) / 2}" y="${bottom + 38}" text-anchor="middle">${escapeMarkup(options.acrossLabel)}</text>` +
      `<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escapeMarkup(options.upLabel)}</text>`,
    height: bottom + 48,
  };
}

/** The smallest range that contains the values and those that the axis must always show; [0, 1] where there are none. */
export function domainOf(values: readonly number[], always: readonly number[] = []): Domain {
  const shown = [...values, ...always];
  if (shown.length === 0) return [0, 1];
  return [shown.reduce((a, b) => Math.min(a, b)), shown.reduce((a, b) => Math.max(a, b))];
}

const plotLeft = 66;
const plotRight = figureWidth - 28;

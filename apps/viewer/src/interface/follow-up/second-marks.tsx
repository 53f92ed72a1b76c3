// The axes of the nodes of the date beside, in the planes that they lie in.
import { type PlaneView, pixelOfPoint } from "../../display/plane.js";
import { liesIn } from "../axis-marks.js";
import type { SecondDate } from "./second-date.js";

interface SecondMarksProps {
  readonly second: SecondDate;
  readonly shown: PlaneView;
}

export function SecondMarks({ second: { view, drawn }, shown }: SecondMarksProps) {
  return (
    <g class="axes">
      {drawn.flatMap(({ number, colour, longAxis, shortAxis }) =>
        ([longAxis, shortAxis] as const)
          .filter((ends) => liesIn(view, shown, ends))
          .map((ends) => {
            const [[x1, y1], [x2, y2]] = ends.map((end) => pixelOfPoint(shown, end));
            const axis = ends === longAxis ? "long" : "short";
            return (
              <g key={`${number} ${axis}`} class={`axis axis-${axis}`}>
                <line class="axis-ground" {...{ x1, y1, x2, y2 }} />
                <line {...{ x1, y1, x2, y2 }} stroke={colour} />
              </g>
            );
          }),
      )}
    </g>
  );
}

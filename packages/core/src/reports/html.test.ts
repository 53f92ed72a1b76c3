import { describe, expect, it } from "vitest";
import { type Report, reportHtml, tableBlock } from "./html.js";

const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`;
const report: Report = {
  title: evil,
  dataLabel: `phantom ${evil}`,
  summary: [evil],
  sections: [
    {
      heading: evil,
      blocks: [
        { kind: "paragraph", text: evil },
        tableBlock(evil, [{ key: "name", title: evil, unit: evil }], [{ name: evil }], [{ name: evil }]),
        { kind: "png", png: Uint8Array.of(1, 2, 3), alternativeText: evil, caption: evil },
        { kind: "svg", svg: "<svg></svg>", caption: evil },
        { kind: "code", text: evil },
      ],
    },
  ],
};

describe("reportHtml", () => {
  const html = reportHtml(report);

  it("lets no text become markup", () => {
    expect(html).not.toMatch(/<script|<img src=x|onerror='/);
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html).toContain("default-src 'none'; img-src data:");
  });

  it("holds everything itself", () => {
    expect(html).toContain('src="data:image/png;base64,AQID"');
    expect(html).not.toMatch(/https?:|<link|url\(/);
  });

  it("labels a table of other data as such", () => {
    const table = { kind: "table", caption: "t", columns: [], rows: [], dataLabel: "not phantom" } as const;
    const others = reportHtml({ ...report, sections: [{ heading: "h", blocks: [table] }] });
    expect(others).toContain('<figcaption><span class="label">not phantom</span> t</figcaption>');
  });

  it("labels the data at the top and on every table, chart and picture, and says what it is not", () => {
    expect(html.match(/<figcaption><span class="label">phantom /g)).toHaveLength(3);
    expect(html).toContain('<p>Data: <span class="label">phantom ');
    expect(html).toContain("Research use only — not a medical device");
  });
});

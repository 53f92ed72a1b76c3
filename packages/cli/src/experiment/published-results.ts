// What others have published, to stand beside ours in a table of its own.

/** A row: whose figures, how and on what they were measured. */
export interface PublishedResult {
  readonly work: string;
  readonly protocol: string;
  readonly data: string;
  readonly result: string;
}

export const publishedResults: readonly PublishedResult[] = [
  {
    work: "LNSNet (Lu et al., Med Phys 2025, 10.1002/mp.70123)",
    protocol: "node level",
    data: "678 nodes of 123 patients",
    result: "DSC 73.81 %, ASD 0.92 mm, HD95 2.52 mm",
  },
  {
    work: "Deep parallel 3D U-Net, PRICAI 2024",
    protocol: "node level",
    data: "603 nodes",
    result: "DSC 0.833",
  },
  {
    work: "nnU-Net with transfer, Sci Rep 2025 (10.1038/s41598-024-84804-3)",
    protocol: "whole volume",
    data: "11,013 nodes",
    result: "DSC 0.72, HD95 3.78 mm, sensitivity 54.6 %, PPV 69.0 %, 3.4 false positives a volume",
  },
  {
    work: "Foveal FCN 2023 (10.1186/s41747-023-00360-x)",
    protocol: "whole volume",
    data: "925 nodes of at least 5 mm",
    result: "Dice 0.71, sensitivity 81.1 %, 2.4 false positives a CT",
  },
];

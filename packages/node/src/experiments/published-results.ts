// What others have published, to stand beside ours in tables of its own, a table a protocol.

/** Whose figures, and on what they were measured. A figure that was not published is null. */
type PublishedResult = {
  readonly work: string;
  readonly data: string;
  readonly dsc: number;
  readonly doi: string | null;
};

export const publishedNodeLevel: readonly (PublishedResult & {
  readonly asd_mm: number | null;
  readonly hd95_mm: number | null;
})[] = [
  {
    work: "LNSNet (Lu et al., Med Phys 2025)",
    data: "678 nodes of 123 patients",
    dsc: 0.7381,
    asd_mm: 0.92,
    hd95_mm: 2.52,
    doi: "10.1002/mp.70123",
  },
  {
    work: "Deep parallel 3D U-Net (PRICAI 2024)",
    data: "603 nodes",
    dsc: 0.833,
    asd_mm: null,
    hd95_mm: null,
    doi: null,
  },
];

export const publishedWholeVolume: readonly (PublishedResult & {
  readonly hd95_mm: number | null;
  readonly sensitivity: number;
  readonly positive_predictive_value: number | null;
  readonly false_positives_per_volume: number;
})[] = [
  {
    work: "nnU-Net with transfer (Sci Rep 2025)",
    data: "11,013 nodes",
    dsc: 0.72,
    hd95_mm: 3.78,
    sensitivity: 0.546,
    positive_predictive_value: 0.69,
    false_positives_per_volume: 3.4,
    doi: "10.1038/s41598-024-84804-3",
  },
  {
    work: "Foveal FCN (2023)",
    data: "925 nodes of at least 5 mm",
    dsc: 0.71,
    hd95_mm: null,
    sensitivity: 0.811,
    positive_predictive_value: null,
    false_positives_per_volume: 2.4,
    doi: "10.1186/s41747-023-00360-x",
  },
];

// What the service or a worker and a process of its own say to each other: a task, and its answer last.

/** From the process; the last message is an answer. */
export type ProcessMessage =
  | {
      readonly kind: "progress";
      readonly stage: string;
      readonly unit: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: "remark"; readonly sentence: string }
  | ProcessAnswer;

export type ProcessAnswer =
  | { readonly kind: "done"; readonly result: unknown }
  /** Input that a person must correct. */
  | { readonly kind: "refused"; readonly sentence: string }
  | { readonly kind: "failed"; readonly sentence: string }
  /** There was no room for the results; the same will do when there is. */
  | { readonly kind: "full"; readonly sentence: string };

/** Whether a process that has answered so takes another task: it ends after a fault, which may have left something behind. */
export const staysAfter = ({ kind }: ProcessAnswer): boolean => kind === "done" || kind === "refused";

/** How far the work of a process is. */
export type ProcessProgress = Omit<Extract<ProcessMessage, { kind: "progress" }>, "kind">;

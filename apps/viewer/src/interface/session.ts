// What the page has open, and what it tells the person.
import { signal } from "@preact/signals";
import type { View } from "./view.js";

/** A scan that is open. */
export interface OpenScan {
  readonly name: string;
  /** Of no person. */
  readonly isPhantom: boolean;
  readonly view: View;
}

export const openScan = signal<OpenScan | null>(null);

/** A sentence for the person; an error stays until the next. */
export interface Notice {
  readonly text: string;
  readonly kind: "busy" | "done" | "error";
}

export const notice = signal<Notice | null>(null);

/** Tells what went wrong; the page goes on. */
export function tellError(error: unknown, unexpected: (what: string) => string): void {
  const isExpected = error instanceof Error && error.name === "InputError";
  const what = error instanceof Error ? error.message : String(error);
  if (!isExpected) console.error(error);
  notice.value = { kind: "error", text: isExpected ? what : unexpected(what) };
}

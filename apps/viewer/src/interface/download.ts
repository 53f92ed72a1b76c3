// Files that the person keeps, and pages that print.

/** Saves a file as the browser saves downloads. */
export function download({ name, bytes }: { readonly name: string; readonly bytes: BlobPart }): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Prints a whole HTML document, to paper or PDF, without leaving the page. */
export async function print(html: string): Promise<void> {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.srcdoc = html;
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
  document.body.append(frame);
  await loaded;
  frame.contentWindow?.addEventListener("afterprint", () => frame.remove());
  frame.contentWindow?.print();
}

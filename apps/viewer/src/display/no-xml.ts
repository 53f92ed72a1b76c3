// Stands in for xmlbuilder2 in the page.

/** @throws Error always */
export function create(): never {
  throw new Error("The viewer writes no XML.");
}

// biome-ignore lint/style/noDefaultExport: the module that it stands in for is imported by default.
export default {};

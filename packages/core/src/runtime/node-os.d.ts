// The only function of Node that the library uses, declared by hand: Node's own types would make all of Node visible in every file.
declare module "node:os" {
  export function availableParallelism(): number;
}

// All of Node that the library uses, declared by hand: with Node's own types every file of it could reach for them.
declare module "node:os" {
  export function availableParallelism(): number;
}

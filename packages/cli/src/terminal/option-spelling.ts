// Spells options as they are typed. Sentences of the library say "the option force", since not every host has a command line.

/** The sentence with `--force` in place of "the option force". */
export const withOptionsSpelt = (sentence: string): string =>
  sentence.replace(/\bthe option ([a-z]+(?:-[a-z]+)*)/gi, "--$1");

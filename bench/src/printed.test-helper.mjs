// Prints as JSON what each of some commands (JSON, the second argument) prints, and its exit code, all in this one process.
const [, , script, commands] = process.argv;
const answer = process.stdout.write.bind(process.stdout);
const answers = [];
for (const [n, words] of JSON.parse(commands).entries()) {
  const texts = [];
  for (const stream of [process.stdout, process.stderr]) stream.write = (text) => texts.push(text) > 0;
  process.argv.splice(2, process.argv.length, ...words);
  process.exitCode = 0;
  // The query makes it a module of its own, which runs anew; what it imports stays loaded.
  await import(`${script}?${n}`);
  answers.push({ text: texts.join(""), code: process.exitCode });
}
process.exitCode = 0;
answer(JSON.stringify(answers));

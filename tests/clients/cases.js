/** Runs those cases whose name holds a text. It gives the names of those that were right, and what was wrong with the others. */
export async function run(cases, door, only = '') {
  const right = [], wrong = [];
  for (const [name, test] of Object.entries(cases)) {
    if (!name.includes(only)) continue;
    try {
      await test(door);
      right.push(name);
    } catch (e) {
      wrong.push(`${name}: ${e?.stack ?? e}`);
    }
  }
  return {right, wrong};
}

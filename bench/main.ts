import { parseArgs } from 'node:util';
import { removeFolders, withBench } from './bench-case.ts';
import { CASES } from './cases.ts';
import { installSamCli } from '../test/support/peer.ts';
import { readResult, writeResult } from './results.ts';
import { writeReport } from './report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
});

/** Runs the cases that are named, or all, and writes the report from what is there. */
async function main(): Promise<number> {
  if (values.list) {
    for (const { name, about } of CASES) {
      const result = await readResult(name);
      const took = result === undefined ? 'not measured yet' : `took ${Math.round(result.seconds)} s`;
      console.log(`${name.padEnd(22)} ${about} (${took})`);
    }
    return 0;
  }
  const unknown = positionals.filter((name) => !CASES.some((known) => known.name === name));
  if (unknown.length > 0) {
    console.error(`There is no case ${unknown.join(', ')}: npm run bench -- --list names them.`);
    return 2;
  }
  const failed: string[] = [];
  if (!values.report) {
    await installSamCli();
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    for (const { name, run, ...conditions } of CASES) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      if (values.resume && (await readResult(name)) !== undefined) continue;
      const started = performance.now();
      try {
        const rows = await withBench(name, { rounds, ...conditions }, run);
        await writeResult(name, rows, (performance.now() - started) / 1_000);
      } catch (error) {
        console.error(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
        failed.push(name);
      }
    }
    await removeFolders();
  }
  console.log(await writeReport(CASES.map(({ name }) => name)));
  if (failed.length > 0) console.error(`Not measured: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = await main();

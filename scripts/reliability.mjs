// npm run reliability [test files]: runs the reliability tests in full size and writes docs/reliability.md from what they
// report. With test files, only their rows are replaced.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { installAndBuild, root, run } from './install.mjs';

const files = process.argv.slice(2);
const records = path.join(root, 'docs', 'reliability.json');
const page = path.join(root, 'docs', 'reliability.md');

installAndBuild();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sam-sync-reliability-'));
const report = path.join(folder, 'report.jsonl');
process.env.SAM_SYNC_RELIABILITY_REPORT = report;
process.env.SAM_SYNC_TEST_SIZE = 'full';
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const status = run(
  process.execPath,
  [vitest, 'run', '--maxWorkers=1', '--testTimeout=7200000', ...(files.length > 0 ? files : ['test/reliability'])],
  { allowFailure: true, shell: false },
);
const fresh = fs.existsSync(report)
  ? fs
      .readFileSync(report, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  : [];
fs.rmSync(folder, { recursive: true, force: true });

const key = (record) => `${record.class}\n${record.injected}`;
const kept = (fs.existsSync(records) ? JSON.parse(fs.readFileSync(records, 'utf8')) : []).filter(
  (old) => !fresh.some((record) => key(record) === key(old)) && fs.existsSync(path.join(root, old.file)),
);
const all = [...kept, ...fresh].sort((one, other) => (key(one) < key(other) ? -1 : 1));
fs.writeFileSync(records, `${JSON.stringify(all, undefined, 2)}\n`);
fs.writeFileSync(page, markdown(all));
run(process.execPath, [path.join(root, 'node_modules', 'oxfmt', 'bin', 'oxfmt'), page, records], { shell: false });
process.exitCode = status === 0 ? 0 : 1;

/** The page: a summary of all classes, then each with its notes and table. */
function markdown(all) {
  const cells = (values) => `| ${values.map((value) => String(value).replaceAll('|', '\\|')).join(' | ')} |`;
  const table = ({ header, rows }) => [cells(header), cells(header.map(() => '---')), ...rows.map(cells)].join('\n');
  const command = ({ file }) => `\`npm run reliability ${file}\``;
  const summary = {
    header: ['Class', 'Injected', 'Times', 'Lost', 'Repeat it'],
    rows: all.map((record) => [record.class, record.injected, record.times, record.lost, command(record)]),
  };
  const details = all
    .filter(({ notes = [], table: own }) => notes.length > 0 || own !== undefined)
    .map(({ class: title, injected, notes = [], table: own }) =>
      [`### ${title}: ${injected}`, notes.map((note) => `- ${note}`).join('\n'), own ? table(own) : '']
        .filter((part) => part !== '')
        .join('\n\n'),
    );
  return `${[
    '# Reliability',
    'The tests wrote this page (`npm run reliability`). They inject faults between `sam-sync` and the local cloud, interrupt it, and run it twice at once. `Lost` counts changes that did not arrive, results that were wrong, and files, processes, uploads or versions that were left behind. `npm test` runs a sample of each class.',
    table(summary),
    ...details,
  ].join('\n\n')}\n`;
}

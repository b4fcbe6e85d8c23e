// npm run reliability [test files]: runs the reliability tests in full size and writes docs/reliability.md from what they
// report. With test files, only their rows are replaced. --render: writes the page from docs/reliability.json, runs nothing.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { installAndBuild, root, run } from './install.mjs';

const args = process.argv.slice(2);
const records = path.join(root, 'docs', 'reliability.json');
const page = path.join(root, 'docs', 'reliability.md');
const key = (record) => `${record.class}\n${record.injected}`;

const { fresh, status } = args.includes('--render') ? { fresh: [], status: 0 } : runTests(args);
const kept = (fs.existsSync(records) ? JSON.parse(fs.readFileSync(records, 'utf8')) : []).filter(
  (old) => !fresh.some((record) => key(record) === key(old)) && fs.existsSync(path.join(root, old.file)),
);
const all = [...kept, ...fresh].sort((one, other) => (key(one) < key(other) ? -1 : 1));
fs.writeFileSync(records, `${JSON.stringify(all, undefined, 2)}\n`);
fs.writeFileSync(page, markdown(all));
process.exitCode = status === 0 ? 0 : 1;

/** Runs the tests in full size; gives what they reported. */
function runTests(files) {
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
  const lines = fs.existsSync(report) ? fs.readFileSync(report, 'utf8').split('\n').filter(Boolean) : [];
  fs.rmSync(folder, { recursive: true, force: true });
  return { fresh: lines.map((line) => JSON.parse(line)), status };
}

/** The page: a summary of all classes, then each with what it injects, its figures and the command that repeats it. */
function markdown(all) {
  const cells = (values) => `| ${values.map((value) => String(value).replaceAll('|', '\\|')).join(' | ')} |`;
  const table = ({ header, rows }) => [cells(header), cells(header.map(() => '---')), ...rows.map(cells)].join('\n');
  const count = (number) => Number(number).toLocaleString('en');
  const classes = [...new Set(all.map((record) => record.class))];
  const link = (title) => `[${title}](#${title.toLowerCase().replaceAll(' ', '-')})`;
  const part = ({ of }) => (of === undefined ? '' : ` (a random part of ${count(of)} cases)`);
  const summary = {
    header: ['Class', 'What is injected, and where', 'Times', 'Lost'],
    rows: all.map((record) => [
      link(record.class),
      `${record.injected}${record.size === 'full' ? part(record) : ' (sample)'}`,
      count(record.times),
      record.lost,
    ]),
  };
  const one = ({ injected, times, lost, of, notes = [], table: own, file, command }) =>
    [
      `**${injected[0].toUpperCase()}${injected.slice(1)}**${part({ of })}: ${count(times)} times, ${lost === 0 ? 'nothing' : lost} lost.`,
      notes.map((note) => `- ${note}`).join('\n'),
      own ? table(own) : '',
      `Repeat it: \`${command ?? `npm run reliability ${file}`}\``,
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  const section = (title) => [`## ${title}`, ...all.filter((record) => record.class === title).map(one)].join('\n\n');
  return `${[
    '# Reliability',
    'What was done to break `sam-sync`, how often, and what was lost. The tests write this page (`npm run reliability`): they inject faults between `sam-sync` and the local cloud, exhaust quotas, interrupt runs, run two at once, and feed it damaged files.',
    '**Lost** counts changes that did not arrive, wrong results, and files, processes, uploads or versions that were left behind. `npm test` runs a sample of each class.',
    table(summary),
    ...classes.map(section),
  ].join('\n\n')}\n`;
}

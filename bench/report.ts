import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { ROOT } from './measure.ts';
import { readResult } from './results.ts';
import type { CaseResult } from './results.ts';
import { countCalls, judge, size, time } from './rows.ts';
import type { Row, SubjectResult } from './rows.ts';

/** Writes bench/RESULTS.md from what was measured and from bench/notes.md; gives its table. */
export async function writeReport(names: readonly string[]): Promise<string> {
  const results = (await Promise.all(names.map(readResult))).filter((result) => result !== undefined);
  const rows = results.flatMap((result) => result.rows);
  const notes = await fs.readFile(path.join(ROOT, 'bench', 'notes.md'), 'utf8');
  const table = [
    '| case | sam-sync | SAM CLI | ratio | floor | goals | API calls | sent | peak memory | CPU |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(line),
  ].join('\n');
  const text = [
    '# Results',
    'Written by `npm run bench` from its measurements and from `notes.md`; change that, not this.',
    about(results),
    table,
    LEGEND,
    '## API calls of one run',
    calls(rows),
    notes.trim(),
  ].join('\n\n');
  await fs.writeFile(path.join(ROOT, 'bench', 'RESULTS.md'), `${text}\n`);
  return table;
}

const LEGEND = `Times are medians over the rounds, in brackets the shortest and longest; both tools take turns in each round, each with
its own copy of the application and its own stack. Where a cell has two values, ours is first and SAM CLI's second.
Calls and bytes (bodies of requests) are those of a round through a recording proxy. Peak memory is that of the largest
process of a command; for watches it is what all processes have in memory. The floor is a bare bundled script with the
same calls and nothing else. A run of SAM CLI that exits with another code than 0 is marked.`;

function about(results: readonly CaseResult[]): string {
  const [last] = [...results].sort((a, b) => b.date.localeCompare(a.date));
  if (last === undefined) return 'Nothing was measured yet.';
  const all = (read: (result: CaseResult) => string): string => [...new Set(results.map(read))].join('; ');
  const versions = all((result) =>
    Object.entries(result.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return [
    `- machine: ${all((result) => result.machine)}`,
    `- versions: ${versions}`,
    `- measured: ${all((result) => result.date.slice(0, 10))}, ${Math.round(seconds / 60)} minutes in all`,
  ].join('\n');
}

function line(row: Row): string {
  const { ours, peer, floor } = row.results;
  const other = Object.entries(row.results).find(([name]) => !['ours', 'peer', 'floor'].includes(name));
  const both = (read: (result: SubjectResult) => string | undefined): string =>
    [ours, peer].flatMap((result) => (result === undefined ? [] : (read(result) ?? []))).join(' / ');
  const verdicts = judge(row).map(({ goal, reached, met }) => `${met ? 'met' : '**not met**'}: ${goal} (${reached})`);
  const disk = both(({ diskBytes }) => (diskBytes === undefined ? undefined : size(diskBytes)));
  const cells = [
    disk === '' || peer === undefined ? row.title : `${row.title} (disk ${disk})`,
    measured(ours),
    measured(peer),
    ours && peer ? `${(peer.ms / ours.ms).toFixed(1)}×` : '',
    floor
      ? `${time(floor.ms)}, ${((ours?.ms ?? 0) / floor.ms).toFixed(2)}×`
      : other
        ? `${other[0]}: ${time(other[1].ms)}`
        : '',
    verdicts.join('; '),
    both((result) => String(countCalls(result))),
    both(({ sentBytes }) => size(sentBytes)),
    both(memory),
    both(({ cpuMs }) => (cpuMs === undefined ? undefined : time(cpuMs))),
  ];
  return `| ${cells.join(' | ')} |`;
}

function memory({ peakBytes, residentBytes }: SubjectResult): string | undefined {
  const bytes = residentBytes ?? peakBytes;
  return bytes === undefined ? undefined : size(bytes);
}

function measured(result: SubjectResult | undefined): string {
  if (result === undefined) return '';
  const { ms, range, rounds, code } = result;
  const spread = rounds > 1 ? ` (${range.map(time).join('–')})` : '';
  return `${time(ms)}${spread}${code ? `, exit code ${code}` : ''}`;
}

const SUBJECTS: Readonly<Record<string, string>> = { ours: 'sam-sync', peer: 'SAM CLI' };

function calls(rows: readonly Row[]): string {
  return rows
    .flatMap(({ title, results }) =>
      Object.entries(results)
        .filter(([, result]) => countCalls(result) > 0)
        .map(([name, result]) => `- ${title}, ${SUBJECTS[name] ?? name}: ${listCalls(result)}`),
    )
    .join('\n');
}

function listCalls(result: SubjectResult): string {
  return Object.entries(result.calls)
    .map(([operation, count]) => (count === 1 ? operation : `${count} ${operation}`))
    .join(', ');
}

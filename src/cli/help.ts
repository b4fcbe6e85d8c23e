import { OPTION_ENTRIES } from './options/options.ts';
import { OPTION_GROUPS } from './options/option-spec.ts';
import type { OptionSpec } from './options/option-spec.ts';

/** The names of the program. */
export type ProgramName = 'sam' | 'sam-sync';

const COLUMN = 30;

const ABOUT = `Sync the local changes of an AWS SAM application to the AWS Cloud: build and
upload what changed, then update the CloudFormation stack or the resources
themselves. Use it for development stacks.`;

const EXAMPLES: readonly [about: string, args: string][] = [
  ['Sync everything once', '--stack-name sam-app'],
  ['Sync every change you save', '--stack-name sam-app --watch'],
  ['Sync the code of one function', '--stack-name sam-app --code --resource-id Child/Hello'],
  ['Sync without an AWS account', '--stack-name sam-app --local'],
];

/** Renders `--help` for a terminal of `width` columns. */
export function helpText(program: ProgramName, width: number): string {
  const command = program === 'sam' ? 'sam sync' : 'sam-sync';
  const sections = OPTION_GROUPS.map((group) => {
    const rows = OPTION_ENTRIES.filter(([, spec]) => spec.group === group);
    return [`${group}:`, ...rows.map(([, spec]) => helpRow(spec, Math.max(60, Math.min(width, 110))))].join('\n');
  });
  const examples = EXAMPLES.map(([about, args]) => `  ${about}:\n      ${command} ${args}`);
  return [
    `Usage: ${command} [OPTIONS]`,
    ABOUT,
    ...sections,
    ['Examples:', ...examples].join('\n'),
    'Control the local cloud: sam-sync cloud start|stop|status|reset|invoke|logs|exec\n' +
      'Manage build caches: sam-sync cache status|prune|fill',
    '',
  ].join('\n\n');
}

/** Renders the option table as Markdown, for docs/options.md. */
export function optionsMarkdown(): string {
  const header = ['| option | what it does | default | samconfig key | variable |', '| --- | --- | --- | --- | --- |'];
  const rows = OPTION_ENTRIES.map(([, spec]) => {
    const cells = [
      code([...spec.names, ...(spec.negation === undefined ? [] : [spec.negation])]) +
        (spec.grammar.metavar === undefined ? '' : ` ${code([spec.grammar.metavar])}`),
      about(spec),
      defaultOf(spec) ?? '',
      code(spec.configKeys),
      code(spec.variables),
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [...header, ...rows, ''].join('\n');
}

function helpRow(spec: OptionSpec<unknown>, width: number): string {
  const names = [...spec.names].sort((a, b) => a.length - b.length);
  const flags = [...names, ...(spec.negation === undefined ? [] : [spec.negation])].join(', ');
  const left = `  ${flags}${spec.grammar.metavar === undefined ? '' : ` ${spec.grammar.metavar}`}`;
  const shown = defaultOf(spec);
  const text = about(spec) + (shown === undefined ? '' : ` Default: ${shown}.`);
  const lines = wrap(text, width - COLUMN);
  const indent = ' '.repeat(COLUMN);
  if (left.length >= COLUMN) return [left, ...lines.map((line) => indent + line)].join('\n');
  return lines.map((line, index) => (index === 0 ? left.padEnd(COLUMN) : indent) + line).join('\n');
}

function about(spec: OptionSpec<unknown>): string {
  return spec.help + (spec.repeatable && !spec.greedy ? ' Repeatable.' : '');
}

function defaultOf(spec: OptionSpec<unknown>): string | undefined {
  if (spec.defaultText !== undefined) return spec.defaultText;
  if (spec.default === true) return 'on';
  if (Array.isArray(spec.default) && spec.default.length > 0) return spec.default.join(' ');
  return typeof spec.default === 'string' ? spec.default : undefined;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function code(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

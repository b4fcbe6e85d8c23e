import { UsageError } from '../../errors.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { OPTIONS_BY_NAME } from './options.ts';
import type { NamedOption, OptionKey } from './options.ts';

/** An option on the command line. */
export interface TypedOption {
  /** The name used last, e.g. `-t`. */
  name: string;
  /** The values, in order; `true` or `false` for a flag. */
  words: string[];
}

/** A parsed command line with all its problems. */
export interface CommandLine {
  typed: ReadonlyMap<OptionKey, TypedOption>;
  problems: readonly UsageError[];
  /** The first word stands for another command, or is a slip of `sync`. */
  isOtherCommand: boolean;
}

/** Options of `sam build`, `package` and `deploy` that `sam sync` lacks, to explain the mistake. */
const ELSEWHERE = new Set(
  (
    '--guided -g --cached -c --no-cached --parallel -p --manifest -m --build-dir -b --cache-dir -cd --exclude -x ' +
    '--hook-name --skip-prepare-infra --docker-network --skip-pull-image --mount-with --mount-symlinks ' +
    '--use-buildkit --signing-profiles --force-upload --no-force-upload --use-json ' +
    '--no-progressbar --confirm-changeset --no-confirm-changeset --no-execute-changeset --fail-on-empty-changeset ' +
    '--no-fail-on-empty-changeset --disable-rollback --no-disable-rollback --on-failure --max-wait-duration'
  ).split(' '),
);

/** Parses `args` by the option table, as click does. Never throws: collects problems. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const state: ParserState = { args, index: 0, typed: new Map(), problems: [] };
  const [first = ''] = args;
  const isOtherCommand = /^[a-z]/i.test(first) && commandHint(first) !== undefined;
  if (isOtherCommand) return { typed: state.typed, problems: [unexpected(first)], isOtherCommand };
  while (state.index < args.length) {
    const word = args[state.index++] ?? '';
    if (word === '--') {
      for (const extra of args.slice(state.index)) state.problems.push(unexpected(extra));
      break;
    }
    if (word.startsWith('-') && word !== '-') parseOption(word, state);
    else state.problems.push(unexpected(word));
  }
  return { typed: state.typed, problems: state.problems, isOtherCommand };
}

interface ParserState {
  args: readonly string[];
  /** Index of the next word. */
  index: number;
  typed: Map<OptionKey, TypedOption>;
  problems: UsageError[];
}

function parseOption(word: string, state: ParserState): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const option = OPTIONS_BY_NAME.get(name);
  if (option) takeOption(name, option, equals < 0 ? undefined : word.slice(equals + 1), state);
  else if (word.startsWith('--')) unknownOption(name, state);
  else parseCluster(word, state);
}

/** `-ut file` is `-u -t file`, and `-tfile` is `-t file`. */
function parseCluster(word: string, state: ParserState): void {
  for (let index = 1; index < word.length; index++) {
    const name = `-${word[index]}`;
    const option = OPTIONS_BY_NAME.get(name);
    if (!option) return unknownOption(index === 1 ? (word.split('=')[0] ?? name) : name, state);
    const rest = word.slice(index + 1).replace(/^=/, '');
    if (option.spec.grammar.metavar !== undefined)
      return takeOption(name, option, rest === '' ? undefined : rest, state);
    takeOption(name, option, undefined, state);
  }
}

function takeOption(name: string, option: NamedOption, attached: string | undefined, state: ParserState): void {
  if (option.spec.grammar.metavar === undefined) {
    if (attached === undefined) record(name, option, [option.off ? 'false' : 'true'], state);
    else state.problems.push(new UsageError(`${name} takes no value, but got \`${attached}\``));
    return;
  }
  const words = attached === undefined ? takeValue(name, state) : [attached];
  if (!words) return;
  if (option.spec.greedy)
    while (state.index < state.args.length && !state.args[state.index]?.startsWith('-'))
      words.push(state.args[state.index++] ?? '');
  record(name, option, words, state);
}

/** Takes the next word as the value, unless it is an option: then the value is missing. */
function takeValue(name: string, state: ParserState): string[] | undefined {
  const next = state.args[state.index];
  if (next === undefined) {
    state.problems.push(new UsageError(`${name} needs a value`));
    return undefined;
  }
  if (OPTIONS_BY_NAME.has(next.split('=')[0] ?? '')) {
    const hint = `If ${next} is the value, write ${name}=${next}.`;
    state.problems.push(new UsageError(`${name} needs a value, but the option ${next} follows`, { hint }));
    return undefined;
  }
  state.index++;
  return [next];
}

function record(name: string, option: NamedOption, words: readonly string[], state: ParserState): void {
  const before = option.spec.repeatable ? (state.typed.get(option.key)?.words ?? []) : [];
  state.typed.set(option.key, { name, words: [...before, ...words] });
}

function unknownOption(name: string, state: ParserState): void {
  const names = [...OPTIONS_BY_NAME.keys()].filter((other) => other.startsWith('--'));
  const near = names.find((other) => other.startsWith(name)) ?? nearestName(name, names);
  const hint = ELSEWHERE.has(name)
    ? 'It is an option of other SAM CLI commands, not of sync.'
    : near !== undefined && name.startsWith('--')
      ? `Did you mean ${near}?`
      : undefined;
  state.problems.push(new UsageError(`No such option: ${name}`, { hint }));
  // do not report its value as another problem
  while (state.index < state.args.length && !state.args[state.index]?.startsWith('-')) state.index++;
}

function unexpected(word: string): UsageError {
  return new UsageError(`Unexpected argument \`${word}\``, { hint: commandHint(word) ?? argumentHint(word) });
}

const OWN_COMMANDS = ['sync', 'cloud', 'cache'];
const STEPS_OF_SYNC = ['build', 'deploy', 'package'];
/** Other commands of AWS SAM CLI, by their first word. */
const SAM_COMMANDS = 'delete docs init list local logs pipeline publish remote traces validate'.split(' ');

/** Returns what to do about a word that stands for a command; undefined for any other word. */
function commandHint(word: string): string | undefined {
  if (word === 'sync') return 'Write `sync` once.';
  if (STEPS_OF_SYNC.includes(word))
    return `sync builds, packages and deploys in one step. \`sam ${word}\` is a command of AWS SAM CLI.`;
  if (SAM_COMMANDS.includes(word)) return `\`sam ${word}\` is a command of AWS SAM CLI.`;
  const near = nearestName(word, OWN_COMMANDS);
  return near === undefined ? undefined : `Did you mean ${near}?`;
}

/** Returns the option that a word without one probably belongs to. */
function argumentHint(word: string): string | undefined {
  if (/\.(?:ya?ml|json|template)$/i.test(word)) return `To name the template, write --template-file ${word}.`;
  if (/^\w+=/.test(word)) return 'Write values of template parameters after --parameter-overrides.';
  return undefined;
}

import { UsageError } from '../../errors.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { OPTIONS_BY_NAME } from './options.ts';
import type { NamedOption, OptionKey } from './options.ts';

/** What was typed for an option. */
export interface TypedOption {
  /** The name that was used last, e.g. `-t`. */
  name: string;
  /** The values, in order; `true` or `false` for a flag. */
  words: string[];
}

/** A command line taken apart; `problems` holds everything that is wrong with it. */
export interface CommandLine {
  typed: ReadonlyMap<OptionKey, TypedOption>;
  problems: readonly UsageError[];
}

/** Options that `sam build`, `package` or `deploy` know and `sam sync` does not, so that a mistake can be explained. */
const ELSEWHERE = new Set(
  (
    '--guided -g --cached -c --no-cached --parallel -p --manifest -m --build-dir -b --cache-dir -cd --exclude -x ' +
    '--hook-name --skip-prepare-infra --docker-network --skip-pull-image --mount-with --mount-symlinks ' +
    '--container-env-var -e --use-buildkit --signing-profiles --force-upload --no-force-upload --use-json ' +
    '--no-progressbar --confirm-changeset --no-confirm-changeset --no-execute-changeset --fail-on-empty-changeset ' +
    '--no-fail-on-empty-changeset --disable-rollback --no-disable-rollback --on-failure --max-wait-duration ' +
    '--resolve-image-repos'
  ).split(' '),
);

/** Takes `args` apart as click does, by the option table. Never throws: problems are collected. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const state: ParserState = { args, index: 0, typed: new Map(), problems: [] };
  while (state.index < args.length) {
    const word = args[state.index++] ?? '';
    if (word === '--') {
      for (const extra of args.slice(state.index)) state.problems.push(unexpected(extra));
      break;
    }
    if (word.startsWith('-') && word !== '-') parseOption(word, state);
    else state.problems.push(unexpected(word));
  }
  return { typed: state.typed, problems: state.problems };
}

interface ParserState {
  args: readonly string[];
  /** Of the next word. */
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
    else state.problems.push(new UsageError(`${name} takes no value, but \`${attached}\` was given`));
    return;
  }
  const words = attached === undefined ? takeValue(name, state) : [attached];
  if (!words) return;
  if (option.spec.greedy)
    while (state.index < state.args.length && !state.args[state.index]?.startsWith('-'))
      words.push(state.args[state.index++] ?? '');
  record(name, option, words, state);
}

/** The next word, whatever it starts with, unless it is an option itself: then the value was forgotten. */
function takeValue(name: string, state: ParserState): string[] | undefined {
  const next = state.args[state.index];
  if (next === undefined) {
    state.problems.push(new UsageError(`${name} needs a value`));
    return undefined;
  }
  if (OPTIONS_BY_NAME.has(next.split('=')[0] ?? '')) {
    const hint = `If that is the value, write ${name}=${next}.`;
    state.problems.push(new UsageError(`${name} needs a value, but ${next} follows`, { hint }));
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
  const names = [...OPTIONS_BY_NAME.keys()].filter((known) => known.startsWith('--'));
  const near = names.find((known) => known.startsWith(name)) ?? nearestName(name, names);
  const hint = ELSEWHERE.has(name)
    ? 'Other commands of AWS SAM have it, sync does not.'
    : near !== undefined && name.startsWith('--')
      ? `Did you mean ${near}?`
      : undefined;
  state.problems.push(new UsageError(`There is no option ${name}`, { hint }));
  // its value, if it has one, is not another problem
  while (state.index < state.args.length && !state.args[state.index]?.startsWith('-')) state.index++;
}

function unexpected(word: string): UsageError {
  return new UsageError(`Unexpected argument \`${word}\``);
}

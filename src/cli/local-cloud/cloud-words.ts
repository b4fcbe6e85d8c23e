import { UsageError } from '../../errors.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { ownValue } from '../../support/own-value.ts';

/** Options of every command of `sam-sync cloud`. */
export const COMMON_OPTIONS = ['--help', '--debug'];

/** Splits the words of a command into arguments and options; a value follows its option, or an equals sign. */
export function readWords(
  command: string,
  args: readonly string[],
  options: Readonly<Record<string, 'flag' | 'value'>>,
): { words: string[]; values: ReadonlyMap<string, string> } {
  const words: string[] = [];
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    const [name, inline] = word.startsWith('--') ? splitOnce(word, '=') : [word];
    const kind = ownValue(options, name);
    if (kind === 'flag' && inline === undefined) values.set(name, '');
    else if (kind === 'value') {
      const value = inline ?? args[++at];
      if (value === undefined) throw new UsageError(`${name} of sam-sync cloud ${command} needs a value`);
      values.set(name, value);
    } else if (word.startsWith('-')) throw unknownWord('option', word, [...Object.keys(options), ...COMMON_OPTIONS]);
    else words.push(word);
  }
  return { words, values };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Throws if a command that takes none gets arguments. */
export function refuseArguments(command: string, args: readonly string[]): void {
  const [word] = args;
  if (word === undefined) return;
  if (word.startsWith('-')) throw unknownWord('option', word, COMMON_OPTIONS);
  throw new UsageError(`sam-sync cloud ${command} takes no arguments, but got ${word}`);
}

/** The error for an unknown command or option, with the nearest one. */
export function unknownWord(kind: string, word: string, candidates: readonly string[]): UsageError {
  const nearest = nearestName(word, candidates);
  return new UsageError(`sam-sync cloud has no ${kind} "${word}"`, {
    hint: nearest === undefined ? 'See sam-sync cloud --help.' : `Did you mean ${nearest}?`,
  });
}

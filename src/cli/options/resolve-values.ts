import { UsageError } from '../../errors.ts';
import type { TypedOption } from './command-line.ts';
import type { OptionFacts, Source } from './option-rules.ts';
import { RULES } from './option-rules.ts';
import { OPTION_ENTRIES } from './options.ts';
import type { OptionKey, OptionSpec, OptionValues } from './options.ts';
import { collecting } from './throw-problems.ts';
import type { Notice } from '../notice.ts';
import type { ConfigEntry } from '../samconfig/samconfig.ts';

/** Where the values of options come from. */
export interface ValueSources {
  typed: ReadonlyMap<OptionKey, TypedOption>;
  env: Readonly<Record<string, string | undefined>>;
  config: ReadonlyMap<OptionKey, ConfigEntry>;
}

/** One resolved value; `place` says for messages where it was written. */
interface ResolvedValue {
  value: unknown;
  source: Source;
  place: string;
}

/** The values of all options that have one. */
export interface ResolvedValues extends OptionFacts {
  place(key: OptionKey): string;
  /** What the samconfig says in vain, as something typed replaces it. */
  overruled: readonly OptionKey[];
  entries(): Iterable<[OptionKey, ResolvedValue]>;
}

/** Takes each value from the command line, else its environment variable, else the samconfig, else its default. */
export function resolveValues(sources: ValueSources, problems: UsageError[], notices: Notice[]): ResolvedValues {
  const values = new Map<OptionKey, ResolvedValue>();
  for (const [key, spec] of OPTION_ENTRIES) {
    const found = collecting(problems, () => resolveValue(key, spec, sources));
    if (!found) continue;
    values.set(key, found);
    const { value, place } = found;
    if (typeof value === 'string' && value !== '') collecting(problems, () => spec.check?.(value, place));
  }
  const resolved: ResolvedValues = {
    // the table ties each key to the type of its value
    value: <K extends OptionKey>(key: K) => values.get(key)?.value as OptionValues[K] | undefined,
    source: (key) => values.get(key)?.source,
    place: (key) => values.get(key)?.place ?? key,
    overruled: [],
    entries: () => values,
  };
  const overruled = applyRules(resolved, values, { problems, notices });
  return { ...resolved, overruled };
}

function resolveValue(
  key: OptionKey,
  spec: OptionSpec<unknown>,
  { typed, env, config }: ValueSources,
): ResolvedValue | undefined {
  const { grammar } = spec;
  const words = typed.get(key);
  if (words) return { value: grammar.parse(words.words, words.name), source: 'typed', place: words.name };
  const variable = spec.variables.find((name) => env[name]);
  if (variable !== undefined)
    return { value: grammar.parse([env[variable] ?? ''], variable), source: 'variable', place: variable };
  const entry = config.get(key);
  if (entry) return { value: grammar.read(entry.value, entry.place), source: 'samconfig', place: entry.place };
  return spec.default === undefined ? undefined : { value: spec.default, source: 'default', place: 'default' };
}

function applyRules(
  facts: OptionFacts,
  values: Map<OptionKey, ResolvedValue>,
  { problems, notices }: { problems: UsageError[]; notices: Notice[] },
): OptionKey[] {
  const overruled: OptionKey[] = [];
  for (const rule of RULES) {
    if (!rule.applies(facts)) continue;
    const text = typeof rule.text === 'string' ? rule.text : rule.text(facts);
    const { level, hint } = rule;
    if (level === 'error') problems.push(new UsageError(text, { hint }));
    else notices.push({ level, text, hint });
    overruled.push(...(rule.overrules ?? []));
    for (const key of [...(rule.drops ?? []), ...(rule.overrules ?? [])]) values.delete(key);
  }
  return overruled;
}

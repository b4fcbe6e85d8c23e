import { UsageError } from '../../errors.ts';
import type { TypedOption } from './command-line.ts';
import type { OptionFacts, Source } from './option-rules.ts';
import { RULES } from './option-rules.ts';
import { OPTION_ENTRIES, OPTIONS } from './options.ts';
import type { OptionSpec } from './option-spec.ts';
import type { OptionKey, OptionValues } from './options.ts';
import { collecting } from './throw-problems.ts';
import type { Notice } from '../notice.ts';
import type { ConfigEntry } from '../samconfig/samconfig.ts';

/** The sources of option values. */
export interface ValueSources {
  typed: ReadonlyMap<OptionKey, TypedOption>;
  env: Readonly<Record<string, string | undefined>>;
  config: ReadonlyMap<OptionKey, ConfigEntry>;
  /** The default of a command that needs no stack. */
  stackName?: string | undefined;
}

/** A resolved value; `place` names its source in messages. */
interface ResolvedValue {
  value: unknown;
  source: Source;
  place: string;
}

/** The resolved values of all options. */
export interface ResolvedValues extends OptionFacts {
  place(key: OptionKey): string;
  /** Samconfig options that a typed option replaces. */
  overruled: readonly OptionKey[];
  entries(): Iterable<[OptionKey, ResolvedValue]>;
}

/** Takes each value from the command line, else its environment variable, else the samconfig, else its default. */
export function resolveValues(sources: ValueSources, problems: UsageError[], notices: Notice[]): ResolvedValues {
  const values = new Map<OptionKey, ResolvedValue>();
  for (const [key, spec] of OPTION_ENTRIES) {
    const resolved = collecting(problems, () => resolveValue(key, spec, sources));
    if (!resolved) continue;
    values.set(key, resolved);
    const { value, place } = resolved;
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
  { typed, env, config, stackName }: ValueSources,
): ResolvedValue | undefined {
  const { grammar } = spec;
  const words = typed.get(key);
  if (words) return { value: grammar.parse(words.words, words.name), source: 'typed', place: words.name };
  const variable = spec.variables.find((name) => env[name]);
  if (variable !== undefined)
    return { value: grammar.parse([env[variable] ?? ''], variable), source: 'variable', place: variable };
  const entry = config.get(key);
  if (entry) return { value: grammar.read(entry.value, entry.place), source: 'samconfig', place: entry.place };
  if (key === 'stackName' && stackName !== undefined) return { value: stackName, source: 'default', place: 'default' };
  return defaultValue(spec);
}

function defaultValue(spec: OptionSpec<unknown>): ResolvedValue | undefined {
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
    const text = typeof rule.text === 'function' ? rule.text(facts) : rule.text;
    const hint = typeof rule.hint === 'function' ? rule.hint(facts) : rule.hint;
    const { level } = rule;
    if (level === 'error') problems.push(new UsageError(text, { hint }));
    else notices.push({ level, text, hint });
    const { drops = [], overrules = [], turnsOff = [] } = rule;
    overruled.push(...overrules);
    for (const key of [...drops, ...overrules]) {
      const value = defaultValue(OPTIONS[key]);
      if (value === undefined) values.delete(key);
      else values.set(key, value);
    }
    for (const key of turnsOff) values.set(key, { value: false, source: 'default', place: 'default' });
  }
  return overruled;
}

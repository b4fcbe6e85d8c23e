import { UsageError } from '../../errors.ts';
import { nearestName } from '../../support/nearest-name.ts';
import type { CacheTask, Shard } from '../../sync/cache/cache-task.ts';
import { parseCommandLine } from '../options/command-line.ts';
import type { CommandLine } from '../options/command-line.ts';
import type { OptionKey } from '../options/options.ts';

/** The text of `sam-sync cache --help`. */
export const CACHE_HELP = `Usage: sam-sync cache COMMAND [OPTIONS]

The caches of builds: the one of this project (.aws-sam/sam-sync), and those
that machines share (--build-cache, build_cache in the samconfig).

Commands:
  status         Show size and age of each cache, and how many builds came from
                 shared ones. Exit code 1: a cache cannot be read.
  prune          Remove what was not used (this project) or written (the first
                 shared cache, with --build-cache-write) for --older-than.
                 Builds that another sam-sync is using stay.
  fill           Build what the first shared cache lacks and add it. Deploys
                 nothing. Exit code 1: a build failed, or could not be added.

Options of all commands:
  --build-cache PLACE   s3://BUCKET/PREFIX or file:FOLDER. Repeatable.
  --output text|json    --config-file, --config-env, --profile, --region, --debug
                        as for sync.

Options of prune:
  --older-than AGE      For example 12h, 30d, 8w. Default: 30d.
  --build-cache-write   Also prune the first shared cache.
  --refused             Remove from the first shared cache, whatever its age, what
                        is refused here: damaged entries, entries without
                        the signature of SAM_BUILD_CACHE_KEY, and zips with
                        another content. Reads every zip.
  --dry-run             Remove nothing; show what would be removed.

Options of fill:
  --shard I/N           Build the I-th of N shares only. Run all N at the same
                        time, for example as a CI matrix.
  All options of sync that concern builds, such as --template-file,
  --parameter-overrides, --no-dependency-layer and --use-container.
  --image-repository URI, --image-repositories ID=URI
                        Also build image functions, push their images to these
                        repositories and add their digests.

Examples:
  sam-sync cache status
  sam-sync cache prune --older-than 14d
  sam-sync cache fill --build-cache s3://my-builds/app --shard 2/5
`;

const COMMON: readonly OptionKey[] = [
  'buildCache',
  'output',
  'configFile',
  'configEnv',
  'profile',
  'region',
  'debug',
  'templateFile',
];
const OF_BUILDS: readonly OptionKey[] = [
  'stackName',
  'baseDir',
  'parameterOverrides',
  'dependencyLayer',
  'useContainer',
  'buildImages',
  'containerEnvVarFile',
  'containerVariables',
  'buildInSource',
  'languageExtensions',
  'buildCacheWrite',
  'buildCacheAccept',
  'imageRepository',
  'imageRepositories',
  'resolveImageRepos',
];

/** The options of `sync` that each command takes. */
const OPTIONS_OF: Readonly<Record<CacheTask['name'], readonly OptionKey[]>> = {
  status: COMMON,
  prune: [...COMMON, 'buildCacheWrite', 'dryRun'],
  fill: [...COMMON, ...OF_BUILDS],
};

/** Options that only one command has. */
const OWN_OPTIONS: Readonly<Record<CacheTask['name'], string | undefined>> = {
  status: undefined,
  prune: '--older-than',
  fill: '--shard',
};

/** A command line of `sam-sync cache`. */
export interface CacheCommand {
  task: CacheTask;
  commandLine: CommandLine;
}

/** Parses the words after `sam-sync cache`; undefined: they ask for help. Throws for an unknown command. */
export function parseCacheCommand(args: readonly string[]): CacheCommand | undefined {
  const [name, ...words] = args;
  if (name === undefined || args.includes('--help') || args.includes('-h')) return undefined;
  if (!isCommand(name)) throw unknownCommand(name);
  const isRefused = words.includes(REFUSED);
  const { rest, value, problems } = takeOption(
    words.filter((word) => word !== REFUSED),
    OWN_OPTIONS[name],
  );
  if (isRefused && name !== 'prune') problems.push(ofAnotherCommand(REFUSED));
  if (isRefused && value !== undefined) problems.push(new UsageError('--refused and --older-than cannot be combined'));
  const parsed = parseCommandLine(rest);
  const task = isRefused && name === 'prune' ? ({ name, what: 'refused' } as const) : readTask(name, value, problems);
  for (const [key, { name: option }] of parsed.typed)
    if (!OPTIONS_OF[name].includes(key)) problems.push(noSuchOption(name, option));
  return { task, commandLine: { ...parsed, problems: [...problems, ...parsed.problems] } };
}

function isCommand(name: string): name is CacheTask['name'] {
  return Object.hasOwn(OPTIONS_OF, name);
}

function unknownCommand(name: string): UsageError {
  const kind = name.startsWith('-') ? 'Write the command first: status, prune or fill.' : undefined;
  const near = nearestName(name, Object.keys(OPTIONS_OF));
  return new UsageError(`sam-sync cache has no command "${name}"`, {
    hint: kind ?? (near === undefined ? 'See sam-sync cache --help.' : `Did you mean ${near}?`),
  });
}

function noSuchOption(command: string, option: string): UsageError {
  return new UsageError(`sam-sync cache ${command} has no option ${option}`, { hint: 'See sam-sync cache --help.' });
}

/** A word of prune alone. */
const REFUSED = '--refused';

function ofAnotherCommand(option: string): UsageError {
  return new UsageError(`${option} is an option of another command of sam-sync cache`);
}

/** Takes an option with a value out of the words. */
function takeOption(
  words: readonly string[],
  name: string | undefined,
): { rest: string[]; value: string | undefined; problems: UsageError[] } {
  const rest: string[] = [];
  const problems: UsageError[] = [];
  let value: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const own = Object.values(OWN_OPTIONS).find((one) => one !== undefined && word.split('=')[0] === one);
    if (own === undefined) rest.push(word);
    else {
      const given = word === own ? words[++at] : word.slice(own.length + 1);
      if (own !== name) problems.push(ofAnotherCommand(own));
      else if (given === undefined || given === '') problems.push(new UsageError(`${own} needs a value`));
      else value = given;
    }
  }
  return { rest, value, problems };
}

function readTask(name: CacheTask['name'], value: string | undefined, problems: UsageError[]): CacheTask {
  switch (name) {
    case 'status':
      return { name };
    case 'prune':
      return { name, what: readAge(value ?? '30d', problems) };
    case 'fill':
      return { name, shard: value === undefined ? undefined : readShard(value, problems) };
  }
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

function readAge(text: string, problems: UsageError[]): number {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * UNITS[unit as keyof typeof UNITS];
  problems.push(
    new UsageError(`--older-than: \`${text}\` is not an age`, {
      hint: 'Write a number and m, h, d or w: 90m, 12h, 30d, 8w.',
    }),
  );
  return 0;
}

function readShard(text: string, problems: UsageError[]): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (index < 1 || index > count)
    problems.push(
      new UsageError(`--shard: \`${text}\` is not a share`, { hint: 'Write I/N, from 1/N to N/N: --shard 2/5.' }),
    );
  return { index, count };
}

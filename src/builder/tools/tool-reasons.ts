import type { SourcePlace } from '../../errors.ts';

/** The reason of a failure, as the tool printed it. */
export interface ToolReason extends SourcePlace {
  /** One line. */
  reason?: string | undefined;
}

/**
 * Patterns of a tool's first error, by the tool's name, which is the first word of a task; the first match counts. Groups:
 * `reason`, `missing` (what the registry does not have), `file`, `line`, `column`.
 */
const PATTERNS: Readonly<Record<string, readonly RegExp[]>> = {
  npm: [
    // a script that compiles
    /^(?<file>[^\s(].*?)\((?<line>\d+),(?<column>\d+)\): error (?<reason>TS\d+: .+)$/m,
    /^npm (?:error|ERR!) 404 +(?:The requested resource )?'(?<missing>[^']+)' (?:could not|is not)/m,
    /^npm (?:error|ERR!) notarget (?<reason>.+?)\.?$/m,
    /^npm (?:error|ERR!) JSON\.parse (?:Invalid (?<file>package\.json): )?(?<reason>.+)$/m,
    /^npm (?:error|ERR!) (?<reason>(?:Missing|Invalid): .+ from lock file|Invalid: lock file's .+)$/m,
    /^npm (?:error|ERR!) (?:code ERESOLVE\n.*ERESOLVE )?(?<reason>unable to resolve dependency tree|could not resolve)$/m,
    /^npm (?:error|ERR!) (?:network )?(?<reason>request to .+ failed, reason: .+)$/m,
    /^npm (?:error|ERR!) (?!code |errno |path |syscall |command |A complete log)(?<reason>\S.+)$/m,
  ],
  pnpm: [
    /ERR_PNPM_FETCH_404\s+GET \S*\/(?<missing>[^\s/]+): Not Found/,
    /ERR_PNPM_\w+\s+(?<reason>.+?)(?: while fetching .+)?$/m,
  ],
  yarn: [/^error (?<reason>.+)$/m],
  bun: [/^error: GET \S*\/(?<missing>[^\s/]+) - 404/m, /^error: (?<reason>.+)$/m],
  pip: [/^ERROR: (?:Invalid requirement: )?(?<reason>.+?) \(from line (?<line>\d+) of (?<file>[^)\n]+)\)/m],
  mvn: [
    /^\[ERROR\] (?<file>[^\n]+?):\[(?<line>\d+),(?<column>\d+)\] (?<reason>.+)$/m,
    /Non-parseable POM (?<file>.+?): (?<reason>[^\n]+?) \(position: [^\n]*@ line (?<line>\d+), column (?<column>\d+)/,
    /(?<reason>Could not find artifact \S+)/,
    /^\[ERROR\] (?<reason>.+?)(?: -> \[Help \d+\])?$/m,
  ],
  gradle: [
    /^(?<file>[^\n]+?\.(?:java|kt|groovy)):(?<line>\d+): error: (?<reason>.+)$/m,
    /^> (?<reason>Could not (?:find|resolve) .+?)\.?$/m,
    /^\* What went wrong:\n(?<reason>.+)$/m,
  ],
  go: [
    /^(?<file>[^\s:][^:\n]*\.(?:go|mod|work)):(?<line>\d+):(?:(?<column>\d+):)? (?<reason>.+?)(?:; to add:)?$/m,
    /^go: (?<reason>.+)$/m,
  ],
  cargo: [
    /^error(?:\[\w+\])?: (?<reason>.+)\n\s*--> (?<file>.+?):(?<line>\d+):(?<column>\d+)$/m,
    /^error(?:\[\w+\])?: (?<reason>.+)$/m,
  ],
  dotnet: [
    /^\s*(?<file>[^\n]+?)\((?<line>\d+),(?<column>\d+)\): error (?<reason>\w+: .+?)(?: \[[^\]]*\])?$/m,
    /: error (?<reason>\w+: .+?)(?: \[[^\]]*\])?$/m,
  ],
  bundle: [/There was an error parsing `(?<file>[^`']+)[`']: (?<reason>.+?)(?: - .*)?$/m, /^(?<reason>Could not .+)$/m],
  make: [
    /^(?<file>[^\s:]+):(?<line>\d+): \*\*\* (?<reason>.+?)(?:\. +Stop\.)?$/m,
    /^make(?:\[\d+\])?: \*\*\* (?<reason>No rule .+?)\. +Stop\.$/m,
    /^make(?:\[\d+\])?: (?<reason>[^*].*?)\n.*\*\*\* \[(?<file>[^:\]]+):(?<line>\d+): /m,
    /\*\*\* \[(?<file>[^:\]]+):(?<line>\d+): /,
  ],
};

/** Programs with the output of others. */
const AS: Readonly<Record<string, string>> = { mvnw: 'mvn', gradlew: 'gradle' };

/** Finds the reason of a failure in a tool's output; `task`: as messages name it, e.g. `npm install`. */
export function readToolReason(task: string, output: string): ToolReason {
  const [tool = ''] = task.split(' ');
  const patterns = new Map(Object.entries(PATTERNS)).get(AS[tool] ?? tool) ?? [];
  for (const pattern of patterns) {
    const groups = pattern.exec(output.replaceAll('\r\n', '\n'))?.groups;
    if (groups === undefined) continue;
    const { missing, reason, file, line, column } = groups;
    return {
      reason: missing === undefined ? reason?.trim() : `404 Not Found: ${missing}`,
      file,
      line: line === undefined ? undefined : Number(line),
      column: column === undefined ? undefined : Number(column),
    };
  }
  return {};
}

/** What a user can act on: says what is wrong and where; `hint` says what to do next. Exit code 1. */
export class UserError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: number = 1;

  constructor(message: string, options: { cause?: unknown; hint?: string | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** The command line or the configuration is wrong. Exit code 2. */
export class UsageError extends UserError {
  override readonly exitCode = 2;
}

/** The user said stop (Ctrl-C, SIGTERM). Exit code 130; `message` says what goes on in the cloud, if anything. */
export class InterruptedError extends UserError {
  override readonly exitCode = 130;
}

/** One thing wrong in a template. Lines and columns count from 1. */
export interface TemplateProblem {
  file: string;
  line?: number | undefined;
  column?: number | undefined;
  message: string;
}

/** A place in a file of the project. Lines and columns count from 1. */
export interface SourcePlace {
  /** Relative to the project where it is in it. */
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
}

/** Why a function cannot run although it was built. */
export interface RunProblem extends SourcePlace {
  message: string;
}

/** Everything that is wrong with the templates of an application, shown together. */
export class TemplateError extends UserError {
  readonly problems: readonly TemplateProblem[];

  constructor(problems: readonly TemplateProblem[], options: { cause?: unknown; hint?: string | undefined } = {}) {
    super(problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** A build that failed: whose, why and where, and what its tool printed. */
export interface BuildFailure extends SourcePlace {
  /** Resource identifiers that share the build. */
  ids: readonly string[];
  message: string;
  hint?: string | undefined;
  /** The tool's own output, unshortened. */
  output?: string | undefined;
  /** It may go away without a change of files (`SystemError`). */
  isTransient?: boolean | undefined;
}

/** One or more builds failed; the others are finished and their results kept. */
export class BuildError extends UserError {
  readonly failures: readonly BuildFailure[];

  constructor(failures: readonly BuildFailure[]) {
    const ids = failures.map((failure) => failure.ids.join(', '));
    super(`Build failed: ${ids.join('; ')}`);
    this.failures = failures;
  }
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `file:line:column: message`, as editors understand it. */
export function formatProblem({ file, line, column, message }: RunProblem): string {
  if (file === undefined) return message;
  const position = line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`;
  return `${file}${position}: ${message}`;
}

/** A place in a file of the project. Lines and columns count from 1. */
export interface SourcePlace {
  /** Relative to the project if inside it. */
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
}

/** Details of an error that the user can act on. */
export interface ErrorDetails {
  cause?: unknown;
  hint?: string | undefined;
  /** Where the message says it is, for editors. */
  place?: SourcePlace | undefined;
}

/** An error the user can act on: the message says what is wrong and where, `hint` what to do. Exit code 1. */
export class UserError extends Error {
  readonly hint: string | undefined;
  readonly place: SourcePlace | undefined;
  readonly exitCode: number = 1;

  constructor(message: string, { cause, hint, place }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.hint = hint;
    this.place = place;
  }
}

/** The command line or the configuration is invalid. Exit code 2. */
export class UsageError extends UserError {
  override readonly exitCode = 2;
}

/** The user interrupted the run (Ctrl-C, SIGTERM). Exit code 130. The message says what continues in the cloud. */
export class InterruptedError extends UserError {
  override readonly exitCode = 130;
}

/** A problem in a template. Lines and columns count from 1. */
export interface TemplateProblem {
  file: string;
  line?: number | undefined;
  column?: number | undefined;
  message: string;
}

/** Why a built function cannot run. */
export interface RunProblem extends SourcePlace {
  message: string;
}

/** All problems in the templates of an application. */
export class TemplateError extends UserError {
  readonly problems: readonly TemplateProblem[];

  constructor(problems: readonly TemplateProblem[], details: Omit<ErrorDetails, 'place'> = {}) {
    const [first] = problems;
    const place = first && { file: first.file, line: first.line, column: first.column };
    super(problems.map(formatProblem).join('\n'), { ...details, place });
    this.problems = problems;
  }
}

/** A failed build. */
export interface BuildFailure extends SourcePlace {
  /** Resource identifiers that share the build. */
  ids: readonly string[];
  message: string;
  hint?: string | undefined;
  /** The tool's complete output. */
  output?: string | undefined;
  /** A retry may succeed without a change of files (`SystemError`). */
  isTransient?: boolean | undefined;
}

/** One or more builds failed. The results of the others are kept. */
export class BuildError extends UserError {
  readonly failures: readonly BuildFailure[];

  constructor(failures: readonly BuildFailure[]) {
    const ids = failures.map((failure) => failure.ids.join(', '));
    super(`Build failed: ${ids.join('; ')}`);
    this.failures = failures;
  }
}

/** Returns the message of a thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Formats a problem as `file:line:column: message`, which editors understand. */
export function formatProblem({ file, line, column, message }: RunProblem): string {
  if (file === undefined) return message;
  const position = line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`;
  return `${file}${position}: ${message}`;
}

import type { CliResult } from './run-cli.ts';

/** Why a message of a failure is not one for users; undefined: it is. */
export function unclear(message: string): string | undefined {
  if (/^\s+at .*:\d+:\d+/m.test(message)) return 'it has a stack trace';
  if (/Deserialization|undefined|\[object|UnknownError|is in sync/i.test(message)) return 'it is not for users';
  const named =
    /CloudFormation|Lambda|S3|ECR|STS|API Gateway|Step Functions|Access denied|AWS credentials have expired|bucket/;
  return named.test(message) ? undefined : 'it does not name what failed';
}

interface RunDocument {
  status?: string;
  error?: { message: string; hint?: string };
  resources?: { id: string; outcome: string; error?: string; hint?: string; waitsFor?: string }[];
}

/** What a run says that it changed. */
export function changesOf({ stdout }: CliResult): string[] {
  const { status, resources = [] } = JSON.parse(stdout) as RunDocument;
  const synced = resources.filter(({ outcome }) => outcome !== 'unchanged').map(({ id }) => id);
  return status === 'unchanged' ? synced : [...synced, `(${status})`];
}

/** Throws if a complete run warns of faults that have passed. */
export function checkQuiet({ stderr }: CliResult): void {
  const warnings = stderr.split('\n').filter((line) => line.startsWith('Warning: ') && !line.includes('is deprecated'));
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
}

/** Throws unless a failed run says what failed, as an error of the user's and not as one of ours. */
export function checkClear({ code, stdout, stderr }: CliResult): void {
  const { status, error, resources = [] } = (stdout === '' ? {} : JSON.parse(stdout)) as RunDocument;
  const failed = resources.filter(({ outcome, waitsFor }) => outcome === 'failed' && waitsFor === undefined);
  const messages = [error?.message, ...failed.map((resource) => resource.error)].flatMap((text) => text ?? []);
  const why = messages.flatMap((message) => unclear(message) ?? []);
  const isSaid = status === 'failed' || failed.length > 0;
  if (
    code === 1 &&
    isSaid &&
    messages.length > 0 &&
    why.length === 0 &&
    !/is in sync|^\s+at .*:\d+:\d+/m.test(stderr)
  ) {
    return;
  }
  throw new Error(`The failure is not clear (${why.join(', ')}, exit code ${code}):\n${stdout}\n${stderr}`);
}

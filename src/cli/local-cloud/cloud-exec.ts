import * as path from 'node:path';
import { spawn } from 'cross-spawn';
import { UserError } from '../../errors.ts';
import { withCloudEnvironment, type LocalCloud } from '../../local/local-cloud.ts';
import { exitCodeOf } from '../delegate.ts';

const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;
/** Ctrl-C, Ctrl-\ */
const SHARED = ['SIGINT', 'SIGQUIT'] as const;

/** Runs a tool with the local cloud as its AWS and returns its exit code. */
export async function execInCloud(
  program: string,
  args: readonly string[],
  { cloud, env }: { cloud: LocalCloud; env: Readonly<Record<string, string | undefined>> },
): Promise<number> {
  const child = spawn(program, withEndpoint(program, args, cloud.endpoint), {
    stdio: 'inherit',
    env: withCloudEnvironment(env, cloud),
  });
  // the terminal sends these to both processes and the tool handles them; other signals are passed on
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SHARED) process.on(signal, ignore);
  for (const signal of PASSED_ON) process.on(signal, passOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', (cause) => reject(notStarted(program, cause)));
      child.on('close', (code, signal) => resolve(signal === null ? (code ?? 1) : exitCodeOf(signal)));
    });
  } finally {
    for (const signal of SHARED) process.off(signal, ignore);
    for (const signal of PASSED_ON) process.off(signal, passOn);
  }
}

/**
 * AWS CLI version 1 reads no AWS_ENDPOINT_URL before 1.29, and never for SQS and some other services, whose old host names it
 * prefers (awscli/customizations/overridesslcommonname.py). Every version reads the option.
 */
function withEndpoint(program: string, args: readonly string[], endpoint: string): string[] {
  const isAwsCli = /^aws(?:\.(?:exe|cmd))?$/i.test(path.basename(program));
  const isGiven = args.some((word) => word === '--endpoint-url' || word.startsWith('--endpoint-url='));
  return isAwsCli && !isGiven ? ['--endpoint-url', endpoint, ...args] : [...args];
}

function ignore(): void {}

function notStarted(program: string, cause: NodeJS.ErrnoException): UserError {
  return new UserError(
    cause.code === 'ENOENT' ? `${program} is not on PATH` : `Could not start ${program}: ${cause.message}`,
    { cause },
  );
}

import type { ChildProcess } from 'node:child_process';
import { runCli } from './run-cli.ts';
import type { CliOptions, CliResult } from './run-cli.ts';

type Run = Pick<CliOptions, 'cwd' | 'env'>;

/**
 * Runs `sam` as the AWS Toolkit for JetBrains IDEs does: it answers once it has read the sentence and then `[Y/n]:`, writes
 * `Y` again and again until the next output, and never closes the input.
 */
export async function runAsJetBrains(args: readonly string[], options: Run): Promise<CliResult & { answers: number }> {
  let isDevelopmentStack = false;
  let typing: NodeJS.Immediate | undefined;
  let answers = 0;
  const onText = (child: ChildProcess, text: string): void => {
    clearImmediate(typing);
    if (text.includes('Confirm that you are synchronizing a development stack.')) isDevelopmentStack = true;
    if (!text.includes('[Y/n]:') || !isDevelopmentStack) return;
    isDevelopmentStack = false;
    answers++;
    const type = (): void => {
      child.stdin?.write('Y\n');
      typing = setImmediate(type);
    };
    type();
  };
  const result = await runCli(args, {
    ...options,
    program: 'sam',
    keepInputOpen: true,
    onStart: (child) => {
      child.stdout?.on('data', (text: string) => onText(child, text));
      child.stderr?.on('data', (text: string) => onText(child, text));
      child.on('exit', () => clearImmediate(typing));
    },
  });
  return { ...result, answers };
}

/**
 * Runs `sam` as the AWS Toolkit for VS Code does: one newline, no terminal, an input that stays open, SIGTERM to end it.
 * `until`: text after which the user ends it.
 */
export async function runAsVsCode(
  args: readonly string[],
  { until, ...options }: Run & { until?: string; onText?: (text: string) => void },
): Promise<CliResult & { lastLine: string }> {
  const result = await runCli(args, {
    ...options,
    program: 'sam',
    input: '\n',
    keepInputOpen: true,
    onStart: (child) => {
      let text = '';
      let ended = false;
      child.stderr?.on('data', (more: string) => {
        text += more;
        options.onText?.(more);
        if (ended || until === undefined || !text.includes(until)) return;
        ended = true;
        child.kill('SIGTERM');
      });
    },
  });
  // what it shows if the exit code is not 0
  const lines = result.stderr.trim().split('\n');
  return { ...result, lastLine: lines.filter((line) => line.trim() !== '').at(-1) ?? '' };
}

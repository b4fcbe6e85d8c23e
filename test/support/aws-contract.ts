import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach } from 'vitest';

/** A request that AWS would refuse, as test/support/aws-contract/extension.py notes it. */
interface Violation {
  /** `service:Operation`. */
  operation: string;
  problems: string[];
  agent?: string;
}

/** Files of the clouds of this test file, and how much of each was read. */
const read = new Map<string, number>();

/** Settings of a local cloud that checks every request against AWS's service models; `folder`: where it notes what is wrong. */
export function contractSettings(folder: string): Record<string, string> {
  const problems = path.join(folder, 'aws-contract.jsonl');
  read.set(problems, 0);
  return {
    SAM_SYNC_CLOUD_EXTENSION: path.join(import.meta.dirname, 'aws-contract', 'extension.py'),
    AWS_CONTRACT_PROBLEMS: problems,
    ...(process.env['AWS_CONTRACT_OPERATIONS'] === undefined
      ? {}
      : { AWS_CONTRACT_OPERATIONS: process.env['AWS_CONTRACT_OPERATIONS'] }),
  };
}

/** The violations since the last call. */
export function takeViolations(): string[] {
  return [...read.keys()].flatMap((file) => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    const fresh = lines.slice(read.get(file));
    read.set(file, lines.length);
    return fresh.map((line) => {
      const { operation, problems, agent } = JSON.parse(line) as Violation;
      return `${operation}: ${problems.join('; ')} (${agent?.slice(0, 60) ?? 'unknown client'})`;
    });
  });
}

/** Fails each test during which something sent a request that AWS would refuse. For vitest's `setupFiles`. */
export function failOnViolations(): void {
  afterEach(() => {
    const violations = takeViolations();
    if (violations.length > 0) throw new Error(`AWS would refuse these requests:\n${violations.join('\n')}`);
  });
}

import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';

const BIN = path.join(import.meta.dirname, '../../bin');

describe('what starts the command', () => {
  it.each(['sam-sync.mjs', 'sam-sync.cjs', 'sam.mjs sync', 'sam.cjs sync'])('%s', (line) => {
    const [file = '', ...words] = line.split(' ');
    const { status, stdout } = spawnSync(process.execPath, [path.join(BIN, file), ...words, '--help'], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toContain('--stack-name');
  });
});

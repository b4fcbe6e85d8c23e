import * as path from 'node:path';
import { expect, test } from 'vitest';
import { lockedVersion } from '../../../../../src/builder/workflows/node/locked-version.ts';
import { tempFolder } from '../../../../support/temp-folder.ts';

const YARN = `# yarn lockfile v1


"@esbuild/linux-x64@0.25.1":
  version "0.25.1"

esbuild@^0.24.0:
  version "0.24.2"
  resolved "https://registry.yarnpkg.com/esbuild/-/esbuild-0.24.2.tgz#x"

esbuild@0.25.x, esbuild@^0.25.0:
  version "0.25.1"
  dependencies:
    version "9.9.9"
`;
const BERRY = `__metadata:
  version: 8

"esbuild@npm:^0.24.0":
  version: 0.24.2
  resolution: "esbuild@npm:0.24.2"

"esbuild@npm:0.25.x, esbuild@npm:^0.25.0":
  version: 0.25.1
  resolution: "esbuild@npm:0.25.1"
`;

test.each<[what: string, file: string, lock: string, place: string, expected: string | undefined]>([
  ['npm', 'package-lock.json', '{"packages":{"node_modules/esbuild":{"version":"0.25.1"}}}', '', '0.25.1'],
  [
    'npm, nested in a workspace',
    'package-lock.json',
    '{"packages":{"node_modules/esbuild":{"version":"0.24.0"},"packages/fn/node_modules/esbuild":{"version":"0.25.1"}}}',
    'packages/fn',
    '0.25.1',
  ],
  [
    'npm, hoisted in a workspace',
    'npm-shrinkwrap.json',
    '{"packages":{"node_modules/esbuild":{"version":"0.25.1"}}}',
    'packages/fn',
    '0.25.1',
  ],
  ['npm, version 1', 'package-lock.json', '{"dependencies":{"esbuild":{"version":"0.25.1"}}}', '', '0.25.1'],
  ['npm, without it', 'package-lock.json', '{"packages":{}}', '', undefined],
  ['npm, damaged', 'package-lock.json', '{"packages":[', '', undefined],
  [
    'pnpm 9',
    'pnpm-lock.yaml',
    "lockfileVersion: '9.0'\nimporters:\n  .:\n    devDependencies:\n      esbuild:\n        specifier: ^0.24.0\n        version: 0.24.0\n  packages/fn:\n    dependencies:\n      esbuild:\n        specifier: ^0.25.0\n        version: 0.25.1(x@1.0.0)\n\npackages:\n  esbuild@9.9.9: [broken",
    'packages/fn',
    '0.25.1',
  ],
  [
    'pnpm 6',
    'pnpm-lock.yaml',
    'lockfileVersion: 5.4\nspecifiers:\n  esbuild: ^0.25.0\ndevDependencies:\n  esbuild: 0.25.1_x@1.0.0\npackages: {}\n',
    '',
    '0.25.1',
  ],
  ['yarn 1', 'yarn.lock', YARN, '', '0.25.1'],
  ['yarn 1, Windows', 'yarn.lock', YARN.replaceAll('\n', '\r\n'), '', '0.25.1'],
  ['yarn 2 and later', 'yarn.lock', BERRY, 'packages/fn', '0.25.1'],
  [
    'bun',
    'bun.lock',
    '{ "lockfileVersion": 1, "packages": { "esbuild": ["esbuild@0.25.1", "", {}, "sha512-x"], }, }',
    '',
    '0.25.1',
  ],
  [
    'bun, nested in a workspace',
    'bun.lock',
    '{ "packages": { "esbuild": ["esbuild@0.24.0"], "fn/esbuild": ["esbuild@0.25.1"] } }',
    'packages/fn',
    '0.25.1',
  ],
  ['bun, binary', 'bun.lockb', '', '', undefined],
])('the version of a dependency in the lock file of %s', async (_what, file, lock, place, expected) => {
  const dir = await tempFolder({ [file]: lock });
  const esbuild = { name: 'esbuild', spec: '^0.25.0', place, dependent: 'fn' };
  expect(await lockedVersion(path.join(dir, file), esbuild, new Map())).toBe(expected);
});

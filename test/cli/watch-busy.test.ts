import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { poll } from '../support/cloud.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { watchedApps } from '../support/watched-app.ts';

const python = (version: number): string => `def handler(event, context):\n    return ${version}\n`;
const node = (version: number): string => `exports.handler = async () => ${version};\n`;

/** A function for each way to build that may take a save for its own work. */
const FUNCTIONS: Record<string, { properties: string; file: string; code(version: number): string; more: object }> = {
  Copied: { properties: 'Runtime: python3.11', file: 'app.py', code: python, more: {} },
  Npm: {
    properties: 'Runtime: nodejs22.x',
    file: 'app.js',
    code: node,
    more: { 'package.json': '{"name": "npm", "version": "1.0.0", "dependencies": {"shared": "file:../shared"}}' },
  },
  Prepack: {
    properties: 'Runtime: nodejs22.x',
    file: 'src/app.js',
    code: node,
    more: { 'package.json': '{"name": "pre", "version": "1.0.0", "scripts": {"prepack": "cp src/app.js app.js"}}' },
  },
  Bundled: {
    properties: 'Runtime: nodejs22.x}\n    Metadata: {BuildMethod: esbuild',
    file: 'app.ts',
    code: (version) => `export const handler = async () => ${version};\n`,
    more: {},
  },
  Made: {
    properties: 'Runtime: python3.11}\n    Metadata: {BuildMethod: makefile',
    file: 'app.py',
    code: python,
    more: { Makefile: 'build-Made:\n\tcp app.py "$(ARTIFACTS_DIR)"\n' },
  },
  // something new in its own source each time
  Stamped: {
    properties: 'Runtime: python3.11}\n    Metadata: {BuildMethod: makefile',
    file: 'app.py',
    code: python,
    more: {
      Makefile:
        'here := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))\n' +
        'build-Stamped:\n\tdate +%s%N > "$(here)/stamp.txt"\n\tcp app.py "$(ARTIFACTS_DIR)"\n',
    },
  },
};
const NAMES = Object.keys(FUNCTIONS);

function appFiles(): Record<string, string> {
  const files: Record<string, string> = { 'shared/package.json': '{"name": "shared", "version": "1.0.0"}' };
  let template = 'Transform: AWS::Serverless-2016-10-31\nResources:\n';
  for (const [name, { properties, file, code, more }] of Object.entries(FUNCTIONS)) {
    template += `  ${name}:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: ${name}, Handler: app.handler, ${properties}}\n`;
    files[`${name}/${file}`] = code(0);
    for (const [other, text] of Object.entries(more)) files[`${name}/${other}`] = String(text);
  }
  files['template.yaml'] = `${template}Outputs:\n${NAMES.map((name) => `  ${name}: {Value: !Ref ${name}}\n`).join('')}`;
  return files;
}

describe('saves while Lambda is busy with the one before', () => {
  const apps = watchedApps({ SAM_SYNC_CLOUD_STATE_DELAY: '2' });

  it.each([
    ['a copy', []],
    ['the source', ['--build-in-source']],
  ])('the last one is what runs, of every workflow that builds in %s', async (_name, args) => {
    const { watch, answer } = await apps.ready(appFiles(), args);
    const last = 8;
    for (let version = 1; version <= last; version++) {
      const from = watch.lines.length;
      for (const id of NAMES) {
        const { file, code } = FUNCTIONS[id]!;
        await watch.write(`${id}/${file}`, code(version));
      }
      // each is a save of its own, not a part of the next one; one that a running build has read is not reported
      await watch.seen(
        ({ event, resources }) => event === 'changed' && (resources as string[]).includes('Copied'),
        from,
      );
    }
    for (const id of NAMES) {
      const isLast = async () => ((await answer(id)) === last ? true : undefined);
      const story = (): string => `${id}\n${watch.lines.map((line) => JSON.stringify(line)).join('\n')}`;
      await poll(isLast).catch(async () => expect(await answer(id), story()).toBe(last));
    }
    // and what a build writes itself starts no endless row of builds
    await watch.seen(({ event, text }) => event === 'note' && String(text).startsWith('Each build of'));
    await watch.quiet(1_500);
    const texts = watch.lines.flatMap(({ event, text }) => (event === 'note' ? [String(text)] : []));
    expect(texts.filter((text) => text.startsWith('Each build of'))).toEqual([
      expect.stringContaining('Each build of Stamped changes its own source: Stamped/stamp.txt.'),
    ]);
    await watch.stop();
  });
});

describe('many builds at once', () => {
  const apps = watchedApps();

  it('builds side by side on a machine with many processors warn of no leak', async () => {
    const names = Array.from({ length: 14 }, (_, n) => `Fn${n}`);
    const resources = names.map(
      (name) =>
        `  ${name}: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: makefile}, Properties: {Runtime: python3.11, CodeUri: ${name}, Handler: app.handler}}\n`,
    );
    // all of them run at once: each waits until the last one has begun
    const makefile = (name: string): string =>
      `build-${name}:\n\ttouch "$(BEGUN)/${name}"\n\tuntil [ $$(ls "$(BEGUN)" | wc -l) -ge ${names.length} ]; do sleep 0.05; done\n\ttouch "$(ARTIFACTS_DIR)/${name}.py"\n`;
    const dir = await tempFolder({
      'cores.cjs': "require('node:os').availableParallelism = () => 16;\n",
      'begun/.keep': '',
    });
    const app = await apps.create({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31\nResources:\n${resources.join('')}`,
      ...Object.fromEntries(names.map((name) => [`${name}/Makefile`, makefile(name)])),
    });
    const NODE_OPTIONS = `--require ${path.join(dir, 'cores.cjs')}`;
    const watch = await app.ready([], { NODE_OPTIONS, BEGUN: path.join(dir, 'begun') });
    expect(watch.stderr()).not.toContain('MaxListenersExceededWarning');
    await watch.stop();
  });
});

import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyApp, edit } from '../support/app.ts';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { haveTools, isOnPath } from '../support/toolchains.ts';

/** A line of code of each function, and what it is changed to. Rust has a test of its own: its client takes minutes. */
const CHANGES = {
  Python: ['python/app.py', 'from Python', 'again from Python'],
  Node: ['node/app.js', 'from Node.js', 'again from Node.js'],
  Go: ['go/main.go', 'from Go', 'again from Go'],
  Java: ['java/src/main/java/hello/App.java', 'from Java', 'again from Java'],
  Ruby: ['ruby/greeting/lib/greeting.rb', 'from Ruby', 'again from Ruby'],
  Make: ['make/handler.py', 'from make', 'again from make'],
} as const;
/** The local cloud starts these as processes of this machine. */
const RUN_HERE = ['Python', 'Node', 'Go', 'Make'] as const;

const missing = [
  ...(isOnPath('go') ? [] : ['go']),
  ...(isOnPath('mvn') ? [] : ['mvn']),
  ...(haveTools(['ruby', 'bundle'], ['ruby', 'ruby-bundler']) ? [] : ['ruby']),
];

describe.skipIf(missing.length > 0)(`examples/runtimes (${missing.join(', ') || 'all tools'})`, () => {
  let cloud: TestCloud;
  let app: string;
  beforeAll(async () => {
    cloud = await startTestCloud();
    app = await copyApp('runtimes', 'examples');
    await edit(app, 'template.yaml', /  Rust:\n(?: {4}.*\n)+/.exec(await readTemplate(app))?.[0] ?? '', '');
    await edit(app, 'template.yaml', '  Rust: { Value: !Ref Rust }\n', '');
  });
  afterAll(() => cloud?.stop());

  const sync = async (): Promise<{ outputs: Record<string, string>; stderr: string }> => {
    const { code, stdout, stderr } = await runCli(['--yes', '--output', 'json', '--debug'], {
      cwd: app,
      env: cloud.env,
    });
    expect(code, stderr).toBe(0);
    return { ...(JSON.parse(stdout) as { outputs: Record<string, string> }), stderr };
  };
  const hashes = async (outputs: Record<string, string>): Promise<Record<string, string | undefined>> => {
    const { lambda } = clients(cloud.endpoint);
    const read = async (name: string) =>
      (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).CodeSha256;
    return Object.fromEntries(
      await Promise.all(Object.entries(outputs).map(async ([id, name]) => [id, await read(name)])),
    );
  };

  it('every function is built and deployed; a change of one rebuilds and updates that one', async () => {
    const { outputs } = await sync();
    for (const id of RUN_HERE) {
      const [, text] = CHANGES[id];
      expect(await invoke(cloud.endpoint, outputs[id]!), id).toMatchObject({ greeting: `Hello ${text}` });
    }
    let before = await hashes(outputs);
    for (const id of ['Go', 'Java', 'Ruby'] as const) {
      const [file, from, to] = CHANGES[id];
      await edit(app, file, from, to);
      const { stderr } = await sync();
      const built = [...stderr.matchAll(/^Built (\w+) /gm)].map(([, name]) => name);
      expect(built).toEqual([id]);
      const after = await hashes(outputs);
      expect(after).toEqual({ ...before, [id]: expect.not.stringMatching(before[id]!.replaceAll('+', '\\+')) });
      before = after;
    }
    expect(await invoke(cloud.endpoint, outputs['Go']!)).toMatchObject({ greeting: 'Hello again from Go' });
  });
});

async function readTemplate(app: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(`${app}/template.yaml`, 'utf8');
}

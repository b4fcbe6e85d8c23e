import { fileURLToPath } from 'node:url';
import { UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { clients, invoke, poll } from '../support/cloud.ts';
import { openTerminal } from '../support/terminal.ts';
import { haveTools } from '../support/toolchains.ts';
import { watchedApps } from '../support/watched-app.ts';

const BIN = fileURLToPath(new URL('../../bin/sam.mjs', import.meta.url));

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: hello, Handler: app.handler}
  Bundle:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: bundle, Handler: app.handler}
Outputs:
  HelloName: {Value: !Ref Hello}
`;
const FILES = {
  'template.yaml': TEMPLATE,
  'hello/app.py': 'def handler(event, context):\n    print("said 1")\n    return 1\n',
  'bundle/app.ts': 'export const handler = async () => 1;\n',
};

const hasTmux = haveTools(['tmux'], ['tmux']);

// tmux could not be found or installed with apt-get: there is no terminal to drive
describe.skipIf(!hasTmux)('watch in a terminal', () => {
  const apps = watchedApps();
  const start = async () => {
    const app = await apps.create(FILES);
    const command = `${process.execPath} ${BIN} sync --watch --yes --stack-name ${app.stackName}`;
    return { app, terminal: await openTerminal(command, { cwd: app.dir, env: app.env }) };
  };

  it('shows states, understands its keys, survives resizing, and q ends it', async () => {
    const { app, terminal } = await start();
    const { stackName, proxy, cloud } = app;
    const first = await terminal.shows(/r sync all {3}d deploy {3}l show logs/, 60_000);
    expect(first).toMatch(/✓ Hello +in sync/);
    expect(first).toMatch(new RegExp(`✓ stack ${stackName} +in sync +deployed`));

    await app.write({ 'hello/app.py': 'def handler(event, context):\n    print("said 2")\n    return 2\n' });
    await terminal.shows(/✓ Hello +in sync +(just now|\d+ s ago), took \d+\.\d s/);

    await app.write({ 'bundle/app.ts': 'export const handler = (;\n' });
    const failed = await terminal.shows(/✗ Bundle +failed +esbuild could not bundle Bundle: app\.ts:1:/);
    // what failed comes first in the list, and the tool's own message is above
    expect(failed.lastIndexOf('✗ Bundle')).toBeLessThan(failed.lastIndexOf('✓ Hello'));
    expect(failed).toContain('[ERROR]');

    for (const [columns, rows] of [
      [60, 20],
      [40, 14],
      [120, 40],
      [80, 24],
    ] as const) {
      await terminal.resize(columns, rows);
      // whole at each width: the reason, and the keys
      const whole = (text: string): RegExp => new RegExp(text.replaceAll(' ', '\\s+'));
      const wanted = [
        whole('app.ts:1:24: Unexpected ";" ✓ Hello in sync'),
        whole('\\? help $'),
        new RegExp(`✓ stack ${stackName}[^\\n]*\\n {2}r sync all`),
      ];
      await terminal.shows((screen) => wanted.every((pattern) => pattern.test(screen)));
    }
    // drawn over what was there, not below it
    const lines = (await terminal.visible()).split('\n');
    expect(lines.filter((line) => line.startsWith('✗ Bundle')).length).toBe(1);
    expect(lines.filter((line) => line.includes('r sync all')).length).toBe(1);

    await app.write({ 'bundle/app.ts': 'export const handler = async () => 2;\n' });
    await terminal.shows(/✓ Bundle +in sync +(just now|\d+ s ago)/);

    await terminal.press('?');
    await terminal.shows(/q {2}stop watching \(same as Ctrl-C\)/);
    const nameLine = new RegExp(`HelloName +(${stackName}-Hello-\\w+)`);
    await terminal.press('o');
    await terminal.shows((screen) => screen.split(nameLine).length === 5);
    // a link to the page of the session, which the terminal has had until now
    await terminal.press('u');
    await terminal.shows(/Page of this session; the link works once:\n {2}http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+\n/);

    // r compares with the cloud: somebody else changed it
    const { lambda } = clients(cloud.endpoint);
    const name = nameLine.exec(await terminal.screen())?.[1] ?? '';
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: FOREIGN_ZIP }));
    const synced = (await terminal.screen()).split('Synced Hello').length;
    await terminal.press('r');
    await terminal.shows((screen) => screen.split('Synced Hello').length > synced);
    expect(await invoke(cloud.endpoint, name)).toBe(2);
    await terminal.press('r');
    await terminal.shows(/Nothing to sync: 2 resources in sync\./);

    const updates = proxy.count('UpdateStack');
    await terminal.press('d');
    await poll(async () => (proxy.count('UpdateStack') > updates ? true : undefined));
    await terminal.shows((screen) => screen.split('Synced the stack').length === 3);
    await terminal.press('d');
    await terminal.shows(/Nothing to deploy: stack \S+ is up to date\./);

    await terminal.press('l');
    await terminal.shows(/Showing log lines/);
    expect(await invoke(cloud.endpoint, name)).toBe(2);
    await terminal.shows(/^Hello .*said 2/m);
    await terminal.press('l');
    await terminal.shows(/Hiding log lines/);

    await terminal.press('q');
    const end = await terminal.shows(/exit code \d+/);
    expect(end).toMatch(/Stopped watching\s+exit code 0/);
  });

  it('Ctrl-C ends it with 0, and leaves the terminal as it was', async () => {
    const { terminal } = await start();
    await terminal.shows(/r sync all/, 60_000);
    await terminal.press('C-c');
    const end = await terminal.shows(/exit code \d+/);
    expect(end).toMatch(/Stopped watching\s+exit code 0/);
    // keys are echoed again
    await terminal.press('h', 'e', 'l', 'l', 'o');
    await terminal.shows(/hello\s*$/);
  });
});

/** A zip that holds one empty file `x`. */
const FOREIGN_ZIP = Buffer.from(
  'UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAABAAAAeFBLAQIUAxQAAAAAAAAAIQAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAACAAQAAAAB4UEsFBgAAAAABAAEALwAAAB8AAAAAAA==',
  'base64',
);

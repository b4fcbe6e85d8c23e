import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { poll } from '../support/cloud.ts';
import { descendants, noneLeft } from '../support/processes.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Runtime: python3.11, CodeUri: made, Handler: app.handler}
  Bundle:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: bundle, Handler: app.handler}
`;
const makefile = (first: string): string => `build-Made:\n\t${first}\n\tcp app.py "$(ARTIFACTS_DIR)"\n`;

describe('the end of a watch', () => {
  const apps = watchedApps();
  const FILES = {
    'template.yaml': TEMPLATE,
    'made/Makefile': makefile('true'),
    'made/app.py': 'def handler(event, context):\n    return 1\n',
    'bundle/app.ts': 'export const handler = async () => 1;\n',
  };

  it('Ctrl-C while nothing goes on: exit 0, nothing goes on in the cloud, no process is left', async () => {
    const { watch } = await apps.ready(FILES);
    await watch.save('bundle/app.ts', 'export const handler = async () => 2;\n', 'Bundle');
    const pids = [watch.pid, ...(await descendants(watch.pid))];
    // esbuild is kept warm
    expect(pids.length).toBeGreaterThan(1);
    expect(await watch.stop()).toEqual({ code: 0 });
    expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped' });
    expect(watch.lines.at(-1)?.['goingOn']).toBeUndefined();
    await noneLeft(pids);
  });

  it('Ctrl-C during a build: it is given up with all its processes', async () => {
    const { watch } = await apps.ready(FILES);
    await watch.after(() => watch.write('made/Makefile', makefile('sleep 300')), isResource('Made', 'building'));
    const pids = await poll(async () => {
      const found = await descendants(watch.pid);
      const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args=']);
      const sleeping = stdout
        .split('\n')
        .some((line) => /^\s*\d+ sleep 300$/.test(line) && found.includes(parseInt(line)));
      return sleeping ? [watch.pid, ...found] : undefined;
    });
    expect(await watch.stop()).toEqual({ code: 0 });
    await noneLeft(pids);
  });

  it('Ctrl-C during the build of a deployment: nothing goes on in the cloud', async () => {
    const app = await apps.create({ ...FILES, 'made/Makefile': makefile('sleep 300') });
    const watch = await app.start();
    await watch.seen(isStack('preparing'));
    await poll(async () => (await descendants(watch.pid)).length > 2 || undefined);
    await watch.stop();
    expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped' });
    expect(watch.lines.at(-1)?.['goingOn']).toBeUndefined();
  });

  it('Ctrl-C during a deployment: says what goes on in the cloud', async () => {
    const { watch, proxy, stackName } = await apps.ready(FILES);
    const held = proxy.hold({ operation: 'DescribeStackEvents' });
    await watch.write('template.yaml', TEMPLATE.replaceAll('Handler: app.handler', 'Handler: app.handler, Timeout: 9'));
    await held.arrived;
    // it does not wait for the answer, which comes when it has ended
    expect(await watch.stop()).toEqual({ code: 0 });
    held.release();
    expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped', goingOn: expect.stringContaining(stackName) });
  });

  it('Ctrl-C during an update of a function: says that it may go on', async () => {
    const { watch, proxy } = await apps.ready(FILES);
    const held = proxy.hold({ operation: 'UpdateFunctionCode' });
    await watch.write('bundle/app.ts', 'export const handler = async () => 3;\n');
    await held.arrived;
    // it does not wait for the answer, which comes when it has ended
    expect(await watch.stop()).toEqual({ code: 0 });
    held.release();
    expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped', goingOn: expect.stringContaining('Bundle') });
  });

  it('Ctrl-C before anything was watched: exit 0 too', async () => {
    const app = await apps.create(FILES);
    const held = app.proxy.hold({ operation: 'CreateStack' });
    const watch = await app.start();
    await held.arrived;
    // it does not wait for the answer, which comes when it has ended
    expect(await watch.stop()).toEqual({ code: 0 });
    held.release();
  });

  it('a second Ctrl-C ends it at once', async () => {
    // a make that does not want to end
    const stubborn = makefile(`sh -c 'trap "" TERM INT; sleep 300 & wait; wait'`);
    const app = await apps.create({ ...FILES, 'made/Makefile': stubborn });
    const watch = await app.start();
    await watch.seen(isStack('preparing'));
    const pids = await poll(async () => {
      const found = await descendants(watch.pid);
      return found.length > 3 ? [watch.pid, ...found] : undefined;
    });
    // two of the same kind could be one to it
    process.kill(watch.pid, 'SIGTERM');
    // the first one alone would have ended it with 0, after it had waited for make
    expect(await watch.stop()).toEqual({ code: 130 });
    await noneLeft(pids);
  });
});

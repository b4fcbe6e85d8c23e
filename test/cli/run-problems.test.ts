import { expect, it } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import { isResource, startReadyWatch } from '../support/watch-cli.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: f
      Runtime: python3.11
      Handler: app.handle
`;
const HANDLER = {
  message: 'app.py does not define handle, which the handler names; did you mean app.handler?',
  file: 'template.yaml',
  line: 8,
  column: 7,
};
const SYNTAX = { message: "SyntaxError: '(' was never closed", file: 'f/app.py', line: 2, column: 12 };

it('a function that cannot run is a warning of each sync, and the state of its row until it is fixed', async ({
  onTestFinished,
}) => {
  const cloud = await startTestCloud();
  onTestFinished(() => cloud.stop());
  const app = await createCodeApp(
    cloud.env,
    { 'template.yaml': TEMPLATE, 'f/app.py': 'def handler(e, c):\n    return 1\n' },
    { stackName: 'broken' },
  );
  onTestFinished(() => app.remove());

  const text = `Warning: F cannot run: template.yaml:8:7: ${HANDLER.message}`;
  const first = await app.plain();
  expect(first.document).toMatchObject({ status: 'deployed', cannotRun: [{ id: 'F', ...HANDLER }] });
  expect(first.notes.filter((note) => note === text)).toHaveLength(1);
  // nothing is built
  const second = await app.code();
  expect(second.document).toMatchObject({ status: 'unchanged', cannotRun: [{ id: 'F', ...HANDLER }] });
  expect(second.notes.filter((note) => note === text)).toHaveLength(1);

  const watch = await startReadyWatch(app.dir, cloud.env, ['--stack-name', 'broken']);
  const states = watch.lines.filter(({ resource, state }) => resource === 'F' && state === 'in-sync');
  expect(states).toMatchObject([{ warnings: [HANDLER] }]);
  const isInSync = isResource('F', 'in-sync');
  const named = await watch.after(
    () => watch.write('template.yaml', (old) => old.replace('app.handle', 'app.handler')),
    isInSync,
  );
  expect(named).not.toHaveProperty('warnings');
  const broken = await watch.save('f/app.py', 'def handler(e, c):\n    return (1\n', 'F');
  expect(broken).toMatchObject({ changed: true, warnings: [{ ...SYNTAX }] });
  const fixed = await watch.save('f/app.py', 'def handler(e, c):\n    return 2\n', 'F');
  expect(fixed).not.toHaveProperty('warnings');
  await watch.stop();
  const said = watch
    .stderr()
    .split('\n')
    .flatMap((line) => /(?:Warning|Fixed) F.*/.exec(line)?.[0] ?? []);
  expect(said).toEqual([
    `Warning F cannot run: template.yaml:8:7: ${HANDLER.message}`,
    'Fixed F: it can run again',
    `Warning F cannot run: f/app.py:2:12: ${SYNTAX.message}`,
    'Fixed F: it can run again',
  ]);
});

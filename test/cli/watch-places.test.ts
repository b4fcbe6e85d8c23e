import { expect, it } from 'vitest';
import { isResource, isStack } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const apps = watchedApps();

const FILES = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Bundled:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [app.ts] } }
    Properties: { CodeUri: ts/, Handler: app.handler, Runtime: nodejs22.x }
  Python:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: py/, Handler: app.handler, Runtime: python3.12 }
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: { DefinitionUri: flow.asl.json }
`,
  'ts/app.ts': 'export const handler = async () => 1;\n',
  'py/app.py': 'def handler(event, context):\n    return 1\n',
  'py/requirements.txt': '',
  'flow.asl.json': '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}\n',
};

it('failures in --watch --output json carry file, line and column beside the reason', async () => {
  const { watch, write } = await apps.ready((name) => ({ ...FILES, 'samconfig.toml': config(name) }));
  const failures: [file: string, broken: string, of: string | undefined, error: object][] = [
    [
      'ts/app.ts',
      'export const handler = async () => 1;\nconst = 2;\n',
      'Bundled',
      { file: 'ts/app.ts', line: 2, column: 7, message: expect.stringContaining('Expected identifier but found "="') },
    ],
    [
      'py/requirements.txt',
      '# packages\nrequests = = 2\n',
      'Python',
      { file: 'py/requirements.txt', line: 2, message: expect.stringContaining('requests = = 2') },
    ],
    [
      'flow.asl.json',
      '{\n  "StartAt": "A",\n  "States": {{\n}\n',
      'Flow',
      {
        file: 'flow.asl.json',
        line: 3,
        column: expect.any(Number),
        message: expect.stringContaining('flow.asl.json:3'),
      },
    ],
    [
      'template.yaml',
      'Transform: AWS::Serverless-2016-10-31\nResources:\n  A: [b, "c\n',
      undefined,
      { file: 'template.yaml', line: expect.any(Number), column: expect.any(Number) },
    ],
    ['samconfig.toml', 'version = 0.1\n[default\n', undefined, { file: 'samconfig.toml', line: 2, message: /TOML/ }],
  ];
  for (const [file, broken, of, error] of failures) {
    const failed = of === undefined ? isStack('failed') : isResource(of, 'failed');
    const line = await watch.after(() => write({ [file]: broken }), failed);
    const { message, ...place } = error as { message?: unknown };
    expect(line.error, file).toMatchObject(place);
    if (message instanceof RegExp) expect(line.error?.message).toMatch(message);
    else if (message !== undefined) expect(line.error?.message).toEqual(message);
    const original = file === 'samconfig.toml' ? config(stackOf(watch.lines)) : FILES[file as keyof typeof FILES];
    const fixed = of === undefined ? isStack('in-sync') : isResource(of, 'in-sync');
    await watch.after(() => write({ [file]: original }), fixed);
  }
});

const config = (stack: string): string => `version = 0.1\n[default.global.parameters]\nstack_name = "${stack}"\n`;

function stackOf(lines: readonly Record<string, unknown>[]): string {
  return String(lines.find(({ event }) => event === 'watching')?.['stackName']);
}

import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { makePipe } from '../support/special-files.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ENV = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  // nothing listens there: what is refused is refused before anything is asked
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
};
const TOPIC = 'Resources: { T: { Type: AWS::SNS::Topic } }\n';
const nested = (file: string): string =>
  `Resources:\n  S: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: ${file} } }\n`;

describe('a file that is a named pipe or a device is refused, and nothing waits for it', () => {
  it.skipIf(process.platform === 'win32').each<[string, string, string, string[]]>([
    ['the template', TOPIC, 'template.yaml', []],
    ['the samconfig', TOPIC, 'samconfig.toml', []],
    ['a samconfig in YAML', TOPIC, 'c.yaml', ['--config-file', 'c.yaml']],
    ['a file of parameters', TOPIC, 'p.yaml', ['--parameter-overrides', 'file://p.yaml']],
    ['a file of variables', TOPIC, 'v.json', ['--use-container', '--container-env-var-file', 'v.json']],
    ['the template of a nested stack', nested('child.yaml'), 'child.yaml', []],
    [
      'an included file',
      "Resources: { T: { Type: AWS::SNS::Topic, Properties: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: i.yaml } } } } }\n",
      'i.yaml',
      [],
    ],
    [
      'a definition',
      'Resources: { M: { Type: AWS::Serverless::StateMachine, Properties: { DefinitionUri: d.json } } }\n',
      'd.json',
      [],
    ],
    [
      'the code',
      'Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: code, Handler: a.b, Runtime: python3.12 } } }\n',
      'code',
      [],
    ],
  ])('%s', async (_name, template, pipe, args) => {
    const cwd = await tempFolder({ 'template.yaml': template });
    await makePipe(path.join(cwd, pipe));
    const result = await runCli(['sync', '--stack-name', 'app', '--yes', ...args], { cwd, env: ENV });
    expect(result.stderr).toMatch(/ is a named pipe/);
    expect(result.stderr).toContain(pipe);
    expect(result.stderr).not.toContain('defect');
    expect(result.code).not.toBe(0);
  });

  it.skipIf(process.platform === 'win32')('a device as the template', async () => {
    const cwd = await tempFolder();
    const result = await runCli(['sync', '--stack-name', 'app', '--yes', '-t', '/dev/zero'], { cwd, env: ENV });
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toContain('/dev/zero is a device, not a file');
  });
});

it('parameter files that include each other twice at each level end', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 30 }, (_, level) => [
      `${level}.json`,
      JSON.stringify({ $include: [`file://${level + 1}.json`, `file://./${level + 1}.json`] }),
    ]),
  );
  const cwd = await tempFolder({ 'template.yaml': TOPIC, ...files, '30.json': '{}' });
  const args = ['sync', '--stack-name', 'app', '--yes', '--parameter-overrides', 'file://0.json'];
  const result = await runCli(args, { cwd, env: ENV });
  expect(result).toMatchObject({ code: 2 });
  expect(result.stderr).toContain('includes more than 1000 parameter files');
});

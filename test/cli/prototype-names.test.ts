import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { invoke, runStateMachine, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { story } from '../support/story.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isStack, startReadyWatch } from '../support/watch-cli.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Metadata: { __proto__: { polluted: yes }, constructor: x }
Parameters:
  toLocaleString: { Type: String, Default: of the template }
  propertyIsEnumerable: { Type: String, NoEcho: true, Default: hidden }
Mappings:
  hasOwnProperty:
    constructor: { valueOf: mapped }
Conditions:
  valueOf: !Equals [!Ref toLocaleString, of the samconfig]
Globals:
  Function:
    Runtime: nodejs22.x
    Handler: app.handler
    Environment: { Variables: { valueOf: global } }
    Tags: { __proto__: a, constructor: b }
Resources:
  constructor:
    Type: AWS::Serverless::Function
    Condition: valueOf
    Metadata: { __proto__: m, toString: n }
    Properties:
      CodeUri: constructor
      Layers: [!Ref toString]
      Environment:
        Variables:
          toString: !FindInMap [hasOwnProperty, constructor, valueOf]
          hasOwnProperty: !If [valueOf, right, wrong]
          constructor: !Sub ['\${__proto__} \${toLocaleString}', { __proto__: value }]
      Tags: { hasOwnProperty: c }
  toString:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: toString, CompatibleRuntimes: [nodejs22.x] }
  hasOwnProperty:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: hasOwnProperty/template.yaml
      Parameters: { constructor: !Ref toLocaleString }
      Tags: [{ Key: __proto__, Value: x }]
  isPrototypeOf:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.json
      DefinitionSubstitutions: { constructor: !GetAtt constructor.Arn, __proto__: filled in }
      Role: arn:aws:iam::123456789012:role/x
Outputs:
  constructor: { Value: !Ref constructor }
  toString: { Value: !GetAtt hasOwnProperty.Outputs.valueOf }
  hasOwnProperty: { Value: !Ref isPrototypeOf }
`;

const CHILD = `Transform: AWS::Serverless-2016-10-31
Parameters: { constructor: { Type: String } }
Resources:
  valueOf:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: valueOf
      Handler: app.handler
      Runtime: nodejs22.x
      Environment: { Variables: { constructor: !Ref constructor } }
Outputs: { valueOf: { Value: !Ref valueOf } }
`;

const SAMCONFIG = `version = 0.1
[constructor.sync.parameters]
stack_name = "toString"
watch_exclude = { constructor = "*.db" }
[constructor.sync.parameters.tags]
__proto__ = "t"
constructor = "u"
[constructor.sync.parameters.parameter_overrides]
toLocaleString = "of the samconfig"
`;

const code = (version: number): Record<string, string> => ({
  'constructor/app.js': `
    const { toString, hasOwnProperty, constructor, valueOf } = { ...process.env };
    const layer = require('layer');
    exports.handler = async () => ({ version: ${version}, layer, toString, hasOwnProperty, constructor, valueOf });`,
  'toString/nodejs/node_modules/layer/index.js': `module.exports = ${version};`,
  'hasOwnProperty/valueOf/app.js': `
    const { constructor } = { ...process.env };
    exports.handler = async () => ({ version: ${version}, constructor });`,
  'machine.json': `{"StartAt": "valueOf", "States": {"valueOf": {
    "Type": "Pass", "Result": {"version": ${version}, "toString": "\${__proto__}"}, "End": true}}}`,
});

describe('an application whose names are those of Object.prototype', () => {
  let cloud: TestCloud;
  let app: string;
  let outputs: Record<string, string>;
  const ARGS = ['--config-env', 'constructor'];

  const sync = async (...args: string[]): Promise<Record<string, unknown>> => {
    const options = { cwd: app, env: cloud.env };
    const result = await runCli(['--yes', '--output', 'json', ...ARGS, ...args], options);
    expect(result.code, result.stderr).toBe(0);
    return JSON.parse(result.stdout) as Record<string, unknown>;
  };
  const outcomes = ({ resources }: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries((resources as { id: string; outcome: string }[]).map(({ id, outcome }) => [id, outcome]));
  const expectVersion = async (version: number): Promise<void> => {
    expect(await invoke(cloud.endpoint, outputs['constructor']!)).toEqual({
      version,
      layer: version,
      toString: 'mapped',
      hasOwnProperty: 'right',
      constructor: 'value of the samconfig',
      valueOf: 'global',
    });
    expect(await invoke(cloud.endpoint, outputs['toString']!)).toEqual({ version, constructor: 'of the samconfig' });
    expect(await runStateMachine(cloud.endpoint, outputs['hasOwnProperty']!)).toEqual({
      version,
      toString: 'filled in',
    });
  };

  beforeAll(async () => {
    cloud = await startTestCloud();
    app = await tempFolder({
      'template.yaml': TEMPLATE,
      'hasOwnProperty/template.yaml': CHILD,
      'samconfig.toml': SAMCONFIG,
      ...code(1),
    });
  });
  afterAll(async () => cloud?.stop());

  const step = story('one application through its life');

  step('is deployed, and then up to date', async () => {
    const first = await sync();
    outputs = first['outputs'] as Record<string, string>;
    expect(first).toMatchObject({ status: 'deployed' });
    await expectVersion(1);
    expect(await sync()).toMatchObject({ status: 'unchanged' });
  });

  step('is synced by --code, as a whole and one by one', async () => {
    await writeFiles(app, code(2));
    const all = ['constructor', 'toString', 'hasOwnProperty/valueOf', 'isPrototypeOf'];
    expect(outcomes(await sync('--code'))).toEqual(Object.fromEntries(all.map((id) => [id, 'synced'])));
    await expectVersion(2);
    await writeFiles(app, code(3));
    for (const id of all) expect(outcomes(await sync('--code', '--resource-id', id))).toMatchObject({ [id]: 'synced' });
    await expectVersion(3);
    expect(Object.values(outcomes(await sync('--code')))).toEqual(all.map(() => 'unchanged'));
  });

  step('is watched', async () => {
    const watch = await startReadyWatch(app, cloud.env, ARGS);
    for (const [file, id] of [
      ['constructor/app.js', 'constructor'],
      ['toString/nodejs/node_modules/layer/index.js', 'toString'],
      ['hasOwnProperty/valueOf/app.js', 'hasOwnProperty/valueOf'],
      ['machine.json', 'isPrototypeOf'],
    ] as const)
      expect(await watch.save(file, code(4)[file]!, id)).toMatchObject({ state: 'in-sync' });
    await expectVersion(4);
    await watch.after(
      () => watch.write('template.yaml', (text) => text.replace('valueOf: mapped', 'valueOf: changed')),
      isStack('in-sync'),
    );
    expect(await invoke(cloud.endpoint, outputs['constructor']!)).toMatchObject({ version: 4, toString: 'changed' });
    expect((await watch.stop()).code).toBe(0);
  });

  step('keeps those names in what it writes', async () => {
    const built = await fs.readFile(path.join(app, '.aws-sam/auto-dependency-layer/template.yaml'), 'utf8');
    expect(built).toContain('  __proto__:\n    polluted: true\n');
    expect(built).toContain('      __proto__: a\n');
  });
});

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { GetStageCommand } from '@aws-sdk/client-api-gateway';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { DescribeStateMachineAliasCommand } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import { callRestApi, clients } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isStack, startReadyWatch } from '../support/watch-cli.ts';
import { openCloud } from '../support/open-cloud.ts';

const HEAD = `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler}}
`;
const LAYERED = `${HEAD}
Resources:
  Lay: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: lay}}
  Fn:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: fn, Layers: [!Ref Lay], Environment: {Variables: {LAYER: !Ref Lay}}}
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Lay}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child/template.yaml, Parameters: {L: !Ref Lay}}}
Outputs:
  Fn: {Value: !Ref Fn}
  Layer: {Value: !Ref Lay, Export: {Name: !Sub '\${AWS::StackName}-lay'}}
  Nested: {Value: !GetAtt Child.Outputs.Text}
`;
const CHILD = `Parameters: {L: {Type: String}}
Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref L}}}
Outputs: {Text: {Value: !Sub 'nested \${L}'}}
`;
const ONLY_LAYERS = `${HEAD}
Resources:
  Lay: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: lay}}
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, Layers: [!Ref Lay], AutoPublishAlias: live}}
Outputs: {Alias: {Value: !Ref Fn.Alias}}
`;
const API = `${HEAD}
Resources:
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, AutoPublishAlias: live}}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      DefinitionBody:
        openapi: 3.0.1
        info: {title: x, version: '1'}
        paths:
          /h:
            get:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub 'arn:aws:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${Fn.Version}/invocations'
Outputs:
  Api: {Value: !Ref Api}
  Version: {Value: !Ref Fn.Version}
`;
const DEFINITIONS = `${HEAD}
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: api.json}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.json
      AutoPublishAlias: live
      Role: !Sub 'arn:aws:iam::\${AWS::AccountId}:role/machine'
Outputs:
  Api: {Value: !Ref Api}
  Deployment: {Value: !Ref Api.Deployment}
  Machine: {Value: !Ref Machine}
  Version: {Value: !Ref MachineVersion}
`;
const mock = { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' } };
const definitions = (version: number): Record<string, string> => ({
  'api.json': JSON.stringify({
    openapi: '3.0.1',
    info: { title: 'x', version: String(version) },
    paths: { [`/v${version}`]: { get: { 'x-amazon-apigateway-integration': mock } } },
  }),
  'machine.json': JSON.stringify({ StartAt: 'P', States: { P: { Type: 'Pass', Result: version, End: true } } }),
});
const handler = (version: number): string =>
  `def handler(event, context):\n    return {"statusCode": 200, "body": "${version}"}\n`;
const layer = (version: number): string => `VERSION = ${version}\n`;

const { cloud, proxy } = await openCloud();

// layers have the same names in all these stacks
beforeEach(async () => {
  proxy.clear();
  await cloud.reset();
});

/** An application of its own, deployed. */
async function deployed(stackName: string, template: string) {
  const files = {
    'fn/app.py': handler(1),
    'lay/python/l.py': layer(1),
    'child/template.yaml': CHILD,
    ...definitions(1),
  };
  const app = await tempFolder({ 'template.yaml': template, ...files });
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const args = ['--stack-name', stackName];
  const sync = async (...more: string[]) => {
    const result = await runCli(['--yes', '--output', 'json', ...args, ...more], { cwd: app, env });
    const document = JSON.parse(result.stdout) as Record<string, unknown>;
    return { ...result, document, outputs: (document['outputs'] ?? {}) as Record<string, string> };
  };
  expect(await sync()).toMatchObject({ code: 0, document: { status: 'deployed' } });
  proxy.clear();
  return { app, env, args, sync };
}

const numberOf = (arn = ''): string => arn.split(':').at(-1) ?? '';

async function layerOfFunction(name = '') {
  const command = new GetFunctionConfigurationCommand({ FunctionName: name });
  const { Environment, Layers } = await clients(cloud.endpoint).lambda.send(command);
  return { variable: numberOf(Environment?.Variables?.['LAYER']), layers: Layers?.map(({ Arn }) => numberOf(Arn)) };
}

describe('values that follow the version of a layer or function', () => {
  it('are what a deployment makes of them after a plain sync that changed a layer alone', async () => {
    const { app, sync } = await deployed('follow-layer', LAYERED);
    await writeFiles(app, { 'lay/python/l.py': layer(2) });
    const dry = await sync('--dry-run');
    expect(dry.document).toMatchObject({ deployment: { action: 'update' } });
    expect(dry.stderr).toContain('values depend on the version of Lay: Fn (Environment.Variables.LAYER), P (Value)');
    const { code, document, outputs, stderr } = await sync();
    expect({ code, status: document['status'] }).toEqual({ code: 0, status: 'deployed' });
    expect(stderr).toContain('Deploying, because values depend on the version of Lay');
    expect([outputs['Layer'], outputs['Nested']].map(numberOf)).toEqual(['2', '2']);
    expect(await layerOfFunction(outputs['Fn'])).toEqual({ variable: '2', layers: ['2'] });
    expect((await sync()).document).toMatchObject({ status: 'unchanged' });
  });

  it('are named by --code, which leaves them, and moved by the next plain sync', async () => {
    const { app, sync } = await deployed('follow-code', LAYERED);
    await writeFiles(app, { 'lay/python/l.py': layer(2) });
    const values = [
      'Fn (Environment.Variables.LAYER)',
      'P (Value)',
      'Child/P (Value)',
      'output Layer',
      'output Nested',
    ];
    for (const status of ['synced', 'unchanged']) {
      const { document, stderr } = await sync('--code');
      expect(document).toMatchObject({ status, behind: [{ id: 'Lay', values }] });
      expect(stderr).toContain(`Still at the previous version of Lay: ${values.join(', ')}`);
    }
    const { document, outputs } = await sync();
    expect(document['status']).toBe('deployed');
    const { variable, layers } = await layerOfFunction(outputs['Fn']);
    expect([numberOf(outputs['Layer']), variable, ...(layers ?? [])]).toEqual(
      Array(3).fill(numberOf(outputs['Layer'])),
    );
    expect((await sync('--code')).document).not.toHaveProperty('behind');
  });

  it('are nothing to deploy for where only functions have the layer', async () => {
    const { app, sync } = await deployed('follow-none', ONLY_LAYERS);
    await writeFiles(app, { 'lay/python/l.py': layer(2), 'fn/app.py': handler(2) });
    const { document } = await sync();
    expect(document).toMatchObject({ status: 'synced' });
    expect(document).not.toHaveProperty('behind');
    expect(proxy.count('UpdateStack')).toBe(0);
  });

  it('stay at what a deployment made of them, also if it came right after a code sync', async () => {
    const { app, sync } = await deployed('follow-back', DEFINITIONS);
    const steps = [
      [2, '--code'],
      [2, ''],
      [1, ''],
    ] as const;
    for (const [version, how] of steps) {
      await writeFiles(app, definitions(version));
      expect((await sync(...(how === '' ? [] : [how]))).code).toBe(0);
    }
    const { document, outputs } = await sync();
    expect(document['status']).toBe('unchanged');
    const { apigateway, sfn } = clients(cloud.endpoint);
    const stage = await apigateway.send(new GetStageCommand({ restApiId: outputs['Api'], stageName: 'dev' }));
    expect(stage.deploymentId).toBe(outputs['Deployment']);
    const alias = await sfn.send(
      new DescribeStateMachineAliasCommand({ stateMachineAliasArn: `${outputs['Machine']}:live` }),
    );
    expect(alias.routingConfiguration).toMatchObject([{ stateMachineVersionArn: outputs['Version'] }]);
  });

  it.each(['with what is remembered', 'from a fresh checkout'])('are in effect in an API: %s', async (how) => {
    const { app, sync } = await deployed(`follow-api-${how.length}`, API);
    if (how.includes('fresh')) await fs.rm(path.join(app, '.aws-sam'), { recursive: true });
    await writeFiles(app, { 'fn/app.py': handler(2) });
    const { code, outputs } = await sync();
    expect([code, numberOf(outputs['Version'])]).toEqual([0, '2']);
    const answer = await callRestApi(cloud.endpoint, { id: outputs['Api'] ?? '', stage: 'dev', path: '/h' });
    expect(answer.body).toBe(2);
  });

  it('are moved by a watch when it is quiet, after the code', async () => {
    const { app, env, args, sync } = await deployed('follow-watch', LAYERED);
    const watch = await startReadyWatch(app, env, args);
    const mark = watch.lines.length;
    const synced = await watch.save('lay/python/l.py', layer(2), 'Lay');
    expect(watch.lines.slice(mark, watch.lines.indexOf(synced)).filter(({ event }) => event === 'stack')).toEqual([]);
    await watch.seen(({ event, text }) => event === 'note' && String(text).includes('previous version of Lay'), mark);
    await watch.seen(isStack('in-sync'), mark);
    expect(proxy.count('UpdateStack')).toBe(1);
    expect((await watch.stop()).code).toBe(0);
    const { document, outputs } = await sync();
    expect([document['status'], numberOf(outputs['Nested'])]).toEqual(['unchanged', numberOf(outputs['Layer'])]);
    expect(numberOf(outputs['Layer'])).not.toBe('1');
  });

  it('are moved by a watch also if another deployment runs at first, and it says so', async () => {
    const { app, env, args } = await deployed('follow-busy', LAYERED);
    const watch = await startReadyWatch(app, env, args);
    const mark = watch.lines.length;
    const busy =
      'Stack:arn:aws:cloudformation:us-east-1:000000000000:stack/follow-busy/1-2 is in UPDATE_IN_PROGRESS state and can not be updated.';
    proxy.fault({ operation: 'UpdateStack' }, { kind: 'error', status: 400, code: 'ValidationError', message: busy });
    await watch.save('lay/python/l.py', layer(2), 'Lay');
    await watch.seen(isStack('in-sync'), mark);
    const notes = watch.lines.slice(mark).flatMap(({ event, text }) => (event === 'note' ? [text] : []));
    expect(notes).toContain('Stack follow-busy is now in UPDATE_IN_PROGRESS: checking the stack again');
    expect(proxy.count('UpdateStack')).toBe(2);
    expect((await watch.stop()).code).toBe(0);
  });

  it('are named by a watch of code alone, which leaves them', async () => {
    const { app, env, args } = await deployed('follow-watch-code', LAYERED);
    const watch = await startReadyWatch(app, env, [...args, '--code']);
    const mark = watch.lines.length;
    await watch.save('lay/python/l.py', layer(2), 'Lay');
    const told = await watch.seen(({ event }) => event === 'note', mark);
    expect(told).toMatchObject({
      text: expect.stringContaining('output Layer'),
      hint: expect.stringContaining('press d'),
    });
    expect((await watch.stop()).code).toBe(0);
    expect(proxy.count('UpdateStack')).toBe(0);
  });
});

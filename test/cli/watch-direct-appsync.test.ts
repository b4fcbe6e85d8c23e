import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { expect, it } from 'vitest';
import { clients, poll } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { serviceReader } from '../support/read-services.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchLine } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const apps = watchedApps();
const RUNTIME = '{Name: APPSYNC_JS, Version: 1.0.0}';
const code = (word: string): string =>
  `export function request() { return {payload: '${word}'}; }\nexport function response(ctx) { return ctx.result; }\n`;
const schema = (field: string): string => `type Query { ${field}: String }\n`;

const TEMPLATE = (word: string): string => `Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::GraphQLApi
    Properties:
      Auth: {Type: API_KEY}
      SchemaUri: schema.graphql
      DataSources: {}
      Functions:
        say: {Runtime: ${RUNTIME}, DataSource: NONE, CodeUri: code/say.js}
      Resolvers:
        Query: {hello: {Runtime: ${RUNTIME}, Pipeline: [say], InlineCode: "${code(word).replaceAll('\n', ' ')}"}}
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {Word: ${word}}}}
Outputs: {Api: {Value: !GetAtt Api.ApiId}, Say: {Value: !GetAtt Apisay.FunctionId}, Plain: {Value: !GetAtt Child.Outputs.Plain}}
`;
const CHILD = `Parameters: {Word: {Type: String}}
Resources:
  Plain: {Type: AWS::AppSync::GraphQLApi, Properties: {Name: plain, AuthenticationType: API_KEY}}
  Schema: {Type: AWS::AppSync::GraphQLSchema, Properties: {ApiId: !GetAtt Plain.ApiId, Definition: "type Query { hello: String }"}}
  Source: {Type: AWS::AppSync::DataSource, Properties: {ApiId: !GetAtt Plain.ApiId, Name: none, Type: NONE}}
  Hello:
    Type: AWS::AppSync::Resolver
    DependsOn: Schema
    Properties:
      ApiId: !GetAtt Plain.ApiId
      TypeName: Query
      FieldName: hello
      DataSourceName: !GetAtt Source.Name
      RequestMappingTemplateS3Location: request.vtl
      ResponseMappingTemplate: !Sub '{"word": "\${Word}"}'
Outputs: {Plain: {Value: !GetAtt Plain.ApiId}}
`;

it('schema, functions and resolvers of AppSync take effect when their files or inline code are saved, before the deployment', async () => {
  const app = await apps.create({
    'template.yaml': TEMPLATE('one'),
    'child.yaml': CHILD,
    'schema.graphql': schema('hello'),
    'code/say.js': code('one'),
    'request.vtl': '{"version": "2018-05-29"}\n',
  });
  const watch = await app.ready();
  const services = serviceReader(app.cloud.endpoint);
  const [api, say, plain] = ['Api', 'Say', 'Plain'].map((name) => app.output(name));
  const has = (path: string, text: string): Promise<unknown> =>
    poll(async () => JSON.stringify(await services.appSync(path)).includes(text) || undefined);
  const isSet =
    (id: string) =>
    (line: WatchLine): boolean =>
      isResource(id, 'in-sync')(line) && line.changed === true;
  const paths = {
    schema: `${api}/schema?format=SDL`,
    say: `${api}/functions/${say}`,
    hello: `${api}/types/Query/resolvers/hello`,
    plain: `${plain}/types/Query/resolvers/hello`,
  };
  await has(paths.schema, 'hello');
  await has(paths.say, "'one'");
  await has(paths.plain, '2018-05-29');

  app.proxy.clear();
  const held = app.proxy.hold({ operation: 'UpdateStack' });
  const from = watch.lines.length;
  await watch.save('code/say.js', code('two'), 'Apisay');
  await has(paths.say, "'two'");
  await watch.after(() => watch.write('schema.graphql', schema('hello(name: String)')), isSet('ApiSchema'));
  await has(paths.schema, 'name: String');
  await watch.after(() => watch.write('request.vtl', '{"version": "2017-02-28"}\n'), isSet('Child/Hello'));
  await has(paths.plain, '2017-02-28');
  await watch.after(() => watch.write('template.yaml', TEMPLATE('three')), isSet('ApiQueryhello'));
  await has(paths.hello, "'three'");
  await has(paths.plain, 'three');
  const sent = app.proxy.count('UpdateResource');
  await held.arrived;
  held.release();
  await watch.seen(isStack('in-sync'), from);
  await watch.quiet();
  for (const [path, text] of [
    [paths.say, "'two'"],
    [paths.schema, 'name: String'],
    [paths.plain, '2017-02-28'],
    [paths.hello, "'three'"],
  ] as const)
    await has(path, text);
  // the stack has the files too, and there was nothing to set again
  expect([app.proxy.count('UpdateResource'), app.proxy.count('UpdateStack')]).toEqual([sent, 1]);
  const { cloudformation } = clients(app.cloud.endpoint);
  const { TemplateBody = '' } = await cloudformation.send(
    new GetTemplateCommand({ StackName: app.stackName, TemplateStage: 'Original' }),
  );
  expect(TemplateBody).toContain("'three'");

  // changed back before its deployment
  const again = app.proxy.hold({ operation: 'UpdateStack' });
  await watch.after(() => watch.write('code/say.js', code('four')), isSet('Apisay'));
  await watch.after(() => watch.write('code/say.js', code('two')), isSet('Apisay'));
  await has(paths.say, "'two'");
  again.release();

  // what AppSync cannot read shows until the deployment decides
  let at = watch.lines.length;
  await watch.write('schema.graphql', 'type Query {');
  const row = await watch.seen(isResource('ApiSchema', 'failed'), at);
  expect(row.error?.message).toContain('AppSync cannot use the schema');
  await watch.seen(isStack('failed'), at);
  expect(JSON.stringify(watch.lines.slice(at))).not.toContain('set back');
  at = watch.lines.length;
  await watch.write('schema.graphql', schema('hello(name: String)'));
  await watch.seen(isStack('in-sync'), at);
  await watch.stop();

  // a dry run shows what would be set
  await app.write({ 'code/say.js': code('five') });
  const {
    stdout,
    stderr,
    code: exit,
  } = await runCli(['--stack-name', app.stackName, '--yes', '--dry-run', '--output', 'json'], {
    cwd: app.dir,
    env: app.env,
  });
  expect(exit, stderr).toBe(0);
  const { direct } = JSON.parse(stdout) as { direct: { resources: object[]; rest: string[] } };
  expect(direct.rest).toEqual([]);
  expect(direct.resources).toMatchObject([
    {
      id: 'Apisay',
      changes: ['CodeS3Location'],
      requests: [
        { operation: 'UpdateResource', parameters: { PatchDocument: expect.stringContaining("'five'") as unknown } },
      ],
    },
  ]);
}, 180_000);

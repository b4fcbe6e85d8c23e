import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { clients, poll } from '../support/cloud.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { isStack } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const FILES = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: none}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: hello, Handler: app.handler, Environment: {Variables: {GREETING: !Ref Greeting}}}
  Other:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: other, Handler: app.handler}
`,
  'hello/app.py': 'def handler(event, context):\n    return 1\n',
  'other/app.py': 'def handler(event, context):\n    return 1\n',
  'moved/hello/app.py': 'def handler(event, context):\n    return "moved"\n',
  'moved/other/app.py': 'def handler(event, context):\n    return "moved"\n',
};

const base = (stackName: string): string => `version = 0.1\n[default.sync.parameters]\nstack_name = "${stackName}"\n`;

describe('what changes in the samconfig of a running watch', () => {
  const apps = watchedApps();

  /** An application that is in sync and watched, with a way to change its samconfig. */
  const open = async () => {
    const app = await apps.ready((stackName) => ({ ...FILES, 'samconfig.toml': base(stackName) }));
    const { watch, stackName } = app;
    const configure = (lines: string) =>
      watch.after(() => watch.write('samconfig.toml', base(stackName) + lines), isStack('in-sync'));
    const told = (from: number): string[] =>
      watch.lines.slice(from).flatMap(({ event, text }) => (event === 'note' ? [String(text)] : []));
    return { ...app, configure, told };
  };

  describe('reaches the next deployment', () => {
    let update: URLSearchParams;
    let put: ProxiedCall;

    beforeAll(async () => {
      const { watch, proxy, cloud, configure } = await open();
      await clients(cloud.endpoint).s3.send(new CreateBucketCommand({ Bucket: 'later-bucket' }));
      await configure(`s3_bucket = "later-bucket"
s3_prefix = "later/prefix"
kms_key_id = "later-key"
metadata = "later=meta"
role_arn = "arn:aws:iam::000000000000:role/later"
tags = "later=tag"
notification_arns = "arn:aws:sns:us-east-1:000000000000:later"
capabilities = "CAPABILITY_IAM"
parameter_overrides = "Greeting=later"
express = false
dependency_layer = false
`);
      // something to send
      await watch.after(async () => {
        await watch.write('hello/app.py', 'def handler(event, context):\n    return 2\n');
        await watch.write('template.yaml', (text) =>
          text.replace('Handler: app.handler, E', 'Timeout: 9, Handler: app.handler, E'),
        );
      }, isStack('in-sync'));
      const updates = proxy.calls.filter(({ operation }) => operation === 'UpdateStack');
      update = new URLSearchParams(updates.at(-1)?.body.toString());
      put = proxy.calls.filter(({ operation }) => operation === 'PutObject').at(-1)!;
    });

    it.each([
      ['tags', 'Tags.member.1.Key', 'later'],
      ['notification_arns', 'NotificationARNs.member.1', 'arn:aws:sns:us-east-1:000000000000:later'],
      ['capabilities', 'Capabilities.member.1', 'CAPABILITY_IAM'],
      ['parameter_overrides', 'Parameters.member.1.ParameterValue', 'later'],
      ['role_arn', 'RoleARN', 'arn:aws:iam::000000000000:role/later'],
      ['express', 'DeploymentConfig.Mode', null],
    ])('%s', (_name, field, value) => {
      expect(update.get(field)).toBe(value);
    });

    it('s3_bucket, s3_prefix, kms_key_id, metadata', () => {
      expect(put.path).toMatch(/^\/later-bucket\/later\/prefix\//);
      expect(put.headers).toMatchObject({
        'x-amz-server-side-encryption-aws-kms-key-id': 'later-key',
        'x-amz-meta-later': 'meta',
      });
    });
  });

  it('base_dir: what is built, and what is watched', async () => {
    const { watch, configure } = await open();
    await configure('base_dir = "moved"\n');
    await watch.save('moved/other/app.py', 'def handler(event, context):\n    return "again"\n', 'Other');
  });

  it('resource_id and watch_exclude: what is watched', async () => {
    const { watch, configure } = await open();
    await configure('resource_id = "Hello"\nwatch_exclude = ["Hello=*.md"]\n');
    const from = watch.lines.length;
    await watch.write('other/app.py', 'def handler(event, context):\n    return 3\n');
    await watch.write('hello/notes.md', '1');
    await watch.save('hello/app.py', 'def handler(event, context):\n    return 3\n', 'Hello');
    await watch.quiet();
    expect(watch.lines.slice(from).filter(({ event }) => event === 'changed')).toMatchObject([
      { files: ['hello/app.py'], resources: ['Hello'] },
    ]);
  });

  it('template_file: another template', async () => {
    const { watch, configure } = await open();
    await watch.write('later.yaml', FILES['template.yaml'].replace('Other:', 'Third:'));
    await configure('template_file = "later.yaml"\n');
    await watch.save('other/app.py', 'def handler(event, context):\n    return 4\n', 'Third');
  });

  it('tail: log lines are shown, and no more', async () => {
    const { watch, configure } = await open();
    const says = (text: string) => poll(async () => (watch.stderr().includes(text) ? true : undefined));
    await configure('tail = true\n');
    await says('Showing log lines');
    await configure('');
    await says('Hiding log lines');
  });

  it('watch and debug are reported to take effect at the next start', async () => {
    const { watch, configure, told } = await open();
    const from = watch.lines.length;
    await configure('debug = true\n');
    expect(told(from)).toEqual(['The configuration changed debug: restart the watch to apply it']);
  });

  it('what is wrong with it is reported, as at the start; without another option it is no reason to look at the stack', async () => {
    const { watch, stackName, told } = await open();
    const from = watch.lines.length;
    const text = `${base(stackName)}stak_name = "opts"\n`;
    await watch.after(
      () => watch.write('samconfig.toml', text),
      ({ event }) => event === 'note',
    );
    expect(told(from)).toEqual([expect.stringContaining('stak_name')]);
    expect(watch.lines.slice(from).map(({ event }) => event)).toEqual(['note']);
  });

  it('what a running watch cannot take over is refused, each time', async () => {
    const { watch, stackName, configure } = await open();
    for (const line of [
      'stack_name = "other"',
      'region = "eu-west-1"',
      'profile = "other"',
      'code = true',
      'local = true',
    ]) {
      const [key = ''] = line.split(' ', 1);
      const text = key === 'stack_name' ? base('other') : `${base(stackName)}${line}\n`;
      const refused = await watch.after(() => watch.write('samconfig.toml', text), isStack('failed'));
      expect(refused.error?.message).toBe(`The configuration changed ${key}, which a running watch cannot follow`);
      await configure('');
    }
  });
});

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listEntries } from '../../src/package/zip/tree-entries.ts';
import { buildApp } from '../support/build-app.ts';
import { tempFolder } from '../support/temp-folder.ts';

const OPT = '/opt/nodejs/node_modules';

const APPS: Record<string, { properties: string; metadata?: string; files: Record<string, string> }> = {
  'Node.js without a package': { properties: 'Runtime: nodejs22.x', files: { 'code/app.js': '' } },
  'a Node.js package': {
    properties: 'Runtime: nodejs22.x',
    files: { 'code/app.js': '', 'code/package.json': '{"name": "a", "version": "1.0.0"}' },
  },
  Python: { properties: 'Runtime: python3.13', files: { 'code/app.py': '' } },
  Ruby: { properties: 'Runtime: ruby3.4', files: { 'code/app.rb': '' } },
  make: {
    properties: 'Runtime: provided.al2023',
    metadata: 'Metadata: { BuildMethod: makefile },',
    files: {
      'code/Makefile': 'build-F:\n\tcp -a shared "$(ARTIFACTS_DIR)"; ln -s ../gone "$(ARTIFACTS_DIR)/shared-dead"\n',
    },
  },
};

describe('a link to a place that only Lambda has', () => {
  it.each(Object.entries(APPS))('stays a link in what is sent: %s', async (_what, { properties, metadata, files }) => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', ${metadata ?? ''} Properties: { CodeUri: code, Handler: app.handler, ${properties} } }
`,
      ...files,
    });
    const link = path.join(dir, 'code/shared');
    await fs.symlink(OPT, link);
    await fs.symlink('../gone', path.join(dir, 'code/shared-dead'));
    const sent = async (): Promise<(string | undefined)[]> => {
      const app = await buildApp(dir);
      expect(app.failures).toEqual([]);
      const entries = await listEntries(app.result.folders.get('F')!.path);
      expect(entries.map((entry) => entry.path)).not.toContain('shared-dead');
      return entries.filter((entry) => entry.path === 'shared').map((entry) => entry.linkTarget);
    };
    expect(await sent()).toEqual([OPT]);
    await fs.rm(link);
    await fs.symlink('/var/task/other', link);
    expect(await sent()).toEqual(['/var/task/other']);
  });

  it('stays a link where a package has its modules', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: code, Handler: app.handler, Runtime: nodejs22.x } }
`,
      'code/app.js': '',
      'code/package.json': '{"name": "a", "version": "1.0.0"}',
    });
    const link = path.join(dir, 'code/node_modules');
    const sent = async (): Promise<string | undefined> => {
      const entries = await listEntries((await buildApp(dir)).result.folders.get('F')!.path);
      return entries.find((entry) => entry.path === 'node_modules')?.linkTarget;
    };
    for (const target of [OPT, '/opt/other']) {
      await fs.rm(link, { force: true });
      await fs.symlink(target, link);
      expect(await sent()).toBe(target);
    }
  });

  it('that a file replaces is built again: npm packs no links', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: code, Handler: app.handler, Runtime: nodejs22.x } }
`,
      'code/package.json': '{}',
      'common/one.js': '',
    });
    const packed = async (): Promise<string[]> => Object.keys(await (await buildApp(dir)).files('F')).sort();
    for (const [link, target] of [
      ['code/one.js', '../common/one.js'],
      ['code/common', '../common'],
    ] as const)
      await fs.symlink(target, path.join(dir, link));
    expect(await packed()).toEqual(['package.json']);
    await fs.rm(path.join(dir, 'code/one.js'));
    await fs.copyFile(path.join(dir, 'common/one.js'), path.join(dir, 'code/one.js'));
    expect(await packed()).toEqual(['one.js', 'package.json']);
    await fs.rm(path.join(dir, 'code/common'));
    await fs.cp(path.join(dir, 'common'), path.join(dir, 'code/common'), { recursive: true });
    expect(await packed()).toEqual(['common/one.js', 'one.js', 'package.json']);
  });

  it('that leads nowhere at all is left out, with a warning', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: code, Handler: app.handler, Runtime: python3.13 } }
`,
      'code/app.py': '',
    });
    await fs.symlink('../gone', path.join(dir, 'code/dead'));
    const { result } = await buildApp(dir);
    expect(result.notes).toEqual([
      {
        level: 'warning',
        ids: ['F'],
        text: `the link dead in ${path.join(dir, 'code')} leads nowhere and was left out`,
      },
    ]);
  });
});

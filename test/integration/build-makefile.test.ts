import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

function template(metadata: string, code = 'src'): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { ${metadata} }
    Properties: { CodeUri: ${code}, Handler: bootstrap, Runtime: provided.al2023 }
`;
}

/** Recipes keep their tab. */
const makefile = (target: string, ...recipe: string[]): string =>
  `build-${target}:\n${recipe.map((line) => `\t${line}\n`).join('')}`;

describe('makefile', () => {
  it('runs the function’s target in a copy of the source, once for each content', async () => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'src/Makefile': makefile(
        'F',
        'echo built > made-here',
        'cp bootstrap made-here "$(ARTIFACTS_DIR)"',
        'test -f .git/HEAD && exit 1 || true',
      ),
      'src/bootstrap': '#!/bin/sh\n',
      'src/.git/HEAD': '',
    });
    await fs.chmod(path.join(dir, 'src/bootstrap'), 0o755);
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(app.failures).toEqual([]);
    expect(await app.files('F')).toEqual({ bootstrap: '#!/bin/sh\n', 'made-here': 'built\n' });
    expect((await fs.stat(path.join(app.result.folders.get('F')!.path, 'bootstrap'))).mode & 0o111).not.toBe(0);
    expect(await fs.readdir(path.join(dir, 'src'))).not.toContain('made-here');
    expect(await buildApp(dir)).toMatchObject({ commands: [], outcomes: { F: 'unchanged' } });
    await writeFiles(dir, { 'src/bootstrap': '#!/bin/sh\necho 2\n' });
    expect((await (await buildApp(dir)).files('F'))['bootstrap']).toContain('echo 2');
  });

  it('knows ContextPath, WorkingDirectory and ProjectRootDirectory', async () => {
    const dir = await tempFolder({
      'template.yaml': template(
        'BuildMethod: makefile, ContextPath: make, WorkingDirectory: project/sub, ProjectRootDirectory: project',
        'project/fn',
      ),
      'make/Makefile': makefile(
        'F',
        'pwd > "$(ARTIFACTS_DIR)/cwd"',
        'cp in-sub ../in-root ../fn/in-fn "$(ARTIFACTS_DIR)"',
      ),
      'project/sub/in-sub': '1',
      'project/in-root': '2',
      'project/fn/in-fn': '3',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const { cwd, ...files } = await app.files('F');
    expect(files).toEqual({ 'in-sub': '1', 'in-root': '2', 'in-fn': '3' });
    // in the copy
    expect(cwd).toMatch(/sam-sync-make-.*\/sub\n$/);
    await writeFiles(dir, { 'make/Makefile': makefile('F', 'echo changed > "$(ARTIFACTS_DIR)/x"') });
    expect(await (await buildApp(dir)).files('F')).toEqual({ x: 'changed\n' });
  });

  it('--build-in-source runs there, each time', async () => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'src/Makefile': makefile('F', 'echo x >> log', 'cp log "$(ARTIFACTS_DIR)"'),
    });
    expect(await (await buildApp(dir, { buildInSource: true })).files('F')).toEqual({ log: 'x\n' });
    expect(await (await buildApp(dir, { buildInSource: true })).files('F')).toEqual({ log: 'x\nx\n' });
  });

  it('builds layers as they are', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: makefile }
    Properties: { ContentUri: l }
`,
      'l/Makefile': makefile('L', 'mkdir -p "$(ARTIFACTS_DIR)/bin"', 'echo tool > "$(ARTIFACTS_DIR)/bin/tool"'),
    });
    expect(await (await buildApp(dir)).files('L')).toEqual({ 'bin/tool': 'tool\n' });
  });

  it('says what make said, that there is no Makefile, and that make is missing', async () => {
    const dir = await tempFolder({
      'template.yaml': template(''),
      'src/Makefile': makefile('F', 'echo about to fail', 'exit 7'),
    });
    const failed = await buildApp(dir);
    expect(failed.failures).toEqual([
      expect.objectContaining({
        ids: ['F'],
        message: expect.stringMatching(/make build-F failed/),
        output: expect.stringMatching(/about to fail[\s\S]*7/),
      }),
    ]);
    const env = toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) });
    expect((await buildApp(dir, { env })).failures).toEqual([
      expect.objectContaining({
        message: 'make is needed to build F, and it is not on PATH',
        hint: expect.stringContaining('Install GNU make'),
      }),
    ]);
    await fs.rm(path.join(dir, 'src/Makefile'));
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/^there is no Makefile at/) }),
    ]);
  });
});

it('what cannot be built is said with its id; the rest is built', async () => {
  const dir = await tempFolder({
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: src, Handler: app.h, Runtime: cobol85 } }
  G: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: src, Handler: app.h, Runtime: python3.13 } }
`,
    'src/app.py': '',
  });
  const app = await buildApp(dir);
  expect(app.failures).toEqual([
    expect.objectContaining({
      ids: ['F'],
      message: 'the runtime cobol85 cannot be built',
      hint: expect.stringContaining('makefile'),
    }),
  ]);
  expect(app.outcomes).toEqual({ F: 'failed', G: 'done' });
});

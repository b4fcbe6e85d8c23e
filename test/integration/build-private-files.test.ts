import { expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { tempFolder } from '../support/temp-folder.ts';

const KEY = '-----BEGIN PRIVATE KEY-----\n';

const FILES = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Handler: app.handler } }
Resources:
  Package: { Type: AWS::Serverless::Function, Properties: { CodeUri: package, Runtime: nodejs22.x } }
  Listed: { Type: AWS::Serverless::Function, Properties: { CodeUri: listed, Runtime: nodejs22.x } }
  Ignored: { Type: AWS::Serverless::Function, Properties: { CodeUri: ignored, Runtime: nodejs22.x } }
  Folder: { Type: AWS::Serverless::Function, Properties: { CodeUri: folder, Runtime: nodejs22.x } }
  Python: { Type: AWS::Serverless::Function, Properties: { CodeUri: python, Runtime: python3.12 } }
`,
  'package/package.json': '{}',
  'package/.env': 'A=1',
  'package/.env.example': 'A=',
  'package/.npmrc': '_authToken=x',
  'package/.git/config': '',
  'package/deep/id_rsa': KEY,
  'package/server.pem': KEY,
  'package/ca.pem': '-----BEGIN CERTIFICATE-----\n',
  'listed/package.json': '{ "files": ["app.js", ".env"] }',
  'listed/.env': 'A=1',
  'ignored/package.json': '{}',
  'ignored/.npmignore': '.env*\n',
  'ignored/.env': 'A=1',
  'folder/.env.production': 'A=1',
  'folder/.npmrc': '_authToken=x',
  'folder/.git/config': '',
  'python/.env': 'A=1',
  'python/.git/config': '',
  'python/pyproject.toml': '[tool.uv.sources]\nx = { git = "https://github.com/a/x.git" }\n',
  'python/uv.lock': 'source = { git = "https://user:pass@127.0.0.1:9/x.git#0" }\n',
  'python/yarn.lock': 'resolved "git+ssh://git@github.com/a/b.git#0"\n"a@https://127.0.0.1:9/@b/c.tgz"\n',
  'python/requirements-dev.txt': '--index-url https://user:pass@127.0.0.1:9/simple\n',
};

it('files with secrets are packed where SAM CLI packs them, and a warning says so once; .git never is', async () => {
  const dir = await tempFolder(FILES);
  const first = await buildApp(dir);
  expect(first.failures).toEqual([]);
  const names = async (id: string): Promise<string[]> => Object.keys(await first.files(id)).sort();
  expect(await names('Package')).toEqual([
    '.env',
    '.env.example',
    'ca.pem',
    'deep/id_rsa',
    'package.json',
    'server.pem',
  ]);
  expect(await names('Ignored')).toEqual(['package.json']);
  expect(await names('Folder')).toEqual(['.env.production', '.npmrc']);
  expect(await names('Python')).toEqual(['pyproject.toml', 'requirements-dev.txt', 'uv.lock', 'yarn.lock']);
  const warnings = ({ result }: typeof first): string[] =>
    result.notes
      .filter(({ text }) => text.startsWith('packs'))
      .map(({ ids, text }) => `${ids.join()}: ${text}`)
      .sort();
  const keepOut = 'which may hold secrets; to leave it out, keep it outside of CodeUri';
  expect(warnings(first)).toEqual([
    `Folder: packs .env.production, .npmrc, ${keepOut}`,
    'Package: packs .env, deep/id_rsa, server.pem, which may hold secrets; to leave it out, list it in .npmignore, or list in files of package.json what belongs to the function',
    `Python: packs requirements-dev.txt, uv.lock, ${keepOut}`,
  ]);
  expect(warnings(await buildApp(dir))).toEqual([]);
});

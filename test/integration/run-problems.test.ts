import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { formatProblem } from '../../src/errors.ts';
import { buildApp } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

/** An application of one function; its `Handler` is in line 6. */
function template(runtime: string, handler: string, more = ''): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: f, Runtime: ${runtime},
      Handler: ${handler}${more}}
`;
}

async function problemsOf(dir: string): Promise<string[]> {
  const { result } = await buildApp(dir);
  return ((await result.runProblems).get('F') ?? []).map(formatProblem);
}

const AT_HANDLER = 'template.yaml:6:7: ';
const LAYERS = `, Layers: ['arn:aws:lambda:us-east-1:1:layer:other:1']`;

it.each<[what: string, template: string, files: Record<string, string>, problems: string[]]>([
  [
    'a file with another name',
    template('nodejs22.x', 'indx.handler'),
    { 'index.js': 'exports.handler = async () => 1;' },
    [
      `${AT_HANDLER}the handler indx.handler cannot be found: the artifact has no file indx.js; did you mean index.handler?`,
    ],
  ],
  [
    'a file in another folder',
    template('python3.11', 'src.app.h'),
    { 'app.py': 'def h(e, c): return 1' },
    [`${AT_HANDLER}the handler src.app.h cannot be found: the artifact has no file src/app.py; did you mean app.h?`],
  ],
  [
    'a file in the place of a folder',
    template('python3.11', 'app/main.h'),
    { app: '' },
    [`${AT_HANDLER}the handler app/main.h cannot be found: the artifact has no file app/main.py`],
  ],
  [
    'a file that the build leaves out',
    template('nodejs22.x', 'dist/app.handler'),
    {
      'package.json': '{"name":"n","version":"1.0.0"}',
      '.gitignore': 'dist/',
      'dist/app.js': 'exports.handler = async () => 1;',
    },
    [
      `${AT_HANDLER}the handler dist/app.handler cannot be found: the build leaves out dist/app.js (see .gitignore, .npmignore and "files" in package.json)`,
    ],
  ],
  [
    'letters that only this disk takes for the same',
    template('python3.11', 'App.h'),
    { 'app.py': 'def h(e, c): return 1' },
    [`${AT_HANDLER}the handler App.h cannot be found: the artifact has no file App.py; did you mean app.h?`],
  ],
  [
    'no function',
    template('python3.11', 'app'),
    { 'app.py': '' },
    [`${AT_HANDLER}Lambda cannot call the handler app: it needs the form module.function`],
  ],
  [
    'another function (Python)',
    template('python3.11', 'app.handle'),
    { 'app.py': 'if True:\n    def handler(e, c): return 1\n' },
    [`${AT_HANDLER}app.py does not define handle, which the handler names; did you mean app.handler?`],
  ],
  ['made while it runs', template('python3.11', 'app.h'), { 'app.py': 'globals()["h"] = print' }, []],
  ['imported', template('python3.11', 'app.h'), { 'app.py': 'from b import *', 'b.py': 'def h(e, c): pass' }, []],
  [
    'another function (CommonJS)',
    template('nodejs22.x', 'app.handlr'),
    { 'app.js': 'Object.defineProperty(exports, "__esModule", { value: true });\nexports.handler = async () => 1;' },
    [`${AT_HANDLER}app.js does not define handlr, which the handler names; did you mean app.handler?`],
  ],
  [
    'another function (ES module)',
    template('nodejs22.x', 'app.main'),
    { 'app.mjs': 'export const handler = async () => 1;' },
    [`${AT_HANDLER}app.mjs does not define main, which the handler names`],
  ],
  [
    'exported by another file',
    template('nodejs22.x', 'app.main'),
    { 'app.js': 'module.exports = require("./b");' },
    [],
  ],
  [
    'Python that does not parse, in an imported file',
    template('python3.11', 'app.h'),
    { 'app.py': 'from lib.deep import x\ndef h(e, c): return x', 'lib/deep.py': 'x = 1\ny = (2\n' },
    ["f/lib/deep.py:2:5: SyntaxError: '(' was never closed"],
  ],
  [
    'Python outside of what the handler loads',
    template('python3.11', 'app.h'),
    { 'app.py': 'def h(e, c): return 1', 'templates/x.py': '{{ name }} = (' },
    [],
  ],
  [
    'a missing colon, for a newer Python than this machine has',
    template('python3.15', 'app.h'),
    { 'app.py': 'def h(e, c)\n  return 1' },
    ["f/app.py:1:12: SyntaxError: expected ':'"],
  ],
  [
    'wrong indentation, for a newer Python than this machine has',
    template('python3.15', 'app.h'),
    { 'app.py': 'def h(e, c):\nreturn 1' },
    ['f/app.py:2:1: IndentationError: expected an indented block after function definition on line 1'],
  ],
  [
    'syntax that only a newer Python than this machine has may know',
    template('python3.15', 'app.h'),
    { 'app.py': 'type X = int\ndef h(e, c): return 1' },
    [],
  ],
  [
    'JavaScript that does not parse, in an imported file',
    template('nodejs22.x', 'app.handler'),
    { 'app.js': "exports.handler = require('./lib').h;", 'lib.js': 'exports.h = () => {\n  return 1 +;\n};' },
    ['f/lib.js:2:13: SyntaxError: Unexpected ";"'],
  ],
  [
    'what esbuild cannot bundle and Node.js runs',
    template('nodejs22.x', 'app.handler'),
    {
      'app.mjs':
        "import x from '/opt/nodejs/x.mjs';\nconst y = await import('not-here');\nexport const handler = () => x + y;",
    },
    [],
  ],
  [
    'no bootstrap',
    template('provided.al2023', 'x', '}\n    Metadata: {BuildMethod: makefile'),
    { Makefile: 'build-F:\n\ttouch "$(ARTIFACTS_DIR)/boot"\n' },
    [`${AT_HANDLER}the artifact has no file bootstrap`],
  ],
  [
    'no class',
    template('java17', 'a.B::c', '}\n    Metadata: {BuildMethod: makefile'),
    { Makefile: 'build-F:\n\ttouch "$(ARTIFACTS_DIR)/B.class"\n' },
    [`${AT_HANDLER}the handler a.B::c cannot be found: the artifact has no file a/B.class`],
  ],
  ['a handler that a layer may hold', template('python3.11', 'wrapper.handler', LAYERS), { 'app.py': '' }, []],
  [
    'layers, but a file of nearly that name',
    template('python3.11', 'ap.h', LAYERS),
    { 'app.py': 'def h(e, c): pass' },
    [`${AT_HANDLER}the handler ap.h cannot be found: the artifact has no file ap.py; did you mean app.h?`],
  ],
  ['a handler in a layer', template('nodejs22.x', '/opt/nodejs/x.handler'), { 'app.js': '' }, []],
  [
    'a wrapper',
    template('nodejs22.x', 'run.sh', ', Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}}'),
    { 'run.sh': 'node app.js' },
    [],
  ],
  [
    'a runtime that does not exist',
    template('nodejs23.x', 'app.handler'),
    { 'app.js': 'exports.handler = 1;' },
    ['template.yaml:5:30: sam-sync does not know the Lambda runtime nodejs23.x; did you mean nodejs22.x?'],
  ],
])('a function that cannot run: %s', async (_what, text, files, problems) => {
  const dir = await tempFolder();
  await writeFiles(dir, { 'template.yaml': text });
  await writeFiles(path.join(dir, 'f'), files);
  expect(await problemsOf(dir)).toEqual(problems);
  // from the cache
  expect(await problemsOf(dir)).toEqual(problems);
});

it('what was found is kept with the artifact: unchanged code is not parsed again', async () => {
  const dir = await tempFolder({ 'template.yaml': template('python3.11', 'app.h'), 'f/app.py': 'def h(e, c): (' });
  expect(await problemsOf(dir)).toEqual(["f/app.py:1:14: SyntaxError: '(' was never closed"]);
  // without any Python
  const { result } = await buildApp(dir, { env: { PATH: '/nowhere' } });
  expect([...(await result.runProblems).keys()]).toEqual(['F']);
  await fs.writeFile(path.join(dir, 'f/app.py'), 'def h(e, c): return 1');
  expect(await problemsOf(dir)).toEqual([]);
});

it.runIf(process.platform !== 'win32')('a command named python that runs none is passed over', async () => {
  const dir = await tempFolder({
    'template.yaml': template('python3.11', 'app.h'),
    'f/app.py': 'def h(e, c) return 1',
  });
  await writeFiles(dir, {
    'first/python3.11': '#!/bin/sh\necho "python3.11: version not installed" >&2\nexit 127\n',
    'second/python3.11': '#!/nowhere/python\n',
    'third/python3.11': '#!/bin/sh\necho "[1]"\n',
  });
  const folders = ['first', 'second', 'third'].map((name) => path.join(dir, name));
  for (const folder of folders) await fs.chmod(path.join(folder, 'python3.11'), 0o755);
  const { result } = await buildApp(dir, { env: { PATH: [...folders, process.env['PATH']].join(':') } });
  expect((await result.runProblems).get('F')?.map(formatProblem)).toEqual(["f/app.py:1:13: SyntaxError: expected ':'"]);
});

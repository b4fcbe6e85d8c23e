import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBuilder } from '../../src/builder/build.ts';
import { planBuild } from '../../src/builder/plan-build.ts';
import { buildApp, toolEnv } from '../support/build-app.ts';
import { silent } from '../support/cloud.ts';
import { fakeFunction, fakeStack } from '../support/stack-builder.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Case {
  /** Properties of the function, in one line. */
  properties: string;
  buildMethod?: string;
  /** On PATH are these alone, and they do nothing. */
  programs?: readonly string[];
  files?: Readonly<Record<string, string>>;
  says: RegExp;
}

/** Programs that do nothing and succeed. */
const IDLE = '#!/bin/sh\nexit 0\n';

const CASES: Readonly<Record<string, Case>> = {
  'no .NET project': { properties: 'Runtime: dotnet8', says: /^there is no \.NET project in / },
  'no crate': {
    properties: 'Runtime: provided.al2023',
    buildMethod: 'rust-cargolambda',
    says: /^there is no Cargo\.toml in /,
  },
  'no Go files': {
    properties: 'Runtime: provided.al2023',
    buildMethod: 'go1.x',
    files: { 'go.mod': 'module m\n', 'main_test.go': 'package main\n' },
    says: /^there are no Go files in /,
  },
  'no go.mod': {
    properties: 'Runtime: provided.al2023',
    buildMethod: 'go1.x',
    files: { 'main.go': 'package main\n' },
    says: /^there is no go\.mod in /,
  },
  'no main package': {
    properties: 'Runtime: provided.al2023',
    buildMethod: 'go1.x',
    files: { 'go.mod': 'module m\n', 'main.go': 'package other\n' },
    programs: ['go'],
    says: /^go build created no program$/,
  },
  'no classes': {
    properties: 'Runtime: java21',
    files: { 'pom.xml': '<project><groupId>g</groupId><artifactId>a</artifactId></project>' },
    programs: ['mvn'],
    says: /^Maven created no target\/classes$/,
  },
  'no entry point': {
    properties: 'Runtime: nodejs22.x',
    buildMethod: 'esbuild, BuildProperties: {EntryPoints: []}',
    says: /^there is neither a Handler nor BuildProperties EntryPoints to bundle$/,
  },
  'no npm for a script': {
    properties: 'Runtime: nodejs22.x',
    files: { 'package.json': '{"name": "app", "version": "1.0.0", "scripts": {"prepack": "tsc"}}' },
    programs: [],
    says: /^npm is needed to run the script prepack of Fn, and it is not on PATH$/,
  },
  'no version of Python': {
    properties: 'Runtime: provided.al2023',
    buildMethod: 'python3.13',
    files: { 'requirements.txt': 'six==1.17.0\n' },
    says: /^the Python version is unknown$/,
  },
  'no runtime that is known here': {
    properties: 'Runtime: !ImportValue runtime',
    says: /^only CloudFormation knows the runtime, so it cannot be built here$/,
  },
  'an esbuild that is broken': {
    properties: 'Runtime: nodejs22.x',
    buildMethod: 'esbuild',
    files: {
      'app.js': 'exports.handler = async () => 1;\n',
      'package.json': '{"devDependencies": {"esbuild": "0.20.0"}}',
      'node_modules/esbuild/package.json': '{"name": "esbuild", "version": "0.20.0", "main": "lib/main.js"}',
      'node_modules/esbuild/lib/main.js': 'throw new Error("half installed");\n',
    },
    says: /^The esbuild of the application cannot be loaded: half installed/,
  },
  'no version of Ruby': {
    properties: 'Runtime: provided.al2023',
    buildMethod: 'ruby3.4',
    files: { Gemfile: '' },
    says: /^the Ruby version is unknown$/,
  },
};

describe('code from which nothing can be built', () => {
  it.each(Object.entries(CASES))('%s', async (_name, given) => {
    const { properties, buildMethod, files = {}, programs, says } = given;
    const metadata = buildMethod === undefined ? '' : `, Metadata: {BuildMethod: ${buildMethod}}`;
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, CodeUri: fn, ${properties}}${metadata}}
`,
      'fn/notes.txt': '',
      ...Object.fromEntries((programs ?? []).map((name) => [`bin/${name}`, IDLE])),
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`fn/${name}`, text])),
    });
    for (const name of programs ?? []) await fs.chmod(path.join(dir, 'bin', name), 0o755);
    const env = toolEnv(programs === undefined ? {} : { PATH: path.join(dir, 'bin') });
    const { failures } = await buildApp(dir, { env });
    expect(failures).toEqual([expect.objectContaining({ message: expect.stringMatching(says) })]);
  });
});

it('a folder of code that is gone when it is built', async () => {
  const dir = await tempFolder();
  const fn = fakeFunction({ id: 'Fn', code: { kind: 'folder', path: path.join(dir, 'gone') } });
  const options = { projectDir: dir, stackName: 's', dependencyLayer: false, buildInSource: false, env: toolEnv() };
  const { signal } = new AbortController();
  const builder = openBuilder({ reporter: silent, signal, options, onBuilt: () => {} });
  const { failures } = await builder.build(planBuild(fakeStack({ functions: [fn] }), options));
  expect(failures).toMatchObject([
    { message: expect.stringMatching(/^The code folder of Fn does not exist: .*gone$/) },
  ]);
});

import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import type { BuildAppOptions } from '../support/build-app.ts';
import { stubTools } from '../support/stub-tools.ts';
import { snapshotFolder, tempFolder } from '../support/temp-folder.ts';

/** A name that is an option for a program that takes it for one, and runs commands if a shell sees it. */
const EVIL = '--evil=$(touch owned)`touch owned`;touch owned #';

/** Functions and layers whose folders, packages, handlers and properties have that name. */
const APP: Readonly<Record<string, string>> = {
  [`npm/package.json`]: JSON.stringify({ name: 'root', private: true, workspaces: ['*'] }),
  [`npm/${EVIL}/package.json`]: JSON.stringify({ name: EVIL, dependencies: { dep: EVIL, esbuild: `1.0.0 ${EVIL}` } }),
  [`npm/${EVIL}/app.js`]: '',
  'yarn/package.json': JSON.stringify({ name: 'root', private: true, workspaces: ['*'] }),
  'yarn/yarn.lock': '__metadata:\n  version: 8\n',
  [`yarn/${EVIL}/package.json`]: JSON.stringify({ name: EVIL, dependencies: { dep: '1' } }),
  'pnpm/package.json': '{}',
  'pnpm/pnpm-workspace.yaml': 'packages: ["*"]\n',
  'pnpm/pnpm-lock.yaml': '',
  [`pnpm/${EVIL}/package.json`]: JSON.stringify({ name: EVIL, dependencies: { dep: '1' } }),
  'bun/package.json': JSON.stringify({ name: 'root', private: true, workspaces: ['*'] }),
  'bun/bun.lock': '{}',
  [`bun/${EVIL}/package.json`]: JSON.stringify({ name: EVIL, dependencies: { dep: '1' } }),
  [`pip/${EVIL}/requirements.txt`]: `${EVIL}\n./${EVIL}\n-e ./${EVIL}\nx @ file:${EVIL}\n--index-url ${EVIL}\n--find-links=${EVIL}\n-r ${EVIL}\n`,
  [`pip/${EVIL}/${EVIL}/pyproject.toml`]: '[project]\nname = "x"\n',
  [`uv/${EVIL}/pyproject.toml`]: `[project]\nname = "${EVIL}"\ndependencies = ["${EVIL}"]\n[tool.uv.sources]\nx = { path = "${EVIL}" }\n`,
  [`maven/pom.xml`]: `<project><groupId>g</groupId><artifactId>r</artifactId><modules><module>${EVIL}</module></modules></project>`,
  [`maven/${EVIL}/pom.xml`]: `<project><groupId>g</groupId><artifactId>${EVIL}</artifactId></project>`,
  [`gradle/${EVIL}/build.gradle`]: '',
  [`rust/${EVIL}/Cargo.toml`]: '[package]\nname = "x"\n',
  [`go/${EVIL}/main.go`]: 'package main',
  [`go/${EVIL}/go.mod`]: 'module x',
  [`go/${EVIL}/${EVIL}/main.go`]: 'package main',
  [`ruby/${EVIL}/Gemfile`]: `gem "x", path: "${EVIL}"\n`,
  [`net/${EVIL}/${EVIL}.csproj`]: '<Project />',
  [`make/${EVIL}/Makefile`]: '',
  [`image/${EVIL}/${EVIL}`]: 'FROM scratch',
  [`image/${EVIL}/archive.tar.gz`]: '',
};

const resource = (CodeUri: string, properties: object, Metadata: object = {}): object => ({
  Type: 'AWS::Serverless::Function',
  Metadata,
  Properties: { CodeUri, Handler: EVIL, ...properties },
});
const node = { Runtime: 'nodejs22.x' };
const provided = { Runtime: 'provided.al2023' };
const RESOURCES = {
  Npm: resource(`npm/${EVIL}`, node),
  Bundle: resource(`npm/${EVIL}`, node, {
    BuildMethod: 'esbuild',
    BuildProperties: { EntryPoints: [EVIL], Target: EVIL },
  }),
  Yarn: resource(`yarn/${EVIL}`, node),
  Pnpm: resource(`pnpm/${EVIL}`, node),
  Bun: resource(`bun/${EVIL}`, node),
  Pip: resource(`pip/${EVIL}`, { Runtime: 'python3.12' }),
  Uv: resource(`uv/${EVIL}`, { Runtime: 'python3.12' }, { BuildMethod: 'python-uv' }),
  Maven: resource(`maven/${EVIL}`, { Runtime: 'java21' }),
  Gradle: resource(`gradle/${EVIL}`, { Runtime: 'java21' }),
  Rust: resource(`rust/${EVIL}`, provided, {
    BuildMethod: 'rust-cargolambda',
    BuildProperties: { Binary: EVIL, Features: [EVIL] },
  }),
  Go: resource(`go/${EVIL}`, { Runtime: 'go1.x' }),
  Ruby: resource(`ruby/${EVIL}`, { Runtime: 'ruby3.4' }),
  Net: resource(`net/${EVIL}`, { Runtime: 'dotnet8' }),
  Make: resource(`make/${EVIL}`, provided, { BuildMethod: 'makefile', WorkingDirectory: `make/${EVIL}` }),
  Image: {
    Type: 'AWS::Serverless::Function',
    Metadata: {
      DockerContext: `image/${EVIL}`,
      Dockerfile: EVIL,
      DockerTag: EVIL,
      DockerImage: EVIL,
      DockerBuildTarget: EVIL,
      DockerBuildArgs: { [EVIL]: EVIL },
    },
    Properties: { PackageType: 'Image' },
  },
  Local: { Type: 'AWS::Serverless::Function', Properties: { PackageType: 'Image', ImageUri: EVIL } },
  Archive: {
    Type: 'AWS::Serverless::Function',
    Metadata: { DockerImage: EVIL },
    Properties: { PackageType: 'Image', ImageUri: `image/${EVIL}/archive.tar.gz` },
  },
};

interface Attempt {
  calls: string[][];
  files: string[];
  failures: Record<string, string>;
}

async function build(how: BuildAppOptions = {}): Promise<Attempt> {
  const template = JSON.stringify({ Transform: 'AWS::Serverless-2016-10-31', Resources: RESOURCES });
  const app = await tempFolder({ ...APP, 'template.yaml': template });
  const tools = await stubTools();
  const built = await buildApp(app, { env: { PATH: tools.path, HOME: app }, ...how });
  const failures = Object.fromEntries(built.failures.map(({ ids, message }) => [ids.join(), message]));
  return { calls: await tools.calls(), files: Object.keys(await snapshotFolder(app)), failures };
}

/** Arguments that the program takes for options although they are names. */
function takenForOptions(call: readonly string[]): string[] {
  const [, ...args] = call;
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).filter((arg) => /^-+evil/.test(arg));
}

describe('names that begin with dashes and hold commands', () => {
  it('reach tools as one argument each that is no option, and no shell', async () => {
    const { calls, files, failures } = await build();
    expect(failures['Yarn']).toContain('name cannot be "--evil');
    expect([...new Set(calls.map(([program]) => program))].sort()).toEqual(
      'bun cargo docker dotnet-lambda go gradle make mvn npm pnpm python3 ruby uv'.split(' '),
    );
    expect(calls.filter((call) => takenForOptions(call).length > 0)).toEqual([]);
    expect(files.filter((file) => path.basename(file) === 'owned')).toEqual([]);
  });

  it('so do the names of build images', async () => {
    const container = { image: EVIL, images: {}, env: { [EVIL]: EVIL }, envById: {} };
    const { calls, files } = await build({ container });
    expect(calls.some(([program, ...args]) => program === 'docker' && args.join(' ').includes(EVIL))).toBe(true);
    expect(calls.filter((call) => takenForOptions(call).length > 0)).toEqual([]);
    expect(files.filter((file) => path.basename(file) === 'owned')).toEqual([]);
  });
});

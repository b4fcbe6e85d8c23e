import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import type { OwnBuild, SharedBuilds } from '../../src/builder/shared-builds.ts';
import { buildApp } from '../support/build-app.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hasBundler = ((): boolean => {
  try {
    return execFileSync('bundle', ['--version'], { stdio: 'pipe' }).length > 0;
  } catch {
    return false;
  }
})();

interface App {
  runtime: string;
  method?: string;
  files: Readonly<Record<string, string>>;
  tools: Readonly<Record<string, string>>;
  /** Files that decide the build, from the repository, some of which do not exist. */
  decisive: readonly string[];
}

const MANIFEST = { name: 'fn', version: '1.0.0', dependencies: { dep: '1.0.0' } };

const APPS: Readonly<Record<string, App>> = {
  'npm: of the root of its workspace': {
    runtime: 'nodejs22.x',
    files: {
      'package.json': JSON.stringify({ name: 'root', private: true, workspaces: ['app/fn'] }),
      'package-lock.json': JSON.stringify({
        name: 'root',
        lockfileVersion: 3,
        packages: {
          '': { name: 'root', workspaces: ['app/fn'] },
          'app/fn': MANIFEST,
          'node_modules/dep': { version: '1.0.0' },
          'node_modules/fn': { resolved: 'app/fn', link: true },
        },
      }),
      'app/fn/package.json': JSON.stringify(MANIFEST),
      'app/fn/app.js': '',
    },
    tools: { npm: '#!/bin/sh\n/bin/mkdir -p node_modules/dep && echo "{}" > node_modules/dep/package.json\n' },
    decisive: ['.npmrc'],
  },
  'dotnet: above the project': {
    runtime: 'dotnet8',
    files: { 'app/fn/Fn.csproj': '<Project />', 'app/nuget.config': '<configuration />' },
    tools: {
      dotnet: `#!/bin/sh
if [ "$1" = tool ]; then
  /bin/mkdir -p "$5"
  printf '#!/bin/sh\\nprintf "PK\\\\005\\\\006\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0" > "$3"\\n' > "$5/dotnet-lambda"
  /bin/chmod +x "$5/dotnet-lambda"
else exit 1; fi
`,
    },
    decisive: ['Directory.Build.props', 'app/global.json', 'app/nuget.config'],
  },
  'go: a workspace above the module': {
    runtime: 'provided.al2023',
    method: 'go1.x',
    files: { 'app/fn/go.mod': 'module fn\n', 'app/fn/main.go': 'package main\nfunc main() {}\n' },
    tools: {
      go: `#!/bin/sh
case "$1" in
  build) while [ "$1" != -o ]; do shift; done; echo program > "$2" ;;
esac
`,
    },
    decisive: ['go.work', 'app/go.work'],
  },
  'cargo: above the crate': {
    runtime: 'provided.al2023',
    method: 'rust-cargolambda',
    files: {
      'app/fn/Cargo.toml': '[package]\nname = "fn"\nversion = "1.0.0"\n',
      'app/fn/src/main.rs': 'fn main() {}',
    },
    tools: {
      'cargo-lambda': '#!/bin/sh\n',
      cargo: `#!/bin/sh
while [ "$1" != --lambda-dir ]; do shift; done
/bin/mkdir -p "$2/fn" && echo program > "$2/fn/bootstrap"
`,
    },
    decisive: ['.cargo/config.toml', 'app/rust-toolchain.toml'],
  },
  ...(hasBundler
    ? {
        'bundler: in .bundle/config': {
          runtime: 'ruby3.4',
          files: {
            'app/fn/Gemfile': '',
            'app/fn/Gemfile.lock': 'GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n',
            'app/fn/app.rb': '',
          },
          tools: {},
          decisive: ['app/fn/.bundle/config'],
        },
      }
    : {}),
};

it.each(Object.entries(APPS))('settings of %s decide a shared build', async (_name, app) => {
  const { runtime, method, files, tools, decisive } = app;
  const metadata = method === undefined ? '' : `Metadata: { BuildMethod: ${method} }`;
  const template = `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: fn, Handler: app.handler, Runtime: ${runtime} }
    ${metadata}
`;
  const root = await tempFolder({ '.git/HEAD': '', 'app/template.yaml': template, ...files });
  const bin = await tempFolder(tools);
  for (const name of Object.keys(tools)) await fs.chmod(path.join(bin, name), 0o755);
  const builds: OwnBuild[] = [];
  const sharedBuilds: SharedBuilds = {
    find: async () => undefined,
    findPackages: async () => undefined,
    add: async (_context, build) => void builds.push(build),
    findImage: async () => undefined,
    addImage: () => {},
  };
  const PATH = Object.keys(tools).length === 0 ? process.env['PATH'] : bin;
  const { failures } = await buildApp(path.join(root, 'app'), { env: { PATH, HOME: bin }, sharedBuilds });
  expect(failures).toEqual([]);
  const shared = builds.flatMap(({ sharing }) => ('inputs' in sharing ? sharing.inputs : []));
  expect(shared.map((input) => input.path)).toEqual(
    expect.arrayContaining(decisive.map((file) => path.join(root, file))),
  );
});

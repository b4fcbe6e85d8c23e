import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import type { SharedBuilds } from '../../src/builder/shared-builds.ts';
import { hashInputs, inputPlace, toShared } from '../../src/shared-cache/shared-inputs.ts';
import { staticKey } from '../../src/shared-cache/static-key.ts';
import { buildApp } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

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
  /** Files that decide the build, from the repository, some of which do not exist. Each gets a line more. */
  decisive: readonly string[];
  /** Files that decide a shared build only: here they are read again each time, and say nothing about this project. */
  elsewhere?: readonly string[];
  /** Variables that decide the build. */
  variables?: readonly string[];
}

const MANIFEST = { name: 'fn', version: '1.0.0', dependencies: { dep: '1.0.0' } };

const DOTNET = {
  dotnet: `#!/bin/sh
if [ "$1" = tool ]; then
  /bin/mkdir -p "$5"
  printf '#!/bin/sh\\nprintf "PK\\\\005\\\\006\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0" > "$3"\\n' > "$5/dotnet-lambda"
  /bin/chmod +x "$5/dotnet-lambda"
else exit 1; fi
`,
};

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
    variables: ['npm_config_ignore_scripts', 'NPM_CONFIG_OMIT'],
    decisive: ['.npmrc', 'patches/dep.patch', '.yarn/patches/dep.patch'],
    elsewhere: ['app/package.json', 'app/pnpm-workspace.yaml'],
  },
  'dotnet: above the project': {
    runtime: 'dotnet8',
    files: { 'app/fn/Fn.csproj': '<Project />', 'app/nuget.config': '<configuration />' },
    tools: DOTNET,
    decisive: ['Directory.Build.props', 'app/global.json', 'app/nuget.config', 'Directory.Build.rsp', '.editorconfig'],
  },
  'dotnet: outside the project': {
    runtime: 'dotnet8',
    files: {
      'app/fn/Fn.csproj': `<Project><Import Project="..\\common.props" />
        <ItemGroup><Compile Include="$(MSBuildThisFileDirectory)../shared/**/*.cs;own.cs" /></ItemGroup></Project>`,
      'app/common.props': '<Project><Import Project="$(MSBuildThisFileDirectory)../versions.props" /></Project>',
      'app/shared/deep/One.cs': '',
    },
    tools: DOTNET,
    decisive: ['app/common.props', 'versions.props', 'app/shared/deep/One.cs'],
  },
  'gradle: outside the root project': {
    runtime: 'java17',
    files: {
      'app/fn/settings.gradle': "includeBuild '../plugins'\n",
      'app/fn/build.gradle': 'apply from: "$rootDir/../../common.gradle"\n',
      'app/plugins/settings.gradle.kts': 'dependencyResolutionManagement { from(files("../libs.versions.toml")) }\n',
    },
    tools: {
      gradle:
        '#!/bin/sh\nfor word; do case "$word" in *exportDir=*) /bin/mkdir -p "${word#*=}/classes" "${word#*=}/lib" ;; esac; done\n',
    },
    decisive: ['common.gradle', 'app/plugins/build.gradle', 'app/libs.versions.toml'],
    variables: ['ORG_GRADLE_PROJECT_stage'],
  },
  'gradle: settings above the project': {
    runtime: 'java17',
    files: { 'app/fn/build.gradle': '' },
    tools: {
      gradle:
        '#!/bin/sh\nfor word; do case "$word" in *exportDir=*) /bin/mkdir -p "${word#*=}/classes" "${word#*=}/lib" ;; esac; done\n',
    },
    decisive: ['app/settings.gradle', 'settings.gradle.kts'],
  },
  'maven: parents and settings above the project': {
    runtime: 'java17',
    files: {
      'app/fn/pom.xml':
        '<project><parent><groupId>a</groupId><artifactId>b</artifactId><version>1</version></parent><artifactId>fn</artifactId></project>',
    },
    tools: { mvn: '#!/bin/sh\n/bin/mkdir -p target/classes\n' },
    decisive: ['app/pom.xml', '.mvn/maven.config', 'app/.mvn/maven.config'],
    variables: ['MAVEN_ARGS'],
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
    variables: ['GOFLAGS', 'GOAMD64'],
  },
  'cargo: above the crate': {
    runtime: 'provided.al2023',
    method: 'rust-cargolambda',
    files: {
      'app/fn/Cargo.toml': '[package]\nname = "fn"\nversion = "1.0.0"\n',
      'app/fn/src/main.rs':
        'const A: &str = include_str!("../../words.txt");\nconst B: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../more.txt"));\n',
    },
    tools: {
      'cargo-lambda': '#!/bin/sh\n',
      cargo: `#!/bin/sh
while [ "$1" != --lambda-dir ]; do shift; done
/bin/mkdir -p "$2/fn" && echo program > "$2/fn/bootstrap"
`,
    },
    decisive: [
      '.cargo/config.toml',
      '.cargo/config',
      'app/rust-toolchain.toml',
      'Cargo.toml',
      'app/words.txt',
      'app/more.txt',
    ],
    variables: ['CARGO_ENCODED_RUSTFLAGS', 'CARGO_PROFILE_RELEASE_LTO'],
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

/** Builds an application again and again. Returns what happened, and the first key of the shared build with the hash of what decides it. */
type Build = (env?: Readonly<Record<string, string>>) => Promise<{ outcome: unknown; key: string }>;

async function openApp({
  runtime,
  method,
  files,
  tools,
}: Omit<App, 'decisive'>): Promise<{ root: string; build: Build }> {
  const metadata = method === undefined ? '' : `Metadata: { BuildMethod: ${method} }`;
  const template = `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: fn, Handler: app.handler, Runtime: ${runtime} }
    ${metadata}
`;
  const root = await tempFolder({ '.git/HEAD': '', 'app/template.yaml': template, ...files });
  const dir = path.join(root, 'app');
  const bin = await tempFolder(tools);
  for (const name of Object.keys(tools)) await fs.chmod(path.join(bin, name), 0o755);
  const PATH = Object.keys(tools).length === 0 ? process.env['PATH'] : bin;
  const build: Build = async (env = {}) => {
    let key = 'nothing was built';
    const sharedBuilds: SharedBuilds = {
      find: async () => undefined,
      findPackages: async () => undefined,
      add: async (context, { sharing }) => {
        const place = inputPlace(context.definition.codeDir, dir);
        const inputs = 'reason' in sharing ? sharing : toShared(sharing.inputs, place);
        key =
          'reason' in inputs
            ? `not shared: ${inputs.reason}`
            : `${staticKey(context)} ${await hashInputs(inputs, place, context)}`;
      },
      findImage: async () => undefined,
      addImage: () => {},
    };
    const { failures, outcomes } = await buildApp(dir, { env: { PATH, HOME: bin, ...env }, sharedBuilds });
    expect(failures).toEqual([]);
    return { outcome: outcomes['Fn'], key };
  };
  return { root, build };
}

it.each(Object.entries(APPS))(
  'what decides a build is in the key of this machine and of shared builds: %s',
  async (_name, app) => {
    const { decisive, elsewhere = [], variables = [] } = app;
    const { root, build } = await openApp(app);
    let last = await build();
    expect(last.key).not.toContain('not shared');
    expect((await build()).outcome).toBe('unchanged');
    const [missed, unshared]: [string[], string[]] = [[], []];
    const check = async (what: string, env: Readonly<Record<string, string>> = {}): Promise<void> => {
      const next = await build(env);
      if (next.outcome === 'unchanged' && !elsewhere.includes(what)) missed.push(what);
      if (next.key === last.key) unshared.push(what);
      last = next;
    };
    for (const file of [...decisive, ...elsewhere]) {
      const before = await fs.readFile(path.join(root, file), 'utf8').catch(() => '');
      await writeFiles(root, { [file]: file.endsWith('package.json') ? '{}' : changed(file, before) });
      await check(file);
    }
    for (const name of variables) await check(name, { [name]: 'one' });
    expect({ missed, unshared }).toEqual({ missed: [], unshared: [] });
  },
);

/** Files that name the variable STAGE, for applications from above. */
const NAMING: readonly [app: string, file: string, text: string][] = [
  ['cargo: above the crate', 'app/fn/src/lib.rs', 'pub const STAGE: Option<&str> = option_env!("STAGE");\n'],
  [
    'maven: parents and settings above the project',
    'app/fn/src/main/resources/app.properties',
    'stage=${env.STAGE}\nlogin=${env.NEXUS_TOKEN}\n',
  ],
  ['gradle: settings above the project', 'app/fn/build.gradle', "version = System.getenv('STAGE')\n"],
  ['gradle: outside the root project', 'common.gradle', 'ext.stage = providers.environmentVariable("STAGE")\n'],
  [
    'dotnet: outside the project',
    'app/common.props',
    `<Project Condition="$([System.Environment]::GetEnvironmentVariable('STAGE')) != ''" />`,
  ],
  ['bundler: in .bundle/config', 'app/fn/Gemfile', "# ENV['GEMS_TOKEN']\n# ENV.fetch('STAGE', '')\n"],
];

it.each(NAMING.filter(([name]) => name in APPS))(
  'a variable that files name decides the build here, which is not shared: %s in %s',
  async (name, file, text) => {
    const app = APPS[name];
    if (app === undefined) throw new Error(name);
    const { build } = await openApp({ ...app, files: { ...app.files, [file]: text } });
    expect((await build()).key).toBe(`not shared: ${path.basename(file)} uses STAGE of the environment`);
    expect((await build({ NEXUS_TOKEN: '1', GEMS_TOKEN: '1' })).outcome).toBe('unchanged');
    expect((await build({ STAGE: 'one' })).outcome).not.toBe('unchanged');
  },
);

it('projects of one Gradle build have keys of their own, with the same settings', async () => {
  const { tools = {} } = APPS['gradle: settings above the project'] ?? {};
  const keys = await Promise.all(
    ['one', 'two'].map(async (fn) => {
      const files = {
        'app/all/settings.gradle': "include 'one', 'two'\n",
        'app/all/one/build.gradle': '',
        'app/all/two/build.gradle': '',
      };
      const { root, build } = await openApp({ runtime: 'java17', files, tools });
      const template = path.join(root, 'app/template.yaml');
      await fs.writeFile(template, (await fs.readFile(template, 'utf8')).replace('CodeUri: fn', `CodeUri: all/${fn}`));
      return (await build()).key.split(' ');
    }),
  );
  expect(keys[0]?.[0]).toBe(keys[1]?.[0]);
  expect(keys[0]?.[1]).not.toBe(keys[1]?.[1]);
});

/** Adds what changes nothing for a stub, in the syntax of the file. */
function changed(file: string, text: string): string {
  if (file.endsWith('pom.xml')) return '<project><groupId>a</groupId><artifactId>b</artifactId></project>';
  if (/Cargo\.toml$|libs\.versions\.toml$/.test(file)) return `${text}\n[workspace]\n`;
  return /\.(?:props|config)$/.test(file) && text !== '' ? `${text}<!-- -->\n` : `${text}\n`;
}

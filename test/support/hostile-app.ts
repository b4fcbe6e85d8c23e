/** An application with a function for each kind of manifest, to be changed by tests of hostile input. */
export const MANIFEST_APP: Readonly<Record<string, string>> = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Handler: app.handler } }
Resources:
  Npm: { Type: AWS::Serverless::Function, Properties: { CodeUri: npm, Runtime: nodejs22.x } }
  Yarn: { Type: AWS::Serverless::Function, Properties: { CodeUri: yarn/one, Runtime: nodejs22.x } }
  Pnpm: { Type: AWS::Serverless::Function, Properties: { CodeUri: pnpm/one, Runtime: nodejs22.x } }
  Bundle:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [app.js] } }
    Properties: { CodeUri: npm, Runtime: nodejs22.x }
  Pip: { Type: AWS::Serverless::Function, Properties: { CodeUri: pip, Runtime: python3.12 } }
  Uv: { Type: AWS::Serverless::Function, Metadata: { BuildMethod: python-uv }, Properties: { CodeUri: uv, Runtime: python3.12 } }
  Poetry: { Type: AWS::Serverless::Function, Properties: { CodeUri: poetry, Runtime: python3.12 } }
  Pipenv: { Type: AWS::Serverless::Function, Properties: { CodeUri: pipenv, Runtime: python3.12 } }
  Gems: { Type: AWS::Serverless::Function, Properties: { CodeUri: gems, Runtime: ruby3.4 } }
  Maven: { Type: AWS::Serverless::Function, Properties: { CodeUri: maven/one, Runtime: java21 } }
  Rust:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: one, Features: [a] } }
    Properties: { CodeUri: rust, Runtime: provided.al2023 }
  Net: { Type: AWS::Serverless::Function, Properties: { CodeUri: net, Runtime: dotnet8 } }
  Go: { Type: AWS::Serverless::Function, Metadata: { BuildMethod: go1.x }, Properties: { CodeUri: go, Runtime: provided.al2023 } }
  Make: { Type: AWS::Serverless::Function, Metadata: { BuildMethod: makefile }, Properties: { CodeUri: make, Runtime: provided.al2023 } }
`,
  'npm/app.js': 'exports.handler = async () => require("dep");\n',
  'npm/package.json': JSON.stringify({
    name: 'npm',
    version: '1.0.0',
    main: 'app.js',
    files: ['*.js', 'lib'],
    scripts: { test: 'node --test' },
    bin: { npm: 'app.js' },
    dependencies: {
      dep: '^1.0.0',
      local: 'file:../local',
      archive: 'file:archive.tgz',
      git: 'git+https://127.0.0.1/x#v1',
    },
    devDependencies: { esbuild: '^0.25.0' },
    optionalDependencies: { fsevents: '*' },
    peerDependencies: { react: '>=18' },
    peerDependenciesMeta: { react: { optional: true } },
    bundleDependencies: ['local'],
    overrides: { dep: '1.0.1' },
  }),
  'npm/package-lock.json': JSON.stringify({
    name: 'npm',
    lockfileVersion: 3,
    packages: {
      '': { name: 'npm', dependencies: { dep: '^1.0.0' } },
      'node_modules/dep': { version: '1.0.1', resolved: 'http://127.0.0.1:9/dep-1.0.1.tgz', integrity: 'sha512-eA==' },
      'node_modules/local': { resolved: '../local', link: true },
      'node_modules/archive': { version: '1.0.0', resolved: 'file:archive.tgz', integrity: 'sha512-eA==' },
      'node_modules/esbuild': { version: '0.25.1', dev: true },
    },
  }),
  'npm/.npmrc': 'registry=http://127.0.0.1:9/\n//127.0.0.1:9/:_authToken=x\n',
  'npm/archive.tgz': 'not really',
  'local/package.json': '{ "name": "local", "version": "1.0.0", "files": ["*.js"], "dependencies": { "dep": "1" } }',
  'local/index.js': '',
  'yarn/package.json': '{ "name": "root", "private": true, "workspaces": { "packages": ["*"] } }',
  'yarn/yarn.lock': '__metadata:\n  version: 8\n\n"dep@npm:^1.0.0":\n  version: 1.0.1\n  resolution: "dep@npm:1.0.1"\n',
  'yarn/one/package.json':
    '{ "name": "one", "version": "1.0.0", "dependencies": { "dep": "^1.0.0", "two": "workspace:*" } }',
  'yarn/one/app.js': '',
  'yarn/two/package.json': '{ "name": "two", "version": "1.0.0" }',
  'pnpm/package.json': '{ "name": "root", "private": true }',
  'pnpm/pnpm-workspace.yaml': 'packages:\n  - one\n  - "two/*"\n  - "!**/test/**"\n',
  'pnpm/pnpm-lock.yaml':
    "lockfileVersion: '9.0'\nimporters:\n  one:\n    dependencies:\n      dep: { specifier: ^1.0.0, version: 1.0.1 }\npackages:\n  dep@1.0.1: { resolution: { integrity: sha512-eA== } }\n",
  'pnpm/one/package.json': '{ "name": "one", "dependencies": { "dep": "^1.0.0" }, "packageManager": "pnpm@10.0.0" }',
  'pnpm/one/app.js': '',
  'pip/app.py': 'import dep\n\ndef handler(event, context):\n    return dep.x\n',
  'pip/requirements.txt': `--index-url http://127.0.0.1:9/simple
--extra-index-url=http://127.0.0.1:9/other
--find-links ./wheels
-r more.txt
-c constraints.txt
dep==1.0 ; python_version < "3.13" --hash=sha256:00
-e ../pkg[extra]
other @ file:///nowhere/other-1.0.tar.gz
remote @ git+https://127.0.0.1:9/x.git@v1#subdirectory=y
\${NAME}==1 \\
  # comment
`,
  'pip/more.txt': 'third>=1,<2\n./local_pkg\n',
  'pip/constraints.txt': 'third==1.5\n',
  'pkg/pyproject.toml': '[project]\nname = "pkg"\nversion = "1"\ndependencies = ["dep"]\n',
  'uv/app.py': '',
  'uv/pyproject.toml': `[project]
name = "uv-app"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["dep>=1 ; sys_platform == 'linux'", "member", "pkg"]
[project.optional-dependencies]
extra = ["third"]
[dependency-groups]
dev = ["pytest", { include-group = "other" }]
[tool.uv]
package = false
[tool.uv.sources]
member = { workspace = true }
pkg = { path = "../pkg", editable = true }
dep = { index = "private" }
[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/old"]
[[tool.uv.index]]
name = "private"
url = "http://127.0.0.1:9/simple"
`,
  'uv/packages/member/pyproject.toml':
    '[project]\nname = "member"\nversion = "1"\ndependencies = ["dep"]\n[build-system]\nrequires = ["hatchling"]\n',
  'uv/uv.lock': `version = 1
requires-python = ">=3.10"
[manifest]
members = ["member", "uv-app"]
[[package]]
name = "dep"
version = "1.0"
source = { registry = "http://127.0.0.1:9/simple" }
wheels = [{ url = "http://127.0.0.1:9/dep-1.0-py3-none-any.whl", hash = "sha256:00", size = 1 }]
[[package]]
name = "member"
version = "1"
source = { editable = "packages/member" }
dependencies = [{ name = "dep", marker = "sys_platform == 'linux'" }]
[[package]]
name = "pkg"
version = "1"
source = { directory = "../pkg" }
[[package]]
name = "uv-app"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "dep" }, { name = "member" }, { name = "pkg" }]
`,
  'poetry/app.py': '',
  'poetry/pyproject.toml':
    '[tool.poetry]\nname = "p"\nversion = "1"\n[tool.poetry.dependencies]\npython = "^3.12"\ndep = "^1"\npkg = { path = "../pkg", develop = true }\n',
  'poetry/poetry.lock':
    '[[package]]\nname = "dep"\nversion = "1.0"\noptional = false\nfiles = []\n[[package]]\nname = "pkg"\nversion = "1"\n[package.source]\ntype = "directory"\nurl = "../pkg"\n[metadata]\nlock-version = "2.0"\n',
  'pipenv/app.py': '',
  'pipenv/Pipfile':
    '[[source]]\nurl = "http://127.0.0.1:9/simple"\n[packages]\ndep = "*"\npkg = { path = "../pkg", editable = true }\n[requires]\npython_version = "3.12"\n',
  'pipenv/Pipfile.lock':
    '{ "default": { "dep": { "version": "==1.0", "hashes": [] }, "pkg": { "path": "../pkg", "editable": true } } }',
  'gems/app.rb': '',
  'gems/Gemfile':
    'source "http://127.0.0.1:9"\nruby "3.4"\ngem "dep", "~> 1.0", require: false\ngem "local", path: "../gem"\ngroup :test do\n  gem "rspec"\nend\ngemspec path: "."\n',
  'gems/Gemfile.lock':
    'PATH\n  remote: ../gem\n  specs:\n    local (1.0)\n\nGEM\n  remote: http://127.0.0.1:9/\n  specs:\n    dep (1.0.1)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  dep\n  local!\n',
  'gem/local.gemspec': 'Gem::Specification.new { |s| s.name = "local" }\n',
  'maven/pom.xml':
    '<project><groupId>g</groupId><artifactId>root</artifactId><version>1</version><packaging>pom</packaging><modules><module>one</module><module>two</module></modules></project>',
  'maven/one/pom.xml':
    '<project><parent><groupId>g</groupId><artifactId>root</artifactId><version>1</version><relativePath>../pom.xml</relativePath></parent><artifactId>one</artifactId><dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>two</artifactId></dependency></dependencies><profiles><profile><modules><module>deep</module></modules></profile></profiles></project>',
  'maven/two/pom.xml':
    '<project><parent><groupId>g</groupId><artifactId>root</artifactId><version>1</version></parent><artifactId>two</artifactId></project>',
  'rust/Cargo.toml':
    '[package]\nname = "one"\nversion = "0.1.0"\n[dependencies]\nlocal = { path = "../crate" }\nshared = { workspace = true }\n[workspace]\nmembers = ["x"]\n[workspace.dependencies]\nshared = { path = "shared" }\n[patch.crates-io]\nlocal = { path = "../crate" }\n[target."cfg(unix)".dependencies]\nlibc = "0.2"\n',
  'crate/Cargo.toml': '[package]\nname = "local"\nversion = "0.1.0"\n',
  'net/app.csproj': '<Project><ItemGroup><ProjectReference Include="..\\lib\\lib.csproj" /></ItemGroup></Project>',
  'lib/lib.csproj': '<Project />',
  'go/main.go': 'package main\n\nfunc main() {}\n',
  'go/go.mod': 'module app\n\ngo 1.22\n',
  'make/Makefile': 'build-Make:\n\ttouch $(ARTIFACTS_DIR)/bootstrap\n',
};

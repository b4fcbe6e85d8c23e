import { expect, it } from 'vitest';
import { readToolReason } from '../../../src/builder/tools/tool-reasons.ts';

/** What the tools printed (npm 10, pnpm 12, yarn 1, Bun 1.3, pip 24, Maven 3.8, Go 1.26, cargo 1.9x, GNU make 4.3, Bundler 2.3). */
const OUTPUTS: [task: string, output: string, reason: object][] = [
  [
    'npm install',
    `npm error code E404
npm error 404 Not Found - GET https://registry.npmjs.org/left-padd-nope-x
npm error 404
npm error 404  The requested resource 'left-padd-nope-x@1.0.0' could not be found or you do not have permission to access it.
npm error 404`,
    { reason: '404 Not Found: left-padd-nope-x@1.0.0' },
  ],
  [
    'npm install',
    "npm ERR! code E404\nnpm ERR! 404 Not Found - GET http://127.0.0.1/left-padd - Not found\nnpm ERR! 404 \nnpm ERR! 404  'left-padd@^1.0.0' is not in this registry.",
    { reason: '404 Not Found: left-padd@^1.0.0' },
  ],
  [
    'npm install',
    "npm error code ETARGET\nnpm error notarget No matching version found for is-odd@99.0.0.\nnpm error notarget In most cases you or one of your dependencies are requesting a package version that doesn't exist.",
    { reason: 'No matching version found for is-odd@99.0.0' },
  ],
  [
    'npm ci',
    `npm error code EUSAGE
npm error
npm error \`npm ci\` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with \`npm install\` before continuing.
npm error
npm error Missing: is-odd@3.0.1 from lock file`,
    { reason: 'Missing: is-odd@3.0.1 from lock file' },
  ],
  [
    'npm install',
    'npm error code EJSONPARSE\nnpm error JSON.parse Invalid package.json: JSONParseError: Expected double-quoted property name in JSON at position 32',
    { file: 'package.json', reason: 'JSONParseError: Expected double-quoted property name in JSON at position 32' },
  ],
  [
    'npm run build',
    "src/app.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.\nnpm error code 2",
    {
      file: 'src/app.ts',
      line: 3,
      column: 7,
      reason: "TS2322: Type 'string' is not assignable to type 'number'.",
    },
  ],
  [
    'pnpm install',
    ' ERR_PNPM_FETCH_404  GET https://registry.npmjs.org/left-padd-nope-x: Not Found - 404\n\nThis error happened while installing a direct dependency of /x',
    { reason: '404 Not Found: left-padd-nope-x' },
  ],
  [
    'pnpm install',
    ' ERR_PNPM_NO_MATCHING_VERSION  No matching version found for is-odd@99.0.0 while fetching it from https://registry.npmjs.org/\n',
    { reason: 'No matching version found for is-odd@99.0.0' },
  ],
  [
    'yarn install',
    '[1/4] Resolving packages...\nerror Couldn\'t find any versions for "is-odd" that matches "99.0.0"\ninfo Visit',
    { reason: 'Couldn\'t find any versions for "is-odd" that matches "99.0.0"' },
  ],
  [
    'bun install',
    'Resolving dependencies\nerror: GET https://registry.npmjs.org/left-padd-nope-x - 404\nerror: left-padd-nope-x@1.0.0 failed to resolve',
    { reason: '404 Not Found: left-padd-nope-x' },
  ],
  [
    'mvn clean',
    `[ERROR] COMPILATION ERROR : 
[ERROR] /tmp/mvn1/src/main/java/A.java:[2,22] incompatible types: java.lang.String cannot be converted to int
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.1:compile (default-compile) on project a: Compilation failure`,
    {
      file: '/tmp/mvn1/src/main/java/A.java',
      line: 2,
      column: 22,
      reason: 'incompatible types: java.lang.String cannot be converted to int',
    },
  ],
  [
    'mvnw clean',
    '[ERROR] Failed to execute goal on project a: Could not resolve dependencies for project g:a:jar:1: Could not find artifact no.such:thing:jar:9 in central (https://repo.maven.apache.org/maven2) -> [Help 1]',
    { reason: 'Could not find artifact no.such:thing:jar:9' },
  ],
  [
    'mvn clean',
    "[ERROR] [ERROR] Some problems were encountered while processing the POMs:\n[FATAL] Non-parseable POM /tmp/mvn2/pom.xml: Unrecognised tag: 'x' (position: START_TAG seen <project><x>... @1:13)  @ line 1, column 13\n @ ",
    { file: '/tmp/mvn2/pom.xml', line: 1, column: 13, reason: "Unrecognised tag: 'x'" },
  ],
  [
    'gradle export',
    "/app/src/main/java/A.java:2: error: incompatible types: String cannot be converted to int\n  void f() { int x = 's'; }\n",
    {
      file: '/app/src/main/java/A.java',
      line: 2,
      reason: 'incompatible types: String cannot be converted to int',
    },
  ],
  [
    'go build',
    '# x\n./main.go:4:2: declared and not used: x\n./main.go:4:7: undefined: undefinedThing',
    { file: './main.go', line: 4, column: 2, reason: 'declared and not used: x' },
  ],
  [
    'go list',
    'go: errors parsing go.mod:\ngo.mod:1: unknown directive: modul',
    { file: 'go.mod', line: 1, reason: 'unknown directive: modul' },
  ],
  [
    'go build',
    'main.go:2:8: missing go.sum entry for module providing package example.com/nope (imported by x); to add:\n\tgo get x',
    {
      file: 'main.go',
      line: 2,
      column: 8,
      reason: 'missing go.sum entry for module providing package example.com/nope (imported by x)',
    },
  ],
  [
    'cargo lambda build',
    '   Compiling a v0.1.0 (/tmp/cargo1)\nerror[E0308]: mismatched types\n --> src/main.rs:2:18\n  |\n2 |     let x: i32 = "s";\nerror: could not compile `a` (bin "a") due to 1 previous error',
    { file: 'src/main.rs', line: 2, column: 18, reason: 'mismatched types' },
  ],
  [
    'cargo lambda build',
    '    Updating crates.io index\nerror: no matching package named `serde-nope-xx` found\nlocation searched: crates.io index',
    { reason: 'no matching package named `serde-nope-xx` found' },
  ],
  [
    'dotnet lambda package',
    "/app/Function.cs(12,20): error CS0029: Cannot implicitly convert type 'string' to 'int' [/app/F.csproj]",
    {
      file: '/app/Function.cs',
      line: 12,
      column: 20,
      reason: "CS0029: Cannot implicitly convert type 'string' to 'int'",
    },
  ],
  [
    'bundle install',
    "[!] There was an error parsing `Gemfile`: syntax error, unexpected end-of-input, expecting ')' - gem (\n     ^\n. Bundler cannot continue.",
    { file: 'Gemfile', reason: "syntax error, unexpected end-of-input, expecting ')'" },
  ],
  [
    'make build-G',
    "make: *** No rule to make target 'build-G'.  Stop.",
    { reason: "No rule to make target 'build-G'" },
  ],
  [
    'make build-F',
    'foo-nope x\nmake: foo-nope: No such file or directory\nmake: *** [Makefile:2: build-F] Error 127',
    { file: 'Makefile', line: 2, reason: 'foo-nope: No such file or directory' },
  ],
  ['make build-F', 'false\nmake: *** [Makefile:2: build-F] Error 1', { file: 'Makefile', line: 2 }],
  [
    'make build-F',
    'Makefile:2: *** missing separator.  Stop.',
    { file: 'Makefile', line: 2, reason: 'missing separator' },
  ],
  ['constructor build', 'error', {}],
];

it.each(OUTPUTS)('the reason of a failed %s: %s', (task, output, reason) => {
  const found = readToolReason(task, output);
  expect(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))).toEqual(reason);
});

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { haveTools, isOnPath } from '../support/toolchains.ts';

// Maven and Gradle run for seconds: what C2 and a parallel collector win later costs a third of the processor time
process.env['JAVA_TOOL_OPTIONS'] = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: fn, Handler: 'app.App::handle', Runtime: java17 }
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: java17 }
    Properties: { ContentUri: words }
`;
const CODE = {
  'fn/src/main/java/app/App.java':
    'package app;\npublic class App { public String handle(Object in) { return words.Words.text(); } }\n',
  'fn/src/main/resources/app.properties': 'a=1\n',
  'fn/src/test/java/app/AppTest.java': 'package app;\nclass AppTest {}\n',
  'words/src/main/java/words/Words.java':
    'package words;\npublic class Words { public static String text() { return "hello"; } }\n',
};

const project = (artifact: string, more: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>app</groupId><artifactId>parent</artifactId><version>1.0</version></parent>
  <artifactId>${artifact}</artifactId>
  ${more}
</project>
`;
const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

/** A function that is a module beside another one that it needs. */
const MAVEN = {
  ...CODE,
  'template.yaml': TEMPLATE,
  'pom.xml': `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>app</groupId><artifactId>parent</artifactId><version>1.0</version><packaging>pom</packaging>
  <modules><module>fn</module><module>words</module><module>other</module></modules>
  <properties>
    <maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
</project>
`,
  'fn/pom.xml': project(
    'fn',
    `<dependencies>${dependency('app', 'words', '1.0')}${dependency('com.amazonaws', 'aws-lambda-java-core', '1.2.3')}</dependencies>`,
  ),
  'words/pom.xml': project('words', ''),
  'other/pom.xml': project('other', ''),
  'other/src/main/java/Other.java': 'class Other {}\n',
};

describe.skipIf(!isOnPath('mvn'))('java with Maven (mvn is needed)', () => {
  it('builds a module with its parent and the module that it needs; classes, jars, layers as the peer', async () => {
    const dir = await tempFolder(MAVEN);
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('F')).sort()).toEqual(['app.properties', 'app/App.class']);
    expect(Object.keys(await app.layerFiles('F')).sort()).toEqual([
      'java/lib/app.words-1.0.jar',
      'java/lib/com.amazonaws.aws-lambda-java-core-1.2.3.jar',
    ]);
    expect(Object.keys(await app.files('L'))).toEqual(['java/lib/words-1.0.jar']);
    expect(await fs.readdir(path.join(dir, 'fn'))).toEqual(['pom.xml', 'src']);

    expect((await buildApp(dir, { dependencyLayer: true })).outcomes).toEqual({ F: 'unchanged', L: 'unchanged' });
    // a change of code leaves the packages alone, and what is not needed does not count
    await writeFiles(dir, {
      'fn/src/main/resources/app.properties': 'a=2\n',
      'other/src/main/java/Other.java': 'class Other { int changed; }\n',
    });
    const changed = await buildApp(dir, { dependencyLayer: true });
    expect(changed.outcomes).toEqual({ F: 'done', L: 'unchanged' });
    expect(changed.commands).toHaveLength(1);
    expect((await changed.files('F'))['app.properties']).toBe('a=2\n');
    expect(changed.result.dependencyLayers.get('F')?.path).toBe(app.result.dependencyLayers.get('F')?.path);

    const together = await buildApp(dir, { only: new Set(['F']) });
    expect(Object.keys(await together.files('F')).sort()).toEqual([
      'app.properties',
      'app/App.class',
      'lib/app.words-1.0.jar',
      'lib/com.amazonaws.aws-lambda-java-core-1.2.3.jar',
    ]);
  });

  it('says what the compiler said, and warns of classes that the runtime cannot run', async () => {
    const dir = await tempFolder({
      'template.yaml': TEMPLATE.replace('java17 }', 'java11 }').split('  L:')[0]!,
      'fn/pom.xml': MAVEN['pom.xml'].replace('<packaging>pom</packaging>', '').replace(/<modules>.*<\/modules>/, ''),
      'fn/src/main/java/App.java': 'class App {}\n',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(app.result.notes).toEqual([
      expect.objectContaining({
        level: 'warning',
        text: expect.stringContaining('compiled for Java 17, which java11 cannot run'),
      }),
    ]);
    await writeFiles(dir, { 'fn/src/main/java/App.java': 'class App { oops }\n' });
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({
        ids: ['F'],
        message: expect.stringContaining('mvn prepare-package failed'),
        output: expect.stringContaining('App.java'),
      }),
    ]);
    const env = toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) });
    expect((await buildApp(dir, { env })).failures).toEqual([
      expect.objectContaining({ message: 'mvn is needed to build F, and it is not on PATH' }),
    ]);
  });
});

const GRADLE = {
  ...CODE,
  'template.yaml': TEMPLATE,
  'settings.gradle': "include 'fn', 'words'\n",
  'fn/build.gradle':
    "apply plugin: 'java'\nrepositories { mavenCentral() }\ndependencies { implementation project(':words'); implementation 'com.amazonaws:aws-lambda-java-core:1.2.3' }\n",
  'words/build.gradle': "apply plugin: 'java'\n",
};

const hasGradle = haveTools(['gradle'], ['gradle']);
// its daemon would stay for hours
afterAll(() => {
  if (hasGradle) execFileSync('gradle', ['--stop']);
});

describe('java with Gradle', () => {
  it.skipIf(!hasGradle)('builds a project and the one that it needs (gradle is needed)', async () => {
    const dir = await tempFolder(GRADLE);
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('F')).sort()).toEqual([
      'META-INF/MANIFEST.MF',
      'app.properties',
      'app/App.class',
    ]);
    expect(Object.keys(await app.layerFiles('F')).sort()).toEqual([
      'java/lib/aws-lambda-java-core-1.2.3.jar',
      'java/lib/words.jar',
    ]);
    expect(Object.keys(await app.files('L'))).toEqual(['java/lib/words.jar']);
    expect(await fs.readdir(path.join(dir, 'fn'))).toEqual(['build.gradle', 'src']);
    expect((await buildApp(dir, { dependencyLayer: true })).outcomes).toEqual({ F: 'unchanged', L: 'unchanged' });
  });

  it('runs the wrapper of the root project in the function’s project, with our init script', async () => {
    // what our init script does, by hand
    const wrapper = `#!/bin/sh
for word in "$@"; do case "$word" in -DsamSync.exportDir=*) out=\${word#*=};; esac; done
mkdir -p "$out/classes" "$out/lib"
pwd > "$out/classes/where"
echo jar > "$out/lib/a.jar"
`;
    const dir = await tempFolder({ ...GRADLE, gradlew: wrapper });
    await fs.chmod(path.join(dir, 'gradlew'), 0o755);
    const app = await buildApp(dir, { only: new Set(['F']) });
    expect(app.failures).toEqual([]);
    expect(await app.files('F')).toEqual({ where: `${path.join(dir, 'fn')}\n`, 'lib/a.jar': 'jar\n' });
    const [first = ''] = app.commands;
    expect(first).toMatch(/^gradlew .*--init-script \S+init\.gradle -DsamSync.buildDir=/);
    const script = /--init-script (\S+)/.exec(first)?.[1] ?? '';
    expect(await fs.readFile(script, 'utf8')).toContain("p.tasks.create('samSyncClasses', Sync)");
  });
});

it('a Java folder without a project is told', async () => {
  const dir = await tempFolder({ 'template.yaml': TEMPLATE, 'fn/a': '', 'words/a': '' });
  expect((await buildApp(dir, { only: new Set(['F']) })).failures).toEqual([
    expect.objectContaining({
      message: expect.stringContaining('there is neither a pom.xml nor a build.gradle in'),
    }),
  ]);
});

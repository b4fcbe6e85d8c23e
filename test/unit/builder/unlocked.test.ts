import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { floatingInGradle, floatingInPoms } from '../../../src/builder/workflows/java/floating-versions.ts';
import { readRequirements } from '../../../src/builder/workflows/python/requirements.ts';
import { whyUnlocked } from '../../../src/builder/workflows/python/unlocked.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const definition = (codeDir: string): Parameters<typeof whyUnlocked>[0] =>
  ({ codeDir, buildProperties: {} }) as Parameters<typeof whyUnlocked>[0];

/** The reason for these requirements, of which these distributions were installed. */
async function reason(text: string, installed: readonly string[], locals: readonly string[] = []) {
  const files = installed.map((name) => [`packages/${name}-1.0.dist-info/METADATA`, '']);
  const dir = await tempFolder({ 'requirements.txt': text, ...(Object.fromEntries(files) as Record<string, string>) });
  const requirements = await readRequirements(path.join(dir, 'requirements.txt'));
  if (!requirements) throw new Error('no requirements');
  const source = { kind: 'requirements', tool: 'pip', requirements } as const;
  const manifest = { source, files: [], locals, key: null, base: dir, isEmpty: false, problem: undefined };
  return whyUnlocked(definition(dir), manifest, path.join(dir, 'packages'));
}

describe('packages that a repository decides', () => {
  it.each([
    ['a==1.0\nB_c [x] == 2.0 ; python_version > "3"\n', ['a', 'b-c'], undefined],
    ['a==1.0 --hash=sha256:00 --hash=sha256:11\n', ['a'], undefined],
    ['a==1.0\n', ['a', 'dependency_of_a'], 'dependency-of-a'],
    ['a>=1.0\n', ['a'], 'pin a '],
    ['a==1.*\n', ['a'], 'pin a '],
    ['a @ https://host/a.whl\n', ['a'], 'pin a '],
    ['a\n-c constraints.txt\n', ['a'], 'pin a '],
  ])('%j installs %j: %s', async (text, installed, expected) => {
    const found = await reason(text, installed);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(expected);
  });

  it('are not those of the project itself', async () => {
    expect(await reason('./shared\na==1\n', ['a', 'shared'], ['/app/shared'])).toBeUndefined();
    expect(await reason('./w/own-1.0-py3-none-any.whl\n', ['own'], ['/w/own-1.0-py3-none-any.whl'])).toBeUndefined();
  });

  it.each([
    ['pyproject.toml', '[project]\nname = "x"\ndependencies = ["a"]\n', true],
    ['pyproject.toml', '[tool.ruff]\nline-length = 100\n', false],
    ['poetry.lock', '', true],
    ['app.py', '', false],
  ])('of %s that no tool installed here', async (name, text, isUnlocked) => {
    const dir = await tempFolder({ [name]: text });
    expect((await whyUnlocked(definition(dir), undefined, undefined)) !== undefined).toBe(isUnlocked);
  });

  const pom = (inside: string): string => `<project><version>1-SNAPSHOT</version>${inside}</project>`;
  it.each([
    ['<dependency><version>1.0</version></dependency>', undefined],
    ['<dependency><version>${own.version}</version></dependency>', undefined],
    ['<dependency><version>[1.0,2.0)</version></dependency>', '[1.0,2.0)'],
    ['<dependency><version>2.0-SNAPSHOT</version></dependency>', '2.0-SNAPSHOT'],
    ['<plugin><version> LATEST </version></plugin>', 'LATEST'],
  ])('in a pom: %s', async (inside, version) => {
    const dir = await tempFolder({ 'pom.xml': pom(inside) });
    const found = await floatingInPoms([path.join(dir, 'pom.xml')]);
    expect(found?.includes(version ?? '')).toBe(version === undefined ? undefined : true);
  });

  it.each([
    ["implementation 'a:b:1.0'", undefined],
    ["version = '1.0-SNAPSHOT'", undefined],
    ["implementation 'a:b:1.+'", '1.+'],
    ["implementation 'a:b:latest.release'", 'latest.release'],
    ["implementation('a:b:[1.0,2.0)')", '[1.0,2.0)'],
    ["implementation 'a:b:2.0-SNAPSHOT'", '2.0-SNAPSHOT'],
  ])('in a build.gradle: %s', async (line, version) => {
    const dir = await tempFolder({ 'build.gradle': `plugins { id 'java' }\n${line}\n` });
    const found = await floatingInGradle([dir], []);
    expect(found?.includes(version ?? '')).toBe(version === undefined ? undefined : true);
    const locked = await tempFolder({ 'build.gradle': line, 'gradle.lockfile': '' });
    expect(await floatingInGradle([locked], [])).toBeUndefined();
  });
});

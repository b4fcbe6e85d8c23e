import * as path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { readReactor } from '../../../src/builder/workflows/java/maven-reactor.ts';
import { localGems } from '../../../src/builder/workflows/ruby/local-gems.ts';
import { deprecatedSince } from '../../../src/builder/lambda-runtimes.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test.each([
  ["gem 'a', path: '../a'", undefined, ['/app/a']],
  ['gem "a", :path => "vendor/a"', undefined, ['/app/fn/vendor/a']],
  ["path '../gems' do\n  gem 'a'\nend", undefined, ['/app/gems']],
  ["# gem 'a', path: '../a'", undefined, []],
  ['gemspec', 'PATH\n  remote: .\n  specs:\n    a (1)\n', []],
  ['', 'PATH\n  remote: ../b\n  specs:\n    b (1)\n', ['/app/b']],
])('local gems of %j', (gemfile, lock, expected) => {
  expect(localGems('/app/fn', gemfile, lock)).toEqual(expected);
});

const pom = (artifact: string, body = '', parent = true): string =>
  `<project>${parent ? '<parent><groupId>g</groupId><artifactId>root</artifactId><version>1</version></parent>' : '<groupId>g</groupId>'}<artifactId>${artifact}</artifactId>${body}</project>`;
const needs = (...artifacts: string[]): string =>
  `<dependencies>${artifacts.map((name) => `<dependency><groupId>\${project.groupId}</groupId><artifactId>${name}</artifactId></dependency>`).join('')}</dependencies>`;
const relative = async (files: Record<string, string>, dir: string) => {
  const root = await tempFolder(files);
  const reactor = await readReactor(path.join(root, dir));
  const short = (file: string): string => path.relative(root, file);
  return { root: short(reactor.root), needed: reactor.needed.map(short), poms: reactor.poms.map(short) };
};

describe('Maven projects', () => {
  it.each([
    [{}, /pom\.xml does not exist in /],
    [{ 'a/pom.xml': '<project><artifactId>' }, /pom\.xml is not valid XML: /],
  ])('%j is no project', async (files, message) => {
    await expect(relative(files, 'a')).rejects.toThrow(message);
  });

  it('alone', async () => {
    expect(await relative({ 'fn/pom.xml': pom('fn', '', false) }, 'fn')).toEqual({
      root: 'fn',
      needed: ['fn'],
      poms: ['fn/pom.xml'],
    });
  });

  it('whose parents name each other end', async () => {
    const withParent = (at: string): string =>
      `<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version><relativePath>${at}</relativePath></parent><artifactId>a</artifactId></project>`;
    const files = { 'fn/pom.xml': withParent('../b/pom.xml'), 'b/pom.xml': withParent('../fn/pom.xml') };
    expect((await relative(files, 'fn')).poms).toEqual(['b/pom.xml', 'fn/pom.xml']);
  });

  it('a module needs others, also through each other, and every pom is read', async () => {
    const files = {
      'pom.xml': pom('root', '<modules><module>fn</module><module>libs</module></modules>', false),
      'fn/pom.xml': pom('fn', needs('a')),
      'libs/pom.xml': pom('libs', '<modules><module>a</module><module>b</module><module>c</module></modules>'),
      'libs/a/pom.xml': pom('a', needs('b')),
      'libs/b/pom.xml': pom('b'),
      'libs/c/pom.xml': pom('c'),
    };
    expect(await relative(files, 'fn')).toEqual({
      root: '',
      needed: ['fn', 'libs/a', 'libs/b'],
      poms: ['fn/pom.xml', 'libs/a/pom.xml', 'libs/b/pom.xml', 'libs/c/pom.xml', 'libs/pom.xml', 'pom.xml'],
    });
  });

  it('a parent that does not have it as a module is read, but not built', async () => {
    const parent =
      '<parent><groupId>g</groupId><artifactId>up</artifactId><version>1</version><relativePath>../up</relativePath></parent>';
    const files = {
      'fn/pom.xml': `<project>${parent}<artifactId>fn</artifactId></project>`,
      'up/pom.xml': pom('up', '', false),
    };
    expect(await relative(files, 'fn')).toEqual({ root: 'fn', needed: ['fn'], poms: ['fn/pom.xml', 'up/pom.xml'] });
  });

  it('what is no XML is told with its file', async () => {
    await expect(relative({ 'fn/pom.xml': '<project><a></project>' }, 'fn')).rejects.toThrow(
      /fn\/pom\.xml is not valid XML/,
    );
  });
});

test.each([
  ['nodejs16.x', '2024-06-12'],
  ['go1.x', '2024-01-08'],
  ['python3.13', undefined],
  [undefined, undefined],
])('%s is deprecated since %s', (runtime, since) => {
  expect(deprecatedSince(runtime)).toBe(since);
});

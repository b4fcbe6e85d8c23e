import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { haveTools } from '../support/toolchains.ts';
import { execFileSync } from 'node:child_process';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: fn, Handler: app.handler, Runtime: ruby3.4 }
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: ruby3.4 }
    Properties: { ContentUri: fn }
`;
const spec = (version: string): string => `Gem::Specification.new do |s|
  s.name = 'words'
  s.version = '${version}'
  s.summary = 'words'
  s.authors = ['us']
  s.files = ['lib/words.rb']
end
`;
const APP = {
  'template.yaml': TEMPLATE,
  'fn/app.rb': "require 'words'\ndef handler(event:, context:) = Words.text\n",
  'fn/.bundle/config': '---\nBUNDLE_PATH: "elsewhere"\n',
};

const hasRuby = haveTools(['ruby', 'bundle'], ['ruby', 'ruby-bundler']);

/** There is no registry of gems here: the gem is one of ours, packed beside the Gemfile as `bundle cache` does. */
async function appWithGem(): Promise<string> {
  const dir = await tempFolder({
    ...APP,
    'gem/words.gemspec': spec('1.0.0'),
    'gem/lib/words.rb': 'module Words; def self.text = "hello"; end\n',
  });
  const cwd = path.join(dir, 'gem');
  execFileSync('ruby', ['-S', 'gem', 'build', '--silent', 'words.gemspec', '--output', 'words-1.0.0.gem'], { cwd });
  await fs.mkdir(path.join(dir, 'fn/vendor/cache'), { recursive: true });
  await fs.copyFile(path.join(cwd, 'words-1.0.0.gem'), path.join(dir, 'fn/vendor/cache/words-1.0.0.gem'));
  await writeFiles(dir, {
    'fn/Gemfile': "source 'https://rubygems.org'\ngem 'words'\n",
    'fn/Gemfile.lock':
      'GEM\n  remote: https://rubygems.org/\n  specs:\n    words (1.0.0)\n\nPLATFORMS\n  ruby\n  x86_64-linux\n  aarch64-linux\n\nDEPENDENCIES\n  words\n',
  });
  return dir;
}

describe.skipIf(!hasRuby)('ruby (ruby and bundle are needed)', () => {
  it('puts gems where Lambda looks for them: in the function, in a layer, in a layer of their own', async () => {
    const dir = await appWithGem();
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    const files = await app.files('F');
    expect(files['vendor/bundle/ruby/3.4.0/gems/words-1.0.0/lib/words.rb']).toContain('hello');
    expect(files['.bundle/config']).toContain('BUNDLE_PATH: "vendor/bundle"');
    expect(files['Gemfile.lock']).toContain('words (1.0.0)');
    expect(Object.keys(files).filter((name) => /bundle\/ruby\/[^/]+\/(?:cache|build_info)\//.test(name))).toEqual([]);
    const layer = Object.keys(await app.files('L'));
    expect(layer).toEqual(expect.arrayContaining(['ruby/lib/app.rb', 'ruby/gems/3.4.0/gems/words-1.0.0/lib/words.rb']));

    const apart = await buildApp(dir, { dependencyLayer: true });
    expect(Object.keys(await apart.layerFiles('F'))).toContain('ruby/gems/3.4.0/specifications/words-1.0.0.gemspec');
    const code = await apart.files('F');
    expect(Object.keys(code).filter((name) => name.startsWith('vendor/bundle'))).toEqual([]);
    expect(code['.bundle/config']).not.toContain('PATH');
    // found as Lambda finds it, through GEM_PATH alone
    const layerDir = path.join(apart.result.dependencyLayers.get('F')!.path, 'ruby/gems/3.4.0');
    const script = "require 'bundler/setup'; require_relative 'app'; print handler(event: nil, context: nil)";
    const env = { ...process.env, GEM_PATH: layerDir, BUNDLE_SILENCE_ROOT_WARNING: 'true' };
    expect(
      execFileSync('ruby', ['-e', script], { cwd: apart.result.folders.get('F')!.path, env, encoding: 'utf8' }),
    ).toBe('hello');

    await writeFiles(dir, { 'fn/app.rb': `${APP['fn/app.rb']}# changed\n` });
    const changed = await buildApp(dir, { dependencyLayer: true, only: new Set(['F']) });
    expect(changed.commands).toEqual([]);
    expect(changed.result.dependencyLayers.get('F')).toMatchObject({ cached: true });
  });

  it('copies what has no Gemfile, and says what is missing', async () => {
    const dir = await tempFolder({ ...APP, 'fn/Gemfile': '' });
    const env = toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) });
    expect((await buildApp(dir, { env, only: new Set(['F']) })).failures).toEqual([
      expect.objectContaining({ message: 'Ruby with Bundler is needed to build F, and there is none on PATH' }),
    ]);
    await fs.rm(path.join(dir, 'fn/Gemfile'));
    const app = await buildApp(dir, { env, dependencyLayer: true, only: new Set(['F']) });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('F'))).toContain('app.rb');
    expect(app.result.dependencyLayers.size).toBe(0);
  });
});

describe('ruby', () => {
  it('warns of gems outside CodeUri, with or without Ruby on this machine', async () => {
    const dir = await tempFolder({
      ...APP,
      'gem/words.gemspec': spec('1.0.0'),
      'fn/inside/words.gemspec': spec('1.0.0'),
      'fn/Gemfile': "gem 'words', path: '../gem'\ngem 'more', path: 'inside'\n",
    });
    const { result } = await buildApp(dir);
    expect(result.notes).toContainEqual({
      level: 'warning',
      ids: ['F'],
      text: `gems outside CodeUri are not part of the function: ${path.join(dir, 'gem')}`,
    });
  });
});

import { describe, expect, it, test } from 'vitest';
import { splitHandler } from '../../../../../src/builder/workflows/esbuild/entry-points.ts';
import { readBundleOptions } from '../../../../../src/builder/workflows/esbuild/bundle-options.ts';

describe('BuildProperties', () => {
  test.each([
    [{}, { target: 'es2020', format: 'cjs', minify: true, external: [] }],
    [{ Minify: false }, { minify: false }],
    [
      { Minify: 'false', Sourcemap: 'true' },
      { minify: false, sourcemap: true },
    ],
    [{ Target: 'es2022,node20' }, { target: ['es2022', 'node20'] }],
    [{ MainFields: 'module,main' }, { mainFields: ['module', 'main'] }],
    [{ 'main-fields': ['module'] }, { mainFields: ['module'] }],
    [{ keep_names: true }, { keepNames: true }],
    [{ External: ['aws-sdk', '@aws-sdk/*'] }, { external: ['aws-sdk', '@aws-sdk/*'] }],
    [{ Define: ["process.env.X='5'", 'A=B=C'] }, { define: { 'process.env.X': "'5'", A: 'B=C' } }],
    [{ Define: { DEBUG: true } }, { define: { DEBUG: 'true' } }],
    [{ Loader: ['.png=file', '.graphql=text'] }, { loader: { '.png': 'file', '.graphql': 'text' } }],
    [{ Banner: ['js=import x from "y"'] }, { banner: { js: 'import x from "y"' } }],
    [
      { OutExtension: ['.js=.mjs'], Format: 'esm' },
      { outExtension: { '.js': '.mjs' }, format: 'esm' },
    ],
    [{ Supported: ['bigint=true'] }, { supported: { bigint: true } }],
    [{ LogLimit: 5 }, { logLimit: 5 }],
    [{ MangleProps: '^_' }, { mangleProps: /^_/ }],
    [{ JSX: 'automatic' }, { jsx: 'automatic' }],
    [
      { TreeShaking: true, LegalComments: 'none' },
      { treeShaking: true, legalComments: 'none' },
    ],
  ])('%j gives %j', (properties, expected) => {
    expect(readBundleOptions(properties as never, 'F').esbuild).toMatchObject(expected);
  });

  it('leaves out what a function cannot be without, and what makes no file', () => {
    const { esbuild } = readBundleOptions(
      { Bundle: false, Platform: 'browser', Outdir: 'x', Watch: true, Metafile: true },
      'F',
    );
    expect(Object.keys(esbuild).sort()).toEqual(['external', 'format', 'minify', 'target']);
  });

  it('takes options that are not esbuild’s own', () => {
    const options = readBundleOptions(
      { EntryPoints: ['a.ts', 'b.ts'], UseNpmCi: true, External: ['./node_modules/*', 'x'] },
      'F',
    );
    expect(options).toMatchObject({ entryPoints: ['a.ts', 'b.ts'], useNpmCi: true, allDependenciesExternal: true });
    expect(options.esbuild.external).toEqual(['x']);
  });

  it('says which value it cannot read', () => {
    expect(() => readBundleOptions({ Define: ['X'] }, 'Fn')).toThrow(
      /Fn: BuildProperties Define must be a mapping of strings, or a list of NAME=VALUE/,
    );
  });
});

test.each([
  ['app.handler', { module: 'app', exported: 'handler' }],
  ['src/a.b/app.handler', { module: 'src/a.b/app', exported: 'handler' }],
  ['./src/app.api.get', { module: './src/app', exported: 'api.get' }],
  ['bootstrap', { module: 'bootstrap', exported: '' }],
])('the handler %s is %j', (handler, parts) => {
  expect(splitHandler(handler)).toEqual(parts);
});

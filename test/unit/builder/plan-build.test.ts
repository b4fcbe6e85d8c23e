import * as path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { BuildOptions } from '../../../src/builder/build-options.ts';
import type { FunctionResource } from '../../../src/model/stack.ts';
import { planBuild } from '../../../src/builder/plan-build.ts';
import { selectWorkflow } from '../../../src/builder/workflows/select-workflow.ts';
import { fakeFunction, fakeLayer, fakeStack } from '../../support/stack-builder.ts';

const OPTIONS: BuildOptions = {
  projectDir: '/app',
  stackName: 's',
  dependencyLayer: true,
  buildInSource: false,
  env: {},
};

function idsOf(...functions: ReturnType<typeof fakeFunction>[]): string[][] {
  return planBuild(fakeStack({ functions }), OPTIONS).definitions.map(({ ids }) => [...ids]);
}

describe('what shares a build', () => {
  const a = fakeFunction({ id: 'A' });
  test.each([
    ['everything the same', {}, [['A', 'B']]],
    ['another handler', { handler: 'other.handler' }, [['A', 'B']]],
    ['another runtime', { runtime: 'python3.12' }, [['A'], ['B']]],
    ['another architecture', { architecture: 'arm64' }, [['A'], ['B']]],
    ['another folder', { code: { kind: 'folder', path: '/app/other' } }, [['A'], ['B']]],
    ['build properties', { buildProperties: { ParentPackageMode: 'explicit' } }, [['A'], ['B']]],
    ['another build method', { buildMethod: 'python-uv' }, [['A'], ['B']]],
    ['dependencies in the function', { properties: { Layers: ['1', '2', '3', '4', '5'] } }, [['A'], ['B']]],
    ['memory', { properties: { MemorySize: 512 } }, [['A', 'B']]],
  ] as [string, Partial<FunctionResource>, string[][]][])('%s', (_what, different, expected) => {
    expect(idsOf(a, fakeFunction({ id: 'B', ...different }))).toEqual(expected);
  });

  it('esbuild bundles each handler', () => {
    const one = fakeFunction({ id: 'A', runtime: 'nodejs20.x', buildMethod: 'esbuild', handler: 'a.handler' });
    expect(idsOf(one, { ...one, id: 'B', handler: 'b.handler' })).toEqual([['A'], ['B']]);
    expect(idsOf(one, { ...one, id: 'B' })).toEqual([['A', 'B']]);
  });

  it('a makefile has a target for each function', () => {
    const one = fakeFunction({ id: 'A', runtime: 'provided.al2023' });
    expect(idsOf(one, { ...one, id: 'B', logicalId: 'B' })).toEqual([['A'], ['B']]);
  });

  it('is the same in nested stacks', () => {
    const child = fakeStack({ path: 'Child', logicalId: 'Child', functions: [fakeFunction({ id: 'Child/B' })] });
    const plan = planBuild(fakeStack({ functions: [a], children: [child] }), OPTIONS);
    expect(plan.definitions.map(({ ids }) => ids)).toEqual([['A', 'Child/B']]);
  });
});

test.each([
  ['inline code', { code: { kind: 'inline' } }],
  ['code in S3', { code: { kind: 'remote' } }],
  ['a zip file', { code: { kind: 'file', path: '/app/f.zip' } }],
  ['SkipBuild', { skipBuild: true }],
  ['an image', { packageType: 'Image', code: { kind: 'image', context: '/app' } }],
] as const)('%s is not built', (_what, different) => {
  expect(idsOf(fakeFunction({ id: 'A', ...different }))).toEqual([]);
});

test.each([
  ['without BuildMethod', {}, []],
  ['with BuildMethod', { buildMethod: 'python3.13' }, [['L']]],
  ['SkipBuild', { buildMethod: 'python3.13', skipBuild: true }, []],
  ['a zip file', { buildMethod: 'python3.13', code: { kind: 'file', path: '/app/l.zip' } }, []],
] as const)('a layer %s', (_what, different, expected) => {
  const layers = [fakeLayer({ id: 'L', ...different })];
  expect(planBuild(fakeStack({ layers }), OPTIONS).definitions.map(({ ids }) => ids)).toEqual(expected);
});

it('builds only what is asked for', () => {
  const stack = fakeStack({
    functions: [fakeFunction({ id: 'A' }), fakeFunction({ id: 'B', runtime: 'python3.12' })],
    layers: [fakeLayer({ id: 'L', buildMethod: 'makefile' })],
  });
  expect(planBuild(stack, OPTIONS, new Set(['B'])).definitions.map(({ ids }) => ids)).toEqual([['B']]);
});

it('keeps the key of a definition whoever shares it', () => {
  const [alone] = planBuild(fakeStack({ functions: [fakeFunction({ id: 'A' })] }), OPTIONS).definitions;
  const [shared] = planBuild(
    fakeStack({ functions: [fakeFunction({ id: 'B' }), fakeFunction({ id: 'A' })] }),
    OPTIONS,
  ).definitions;
  expect(shared?.key).toBe(alone?.key);
});

it('makefile folders resolve against the folder of the code', () => {
  const metadata = { ContextPath: 'ctx', WorkingDirectory: 'src/w', ProjectRootDirectory: '..' };
  const [definition] = planBuild(
    fakeStack({ functions: [fakeFunction({ id: 'A', runtime: 'provided.al2023', metadata })] }),
    OPTIONS,
  ).definitions;
  expect(definition?.makefile).toEqual({
    logicalId: 'A',
    contextDir: path.resolve('/app/ctx'),
    workingDir: path.resolve('/app/src/w'),
    projectRoot: path.resolve('/'),
  });
});

test.each([
  ['python3.13', undefined, 'python'],
  ['python3.8', undefined, 'python'],
  ['python2.7', undefined, undefined],
  ['python3.13', 'python-uv', 'python'],
  ['nodejs22.x', undefined, 'nodejs'],
  ['nodejs22.x', 'esbuild', 'esbuild'],
  ['provided.al2023', undefined, 'makefile'],
  ['java21', 'makefile', 'makefile'],
  ['java21', undefined, 'java'],
  ['java8.al2023', undefined, 'java'],
  ['java17.al2023', undefined, 'java'],
  ['nodejs26.x', undefined, 'nodejs'],
  ['python3.15', undefined, 'python'],
  ['java8.al2', undefined, 'java'],
  ['java17.al2023', undefined, 'java'],
  ['ruby3.4', undefined, 'ruby'],
  ['go1.x', undefined, 'go'],
  ['provided.al2023', 'go1.x', 'go'],
  ['provided.al2', 'rust-cargolambda', 'rust'],
  ['dotnet8', undefined, 'dotnet'],
  ['provided.al2023', 'dotnet7', 'dotnet'],
  ['dotnetcore3.1', undefined, 'dotnet'],
  ['cobol85', undefined, undefined],
  [undefined, 'python3.12', 'python'],
  [undefined, undefined, undefined],
])('runtime %s with BuildMethod %s is built by %s', (runtime, method, workflow) => {
  expect(selectWorkflow(runtime, method)).toBe(workflow);
});

it('a layer by uv takes the Python version from its compatible runtimes', () => {
  const layers = [fakeLayer({ id: 'L', buildMethod: 'python-uv', compatibleRuntimes: ['nodejs22.x', 'python3.13'] })];
  expect(planBuild(fakeStack({ layers }), OPTIONS).definitions[0]).toMatchObject({
    workflow: 'python',
    runtime: 'python3.13',
  });
});

it('NODE_OPTIONS with source maps counts for esbuild', () => {
  const properties = { Environment: { Variables: { NODE_OPTIONS: '--x --enable-source-maps' } } };
  const one = fakeFunction({ id: 'A', runtime: 'nodejs22.x', buildMethod: 'esbuild', properties });
  const two = fakeFunction({ id: 'B', runtime: 'nodejs22.x', buildMethod: 'esbuild' });
  const { definitions } = planBuild(fakeStack({ functions: [one, two] }), OPTIONS);
  expect(definitions.map(({ wantsSourceMaps }) => wantsSourceMaps)).toEqual([true, false]);
});

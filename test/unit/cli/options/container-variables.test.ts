import * as path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { CONTAINER_VARIABLES } from '../../../../src/cli/options/container-variables.ts';
import { loadContainerVariables } from '../../../../src/cli/options/load-container-variables.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

describe('--container-env-var', () => {
  test.each<[string[], object]>([
    [['A=1'], { all: { A: '1' }, byId: {} }],
    [['A=1', 'A=2', 'F.A=x=y', 'Child/F.B='], { all: { A: '2' }, byId: { F: { A: 'x=y' }, 'Child/F': { B: '' } } }],
    [['A=a.b=c'], { all: { A: 'a.b=c' }, byId: {} }],
  ])('%j', (words, expected) => {
    const value = CONTAINER_VARIABLES.parse(words, '--container-env-var');
    expect(value).toEqual(expected);
    expect(CONTAINER_VARIABLES.parse(CONTAINER_VARIABLES.write(value) as string[], 'x')).toEqual(value);
  });

  test.each([['A'], ['=x'], ['F.=x'], ['a b=c']])('%s is wrong, and its value is not shown', (word) => {
    expect(() => CONTAINER_VARIABLES.parse([word], '--container-env-var')).toThrow(/neither the form NAME=value nor/);
  });

  test.each([
    [['A=1', 'F.B=2']],
    [{ A: '1', F: { B: '2' } }],
    [{ Parameters: { A: '1' }, F: { B: '2' } }],
    [[{ A: '1' }, 'F.B=2']],
  ])('in a samconfig: %j', (value) => {
    expect(CONTAINER_VARIABLES.read(value, 'container_env_var')).toEqual({ all: { A: '1' }, byId: { F: { B: '2' } } });
  });

  it('beats the file', async () => {
    const dir = await tempFolder({ 'env.json': '{"Parameters": {"A": "file", "B": "file"}, "F": {"C": "file"}}' });
    const given = { all: { A: 'typed' }, byId: { F: { D: 'typed' } } };
    expect(await loadContainerVariables({ file: path.join(dir, 'env.json'), place: 'p' }, given)).toEqual({
      all: { A: 'typed', B: 'file' },
      byId: { F: { C: 'file', D: 'typed' } },
    });
  });
});

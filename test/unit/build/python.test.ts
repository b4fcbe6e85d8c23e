import { describe, expect, it, test } from 'vitest';
import { parentPackages } from '../../../src/build/workflows/python-parent-packages.ts';
import { localPathOf, logicalLines } from '../../../src/build/workflows/python-requirements.ts';
import { distributionOf, platformTags, runsInLambda } from '../../../src/build/workflows/python-wheel.ts';

describe('requirements', () => {
  test.each([
    ['requests==2\n', ['requests==2']],
    ['# a comment\n\n  \n', []],
    ['a # why\nb#no-space\n', ['a', 'b#no-space']],
    ['a==1 \\\n  --hash=sha256:x\n', ['a==1   --hash=sha256:x']],
    ['\uFEFFa\r\nb', ['a', 'b']],
  ])('%j has the lines %j', (text, lines) => {
    expect(logicalLines(text)).toEqual(lines);
  });

  test.each([
    ['./pkg', './pkg'],
    ['../shared[extra]', '../shared'],
    ['-e ../shared', '../shared'],
    ['--editable=./x', './x'],
    ['.', '.'],
    ['/abs/pkg.whl', '/abs/pkg.whl'],
    ['libs/shared', 'libs/shared'],
    ['shared @ file:///abs/my%20pkg', '/abs/my pkg'],
    ['file:///abs/pkg#egg=x', '/abs/pkg'],
    ['./pkg; python_version < "3.12"', './pkg'],
    ['requests==2.0', undefined],
    ['requests[socks]>=2', undefined],
    ['a @ https://example.com/a.whl', undefined],
    ['git+https://example.com/a.git@v1', undefined],
    ['-e git+ssh://git@example.com/a.git', undefined],
    ['--index-url https://example.com/simple', undefined],
    ['-r other.txt', undefined],
  ])('%j names the local path %j', (line, local) => {
    expect(localPathOf(line)).toBe(local);
  });
});

describe('wheels', () => {
  const x86 = { version: '3.11', architecture: 'x86_64' } as const;
  const arm = { version: '3.13', architecture: 'arm64' } as const;
  test.each([
    ['idna-3.10-py3-none-any.whl', x86, true],
    ['six-1.17.0-py2.py3-none-any.whl', arm, true],
    ['numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl', x86, true],
    ['numpy-1.26.4-cp311-cp311-manylinux2014_x86_64.whl', x86, true],
    ['numpy-1.26.4-cp312-cp312-manylinux2014_x86_64.whl', x86, false],
    ['numpy-1.26.4-cp311-cp311-manylinux2014_aarch64.whl', x86, false],
    ['a-1-cp311-cp311-manylinux_2_24_x86_64.whl', x86, true],
    ['a-1-cp311-cp311-manylinux_2_28_x86_64.whl', x86, false],
    ['a-1-cp313-cp313-manylinux_2_28_aarch64.whl', arm, true],
    ['a-1-cp313-cp313-manylinux_2_34_aarch64.whl', arm, true],
    ['a-1-cp313-cp313-manylinux_2_38_aarch64.whl', arm, false],
    ['a-1-cp313-cp313t-manylinux2014_aarch64.whl', arm, false],
    ['cryptography-43-cp37-abi3-manylinux_2_17_x86_64.whl', x86, true],
    ['a-1-cp312-abi3-manylinux_2_17_x86_64.whl', x86, false],
    ['a-1-cp311-cp311-linux_x86_64.whl', x86, true],
    ['a-1-cp311-cp311-musllinux_1_2_x86_64.whl', x86, false],
    ['a-1-cp311-cp311-macosx_11_0_arm64.whl', arm, false],
    ['a-1-cp311-cp311-win_amd64.whl', x86, false],
    ['a-1-py3-none-manylinux2014_x86_64.whl', x86, true],
    ['a-1-1-cp311-cp311-manylinux1_x86_64.whl', x86, true],
  ])('%s for %j runs: %s', (file, target, runs) => {
    expect(runsInLambda(file, target)).toBe(runs);
  });

  it('asks pip for the newest glibc that the runtime has first', () => {
    expect(platformTags(arm)[0]).toBe('manylinux_2_34_aarch64');
    expect(platformTags(x86)[0]).toBe('manylinux_2_26_x86_64');
    expect(platformTags(x86)).toEqual(
      expect.arrayContaining(['manylinux2014_x86_64', 'manylinux1_x86_64', 'linux_x86_64']),
    );
    expect(platformTags(arm)).not.toContain('manylinux1_aarch64');
  });

  test.each([
    ['a_b-1.0-py3-none-any.whl', { name: 'a_b', version: '1.0' }],
    ['docopt-0.6.2.tar.gz', { name: 'docopt', version: '0.6.2' }],
    ['my-pkg-1.0.zip', { name: 'my-pkg', version: '1.0' }],
    ['noversion.zip', undefined],
  ])('%s is %j', (file, distribution) => {
    expect(distributionOf(file)).toEqual(distribution);
  });
});

test.each([
  ['explicit', 'app.main.handler', '/x/y', 'a.b', ['a', 'b']],
  ['explicit', undefined, '/x/y', undefined, []],
  ['auto', 'app.api.main.handler', '/home/me/app/api', undefined, ['app', 'api']],
  ['auto', 'main.handler', '/home/me/app/api', undefined, []],
  ['auto', 'other.main.handler', '/home/me/app/api', undefined, []],
  [undefined, 'app.main.handler', '/home/me/app', 'a', []],
])(
  'parent packages: mode %s, handler %s, code in %s, ParentPackages %s → %j',
  (mode, handler, codeDir, packages, expected) => {
    const buildProperties = { ...(mode && { ParentPackageMode: mode }), ...(packages && { ParentPackages: packages }) };
    expect(parentPackages({ buildProperties, handler, codeDir })).toEqual(expected);
  },
);

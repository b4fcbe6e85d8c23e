import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { makePipe } from '../support/special-files.ts';
import { tempFolder } from '../support/temp-folder.ts';

const template = (metadata: string, runtime: string): string => `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { ${metadata} }
    Properties: { CodeUri: src, Handler: app.handler, Runtime: ${runtime} }
`;

describe.skipIf(process.platform === 'win32')('a named pipe is refused', () => {
  it.each([
    ['python3.12', '', 'requirements.txt'],
    ['python3.12', '', 'uv.lock'],
    ['nodejs22.x', '', 'package.json'],
    ['nodejs22.x', '', 'package-lock.json'],
    ['nodejs22.x', 'BuildMethod: esbuild', 'package.json'],
    ['nodejs22.x', 'BuildMethod: esbuild', 'tsconfig.json'],
    ['ruby3.3', '', 'Gemfile'],
    ['java21', '', 'pom.xml'],
    ['java21', '', 'build.gradle'],
    ['dotnet8', '', 'x.csproj'],
    ['provided.al2023', 'BuildMethod: go1.x', 'go.mod'],
    ['provided.al2023', 'BuildMethod: rust-cargolambda', 'Cargo.toml'],
    ['provided.al2023', 'BuildMethod: makefile', 'Makefile'],
  ])('%s %s %s', async (runtime, metadata, manifest) => {
    const dir = await tempFolder({ 'template.yaml': template(metadata, runtime), 'src/app.py': '', 'src/app.js': '' });
    const pipe = path.join(dir, 'src', manifest);
    await makePipe(pipe);
    const { failures } = await buildApp(dir);
    expect(failures).toMatchObject([{ ids: ['F'], message: `${pipe} is a named pipe, not a file` }]);
  });

  it('above the code, as the package.json of a workspace', async () => {
    const dir = await tempFolder({
      'template.yaml': template('', 'nodejs22.x'),
      'src/package.json': '{"dependencies": {"x": "1"}}',
    });
    const pipe = path.join(dir, 'package.json');
    await makePipe(pipe);
    const { failures } = await buildApp(dir);
    expect(failures).toMatchObject([{ message: `${pipe} is a named pipe, not a file` }]);
  });

  it('as a Dockerfile, and behind a link', async () => {
    const image = `Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { DockerContext: src, Dockerfile: Dockerfile }
    Properties: { PackageType: Image }
`;
    const dir = await tempFolder({ 'template.yaml': image, 'src/app.js': '' });
    const pipe = path.join(dir, 'src/Dockerfile');
    await makePipe(pipe);
    const { failures } = await buildApp(dir);
    expect(failures).toMatchObject([{ message: `${pipe} is a named pipe, not a file` }]);
  });
});

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: fn, Handler: 'Fn::Fn.App::Handle', Runtime: dotnet8, Architectures: [arm64] }
`;
/** The one file of this archive is `Fn.dll`, with the text `dll`. */
const ZIP =
  'UEsDBBQAAAAAAAAAIQA2s9M9AwAAAAMAAAAGAAAARm4uZGxsZGxsUEsBAhQDFAAAAAAAAAAhADaz0z0DAAAAAwAAAAYAAAAAAAAAAAAAAIABAAAAAEZuLmRsbFBLBQYAAAAAAQABADQAAAAnAAAAAAA=';

// no .NET SDK can be had here: what is run, and what is made of its result, is all that can be shown
it('dotnet: installs Amazon.Lambda.Tools for us alone, packages, unpacks; projects referred to count', async () => {
  const dir = await tempFolder({
    'template.yaml': TEMPLATE,
    'fn/Fn.csproj':
      '<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><ProjectReference Include="..\\shared\\Shared.csproj" /></ItemGroup></Project>',
    'fn/App.cs': 'class App {}',
    'shared/Shared.csproj': '<Project Sdk="Microsoft.NET.Sdk" />',
    'shared/Shared.cs': 'class Shared {}',
    'Directory.Build.props': '<Project />',
    'package.zip.b64': ZIP,
    'dotnet.sh': `#!/bin/sh
case "$1" in
  lambda) exit 1;;
  tool) mkdir -p "$5"; cp "$(dirname "$0")/../lambda.sh" "$5/dotnet-lambda"; chmod +x "$5/dotnet-lambda";;
esac
`,
    'lambda.sh': `#!/bin/sh
base64 -d < "\${ZIP}" > "$3"
`,
  });
  await fs.chmod(path.join(dir, 'dotnet.sh'), 0o755);
  const programs = { dotnet: path.join(dir, 'dotnet.sh') };
  const bin = await pathWith(path.join(dir, 'bin'), programs);
  const env = toolEnv({ PATH: `${bin}:/usr/bin:/bin`, ZIP: path.join(dir, 'package.zip.b64') });
  const app = await buildApp(dir, { env });
  expect(app.failures).toEqual([]);
  expect(await app.files('F')).toEqual({ 'Fn.dll': 'dll' });
  expect(app.commands).toEqual([
    expect.stringMatching(
      /^dotnet tool install Amazon\.Lambda\.Tools --tool-path \S+dotnet-tools --ignore-failed-sources$/,
    ),
    expect.stringMatching(
      /^dotnet-lambda package --output-package \S+package\.zip --function-architecture arm64 --msbuild-parameters --runtime linux-arm64$/,
    ),
  ]);
  await writeFiles(dir, { 'fn/obj/x.json': '{}', 'fn/bin/Fn.dll': '' });
  expect((await buildApp(dir, { env })).outcomes).toEqual({ F: 'unchanged' });
  for (const file of ['shared/Shared.cs', 'Directory.Build.props']) {
    await writeFiles(dir, { [file]: '<Project><!-- changed --></Project>' });
    expect((await buildApp(dir, { env })).outcomes, file).toEqual({ F: 'done' });
  }
  const without = toolEnv({ PATH: await pathWith(path.join(dir, 'none'), {}) });
  await writeFiles(dir, { 'fn/App.cs': 'class App { }' });
  expect((await buildApp(dir, { env: without })).failures).toEqual([
    expect.objectContaining({ message: 'dotnet is needed to build F, and it is not on PATH' }),
  ]);
});

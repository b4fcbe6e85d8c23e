import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { createArtifactStore } from '../../../src/package/artifact-store.ts';
import type { ObjectStore } from '../../../src/package/object-store.ts';
import { planPackage } from '../../../src/package/package-templates.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { silent } from '../../support/cloud.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const CHILD = 'Resources: {W: {Type: "AWS::CloudFormation::WaitConditionHandle"}}\n';

/** Locating asks nothing and sends nothing. */
const NO_OBJECTS = {} as ObjectStore;

it('the template of a stack set has the key that AWS SAM CLI gives it; the same file elsewhere has its own', async () => {
  const dir = await tempFolder({ 'child.yaml': CHILD });
  const template = parseTemplate(
    `Resources:
  Set:
    Type: AWS::CloudFormation::StackSet
    Properties: { StackSetName: s, PermissionModel: SELF_MANAGED, TemplateURL: ./child.yaml }
  Job:
    Type: AWS::Glue::Job
    Properties: { Command: { ScriptLocation: ./child.yaml } }
`,
    'template.yaml',
  );
  const { signal } = new AbortController();
  const store = createArtifactStore({
    objects: NO_OBJECTS,
    bucket: 'b',
    prefix: 'p',
    storeDir: dir,
    reporter: silent,
    signal,
  });
  const stack = {
    path: '',
    template,
    dir,
    templateFile: path.join(dir, 'template.yaml'),
    logicalId: undefined,
    folders: new Map<string, string>(),
    children: [],
  };
  const packaged = await planPackage(stack, { store, urlOf: (bucket, key) => `https://s3/${bucket}/${key}` });
  const md5 = createHash('md5').update(CHILD).digest('hex');
  expect(packaged.template['Resources']).toMatchObject({
    Set: { Properties: { TemplateURL: `https://s3/b/p/${md5}.template` } },
    Job: { Properties: { Command: { ScriptLocation: `s3://b/p/${md5}` } } },
  });
  expect(packaged.artifacts.map(({ key }) => key).sort()).toEqual([`p/${md5}`, `p/${md5}.template`]);
});

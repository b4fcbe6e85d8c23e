import { describe, expect, it } from 'vitest';
import { buildMetadata, constructId, useLocalAssets } from '../../../src/template/cdk.ts';
import { getAt } from '../../../src/template/template-path.ts';
import { resourcesOf } from '../../../src/template/template.ts';
import type { TemplateResource } from '../../../src/template/template.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';

const HASH = 'a'.repeat(64);

/** What `cdk synth` writes (CDK 2), shortened; the first parameters are CDK 1's. */
const SYNTHESIZED = `{
 "Parameters": {
  "AssetParameters${HASH}S3BucketABCD1234": { "Type": "String", "Description": "S3 bucket for asset" },
  "AssetParameters${HASH}S3VersionKeyABCD1234": { "Type": "String" },
  "AssetParameters${HASH}ArtifactHashABCD1234": { "Type": "String", "Default": "x" },
  "BootstrapVersion": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version" }
 },
 "Resources": {
  "Fn9270CBC0": {
   "Type": "AWS::Lambda::Function",
   "Properties": {
    "Code": { "S3Bucket": { "Fn::Sub": "cdk-hnb659fds-assets-\${AWS::AccountId}-\${AWS::Region}" }, "S3Key": "${HASH}.zip" },
    "Handler": "index.handler", "Runtime": "nodejs22.x"
   },
   "Metadata": {
    "aws:cdk:path": "Stack/Fn/Resource",
    "aws:asset:path": "asset.${HASH}", "aws:asset:is-bundled": true, "aws:asset:property": "Code"
   }
  },
  "Plain": {
   "Type": "AWS::Lambda::Function",
   "Properties": { "Code": { "S3Bucket": "b", "S3Key": "k" } },
   "Metadata": { "aws:cdk:path": "Stack/Plain/Resource", "aws:asset:path": "/abs/src", "aws:asset:is-bundled": false, "aws:asset:property": "Code" }
  },
  "Layer": {
   "Type": "AWS::Lambda::LayerVersion",
   "Properties": { "Content": { "S3Bucket": "b", "S3Key": "k" } },
   "Metadata": { "aws:cdk:path": "Stack/Layer/Resource", "aws:asset:path": "asset.layer", "aws:asset:property": "Content" }
  },
  "Image": {
   "Type": "AWS::Lambda::Function",
   "Properties": { "Code": { "ImageUri": { "Fn::Sub": "\${AWS::AccountId}.dkr.ecr/assets:x" } }, "PackageType": "Image" },
   "Metadata": {
    "aws:cdk:path": "Stack/Image/Resource", "aws:asset:path": "asset.image", "aws:asset:property": "Code.ImageUri",
    "aws:asset:dockerfile-path": "docker/Dockerfile", "aws:asset:docker-build-args": { "A": "1" }, "aws:asset:docker-build-target": "prod"
   }
  },
  "NestedNestedStackNestedNestedStackResource1B2C": {
   "Type": "AWS::CloudFormation::Stack",
   "Properties": {
    "TemplateURL": { "Fn::Join": ["", ["https://s3.", { "Ref": "AWS::Region" }, "/x.json"]] },
    "Parameters": { "P": { "Ref": "AssetParameters${HASH}S3BucketABCD1234" } }
   },
   "Metadata": {
    "aws:cdk:path": "Stack/Nested.NestedStack/Nested.NestedStackResource",
    "aws:asset:path": "StackNested123.nested.template.json", "aws:asset:property": "TemplateURL"
   }
  },
  "Custom": {
   "Type": "Custom::CDKBucketDeployment", "Properties": { "Source": "b" },
   "Metadata": { "aws:asset:path": "asset.x", "aws:asset:property": "Source" }
  },
  "CDKMetadata": { "Type": "AWS::CDK::Metadata", "Properties": { "Analytics": "v2" } }
 }
}`;

const template = parseTemplate(SYNTHESIZED, 'f');
const resources: Record<string, TemplateResource> = Object.fromEntries(resourcesOf(template));
const resource = (id: string): TemplateResource => resources[id] ?? { Type: 'missing' };

describe('useLocalAssets', () => {
  const local = useLocalAssets(template);

  it.each<[id: string, property: string, value: unknown]>([
    ['Fn9270CBC0', 'Code', `asset.${HASH}`],
    ['Plain', 'Code', '/abs/src'],
    ['Layer', 'Content', 'asset.layer'],
    ['NestedNestedStackNestedNestedStackResource1B2C', 'TemplateURL', 'StackNested123.nested.template.json'],
    // an image has no local path, and this type cannot be packaged: CDK's own place stays
    ['Image', 'Code', { ImageUri: { 'Fn::Sub': '${AWS::AccountId}.dkr.ecr/assets:x' } }],
    ['Custom', 'Source', 'b'],
  ])('%s %s', (id, property, value) => {
    expect(getAt(local, ['Resources', id, 'Properties', property])).toEqual(value);
  });

  it('gives a value to asset parameters that only nested stacks use', () => {
    expect(getAt(local, ['Parameters', `AssetParameters${HASH}S3BucketABCD1234`, 'Default'])).toBe(' ');
    expect(getAt(local, ['Parameters', `AssetParameters${HASH}S3VersionKeyABCD1234`, 'Default'])).toBe(' ');
    expect(getAt(local, ['Parameters', `AssetParameters${HASH}ArtifactHashABCD1234`, 'Default'])).toBe('x');
  });

  it('leaves asset parameters that a resource needs', () => {
    const name = `AssetParameters${HASH}S3BucketABCD1234`;
    const used = parseTemplate(
      `{"Parameters": {"${name}": {"Type": "String"}}, "Resources": {"A": {"Type": "T", "Properties": {"B": {"Ref": "${name}"}}}}}`,
      'f',
    );
    expect(useLocalAssets(used)).toBe(used);
  });

  it('leaves a template without assets the same object', () => {
    const plain = parseTemplate('Resources: {A: {Type: T}}', 'f');
    expect(useLocalAssets(plain)).toBe(plain);
  });
});

it('properties that are a list stay as they are, for the checks of the template to report', () => {
  const Metadata = { 'aws:asset:path': 'code', 'aws:asset:property': 'Code' };
  const template = { Resources: { Fn: { Type: 'AWS::Lambda::Function', Metadata, Properties: [] } } };
  expect(useLocalAssets(template)).toEqual(template);
});

describe('buildMetadata', () => {
  it('skips the build of what CDK has bundled', () => {
    expect(buildMetadata(resource('Fn9270CBC0'))['SkipBuild']).toBe(true);
    expect(buildMetadata(resource('Plain'))['SkipBuild']).toBeUndefined();
  });

  it('knows images', () => {
    expect(buildMetadata(resource('Image'))).toMatchObject({
      Dockerfile: 'docker/Dockerfile',
      DockerContext: 'asset.image',
      DockerBuildArgs: { A: '1' },
      DockerBuildTarget: 'prod',
    });
  });

  it('leaves other metadata', () => {
    expect(buildMetadata({ Type: 'T', Metadata: { BuildMethod: 'esbuild' } })).toEqual({ BuildMethod: 'esbuild' });
  });
});

describe('constructId', () => {
  it.each<[id: string, name: string | undefined]>([
    ['Fn9270CBC0', 'Fn'],
    ['NestedNestedStackNestedNestedStackResource1B2C', 'Nested'],
    ['CDKMetadata', undefined],
  ])('%s is %s', (id, name) => {
    expect(constructId(resource(id))).toBe(name);
  });
});

import { describe, expect, it } from 'vitest';
import { resolveAwsSettings } from '../../src/aws/settings.ts';
import { containerSettings } from '../../src/builder/containers/container-options.ts';
import { deprecatedSince } from '../../src/builder/lambda-runtimes.ts';
import { runtimeDependencies } from '../../src/builder/workflows/node/manifest.ts';
import { CONTAINER_VARIABLES } from '../../src/cli/options/container-variables.ts';
import { editConfig } from '../../src/cli/samconfig/edit-config.ts';
import { samconfigValues } from '../../src/cli/samconfig/samconfig.ts';
import { compareTemplates, describeDifference } from '../../src/deploy/compare-templates.ts';
import { ownValue, setOwn } from '../../src/support/own-value.ts';
import { openDraft } from '../../src/template/draft.ts';
import { mergeGlobals } from '../../src/template/globals.ts';
import { readParameters } from '../../src/template/parameters.ts';
import { dumpYaml, parseTemplate } from '../../src/template/yaml/yaml.ts';
import { neededBy } from '../../src/watch/work/touched.ts';

const NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

/** A mapping in which each of the names is its own key. */
const mapping = <T>(value: T): Record<string, T> => Object.fromEntries(NAMES.map((name) => [name, value]));

// what else has such names; a whole application is in test/cli/prototype-names.test.ts
describe('names of Object.prototype', () => {
  it.each(NAMES)('%s is found only where it is, and set as it is', (name) => {
    expect(ownValue({}, name)).toBeUndefined();
    const record: Record<string, number> = {};
    setOwn(record, name, 1);
    expect(Object.entries(record)).toEqual([[name, 1]]);
  });

  it('are read from YAML and JSON, and written', () => {
    const text = NAMES.map((name) => `${name}: 1\n`).join('');
    expect(Object.keys(parseTemplate(text, 'f'))).toEqual(NAMES);
    expect(Object.keys(parseTemplate(JSON.stringify(mapping(1.5)), 'f'))).toEqual(NAMES);
    expect(dumpYaml(parseTemplate(text, 'f'))).toBe(text);
  });

  it.each(NAMES)('a template that gained %s has changed', (name) => {
    const after = { Resources: Object.fromEntries([[name, { Type: 'T' }]]) };
    expect(compareTemplates({ Resources: {} }, after).map(describeDifference)).toEqual([`${name} was added`]);
    expect(compareTemplates(after, { Resources: {} }).map(describeDifference)).toEqual([`${name} was removed`]);
  });

  it('are parameters', () => {
    const { texts } = readParameters({ Parameters: mapping({ Type: 'String', Default: 'x' }) }, { values: {} });
    expect(Object.entries(texts)).toEqual(NAMES.map((name) => [name, 'x']));
  });

  it('are merged from Globals, and changed in a draft', () => {
    const merged = mergeGlobals({
      Globals: { Function: { Environment: { Variables: mapping('global') } } },
      Resources: {
        F: { Type: 'AWS::Serverless::Function', Properties: { Environment: { Variables: mapping('own') } } },
      },
    });
    const draft = openDraft(merged);
    for (const name of NAMES) draft.set(['Resources', name], { Type: name });
    const resources = draft.finish()['Resources'] as Record<string, unknown>;
    expect(Object.keys(resources)).toEqual(['F', ...NAMES]);
    expect(JSON.stringify(resources['F'])).toContain('"__proto__":"own"');
  });

  it('are needed only if they are there', () => {
    const template = { Resources: { A: { Type: 'T', DependsOn: NAMES }, valueOf: { Type: 'T' } } };
    expect([...neededBy(['A'], template)]).toEqual(['A', 'valueOf']);
  });

  it('are no deprecated runtime, no profile and no environment of a samconfig', () => {
    expect(NAMES.map(deprecatedSince)).toEqual(NAMES.map(() => undefined));
    for (const profile of NAMES)
      expect(() => resolveAwsSettings({ env: {}, config: {}, profile })).toThrow(new RegExp(profile));
    for (const name of NAMES)
      expect(samconfigValues({}, name, 's').warnings[0]?.text).toBe(`s has no environment \`${name}\``);
  });

  it('are functions that are built in containers', () => {
    const given = CONTAINER_VARIABLES.parse(
      NAMES.map((name) => `${name}.${name}=1`),
      'p',
    );
    expect(Object.keys(given.byId)).toEqual(NAMES);
    for (const id of NAMES) {
      const built = { id, logicalId: id, method: 'python3.12', architecture: 'x86_64' } as const;
      const settings = containerSettings(built, { image: undefined, images: {}, env: {}, envById: given.byId });
      expect(settings?.image).toBe('public.ecr.aws/sam/build-python3.12:latest-x86_64');
      expect(Object.entries(settings?.env ?? {})).toEqual([[id, '1']]);
    }
  });

  it('are packages of npm', () => {
    const manifest = { peerDependencies: mapping('1'), peerDependenciesMeta: { toString: { optional: true } } };
    expect(Object.keys(runtimeDependencies(manifest))).toEqual(NAMES.filter((name) => name !== 'toString'));
  });

  it.each(['samconfig.toml', 'samconfig.yaml', 'samconfig.json'])(
    'are environments that are saved in %s',
    async (file) => {
      let text = '';
      for (const name of NAMES) {
        const edit = { table: [name, 'sync', 'parameters'], set: { stack_name: name }, remove: [] };
        text = (await editConfig(text, [edit], file)).text;
      }
      for (const name of NAMES) expect(text).toContain(name);
      expect(({} as Record<string, unknown>)['sync']).toBeUndefined();
    },
  );
});

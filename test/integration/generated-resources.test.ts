import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { validateTemplate } from '../../src/model/validation/validate-template.ts';
import { mapOf } from '../../src/template/template.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { installSamCli, SAM_CLI } from '../support/peer.ts';

const FILE = path.join(import.meta.dirname, '../support/sam-templates/every-generated-resource.yaml');

/** Prints the logical IDs that SAM's own transform gives to a template's resources. */
const TRANSFORM = `
import json, sys
from samtranslator.yaml_helper import yaml_parse
from samtranslator.translator.translator import Translator
from samtranslator.parser.parser import Parser
template = yaml_parse(open(sys.argv[1]).read())
print(json.dumps(list(Translator({}, Parser()).translate(template, {"P": "x"})["Resources"])))
`;

it('a template may refer to every resource that SAM generates', async () => {
  const text = await fs.readFile(FILE, 'utf8');
  const template = parseTemplate(text, 'template.yaml', []);
  expect(validateTemplate(template)).toEqual({ refused: [], doubtful: [] });
  await installSamCli();
  const generated = transformed().filter((id) => !Object.hasOwn(mapOf(template['Resources']), id));
  expect(generated.length).toBeGreaterThan(70);
  const outputs = generated.map((id) => [`Of${id}`, { Value: { Ref: id } }] as const);
  expect(validateTemplate({ ...template, Outputs: Object.fromEntries(outputs) }).refused).toEqual([]);
  // a slip of such a name is none of them
  const slips = ['Functions', 'Fm', 'Fnn', 'Apis', 'Tabel'].map((id) => [id, { Value: { Ref: id } }] as const);
  const { refused } = validateTemplate({ ...template, Outputs: Object.fromEntries(slips) });
  expect(refused.map(({ path: [, id] }) => id)).toEqual(slips.map(([id]) => id));
});

function transformed(): string[] {
  const env = { ...process.env, AWS_DEFAULT_REGION: 'us-east-1' };
  const stdout = execFileSync(SAM_CLI.python, ['-c', TRANSFORM, FILE], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(stdout) as string[];
}

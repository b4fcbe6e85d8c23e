import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openParsedTemplates } from '../../../src/model/parsed-templates.ts';
import type { ParsedTemplate } from '../../../src/model/parsed-templates.ts';
import { readStacks } from '../../../src/model/read-stacks.ts';
import type { ReadStacksResult } from '../../../src/model/read-stacks.ts';
import { isMap } from '../../../src/template/template.ts';
import { parseYaml } from '../../../src/template/yaml/yaml.ts';
import type { DuplicateKey } from '../../../src/template/yaml/yaml.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { SHAPES } from '../../support/yaml-corpus.ts';

const FILE = path.resolve('template.yaml');
/** Makes a template long enough to be kept. */
const LONG = `# ${'long '.repeat(2_000)}\n`;
const ODD = [
  'a: 2.0\nb: 012\nc: [0x1F, {d: -0, e: .inf, f: -.inf, g: .nan}]\nh: !!float 3\ni: 12345678901234567890\n',
  '__proto__: 1.0\na: {__proto__: {b: 2.0}, constructor: 3, 1: x, 0: y}\n',
  'a: "\\uDC00#2.0 \\u2028\\n\\0"\nb: 1\nb: 2\nc: {d: 1, d: 2.50}\n',
];

function parse(text: string): ParsedTemplate | undefined {
  const duplicates: DuplicateKey[] = [];
  try {
    const template = parseYaml(text, FILE, duplicates);
    return isMap(template) ? { template, duplicates } : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a parsed template in a folder. */
async function keep(folder: string, text: string, parsed: ParsedTemplate): Promise<void> {
  const templates = openParsedTemplates(folder, 'parser');
  templates.add(FILE, text, parsed);
  await templates.save();
}

describe('parsed templates of an earlier run', () => {
  it('are what parsing gives: types, number texts, order and duplicate keys', async () => {
    const kept: string[] = [];
    for (const shape of [...SHAPES, ...ODD]) {
      const text = shape + (shape.endsWith('\n') ? LONG : `\n${LONG}`);
      const parsed = parse(text);
      if (parsed === undefined) continue;
      const folder = await tempFolder();
      await keep(folder, text, parsed);
      const found = openParsedTemplates(folder, 'parser').find(FILE, text);
      if (found === undefined) continue;
      kept.push(shape);
      expect(found, shape).toStrictEqual(parsed);
      expect(JSON.stringify(found), shape).toBe(JSON.stringify(parsed));
    }
    expect(kept).toEqual(expect.arrayContaining(ODD));
    expect(kept.length).toBeGreaterThan(30);
  });

  it('are not kept if aliases share values, for short texts, and for JSON', async () => {
    const texts = [`a: &x {b: 1}\nc: *x\n${LONG}`, 'a: 1\n', `{"a": "${LONG.trim()}"}`];
    for (const text of texts) {
      const folder = await tempFolder();
      await keep(folder, text, parse(text) ?? { template: {}, duplicates: [] });
      expect(await fs.readdir(folder), text.slice(0, 20)).toEqual([]);
    }
  });

  it('are parsed again for another text, another file, another parser and after any damage', async () => {
    const folder = await tempFolder();
    const text = `a: 1.0\n${LONG}`;
    await keep(folder, text, parse(text) ?? { template: {}, duplicates: [] });
    const templates = openParsedTemplates(folder, 'parser');
    expect(templates.find(FILE, text)).toBeDefined();
    expect(templates.find(FILE, `${text} `)).toBeUndefined();
    expect(templates.find(FILE, text.replace('1.0', '1.1'))).toBeUndefined();
    expect(templates.find(path.resolve('other.yaml'), text)).toBeUndefined();
    expect(openParsedTemplates(folder, 'parser 2').find(FILE, text)).toBeUndefined();

    const [name = ''] = await fs.readdir(folder);
    const place = path.join(folder, name);
    const content = await fs.readFile(place, 'utf8');
    const damages = [content.replace('"1.0"', '"1.2"'), content.slice(0, -1), `${content}\n`, '', '\n'];
    for (const damage of damages) {
      await fs.writeFile(place, damage);
      const found = templates.find(FILE, text);
      expect(found === undefined || JSON.stringify(found) === JSON.stringify(parse(text)), damage.slice(60)).toBe(true);
      if (damage !== `${content}\n`) expect(found, damage.slice(60)).toBeUndefined();
    }
    await fs.rm(place);
    await fs.mkdir(place);
    expect(templates.find(FILE, text)).toBeUndefined();
  });

  it('save a run the parsing, and keep its warnings with their lines', async () => {
    const template = `Resources:\n  T: {Type: AWS::SNS::Topic}\n  T: {Type: AWS::SNS::Topic}\n${LONG}`;
    const dir = await tempFolder({ 'template.yaml': template });
    const templateFile = path.join(dir, 'template.yaml');
    const read = async (parser: string): Promise<ReadStacksResult> => {
      const parsed = openParsedTemplates(path.join(dir, 'cache'), parser);
      const pseudo = { region: 'eu-west-1', stackName: 'app' };
      const result = await readStacks({ templateFile, parameterOverrides: { No: 'x' }, pseudo, cwd: dir, parsed });
      await parsed.save();
      return result;
    };
    const first = await read('parser');
    expect(first.warnings.map(({ line }) => line)).toEqual([1, 3]);
    expect(await read('parser')).toEqual(first);
    // a value that no parser gave shows that nothing was parsed
    const forged = openParsedTemplates(path.join(dir, 'cache'), 'parser');
    forged.add(templateFile, template, { template: { Resources: { Forged: { Type: 'A::B::C' } } }, duplicates: [] });
    await forged.save();
    expect((await read('parser')).root.source).toEqual({ Resources: { Forged: { Type: 'A::B::C' } } });
    expect((await read('parser 2')).root.source).toEqual(first.root.source);
  });
});

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { parseCommandLine } from '../../src/cli/options/command-line.ts';
import { resolveOptions } from '../../src/cli/options/resolve-options.ts';
import { saveParams } from '../../src/cli/samconfig/save-params.ts';
import { fuzz, HOSTILE_WORDS, mutatedText, orUserError } from '../support/fuzz.ts';
import { tempFolder } from '../support/temp-folder.ts';

const PARAMETERS = {
  stack_name: 'app',
  region: 'eu-west-1',
  parameter_overrides: 'Stage=dev "Greeting=a b" file://params.yaml',
  tags: ['a=b', 'c=d'],
  capabilities: 'CAPABILITY_IAM',
  image_repositories: ['Fn=123456789012.dkr.ecr.eu-west-1.amazonaws.com/x'],
  container_env_var: ['A=b', 'Fn.C=d'],
  container_env_var_file: 'env.json',
  use_container: true,
  metadata: { a: 'b' },
  watch_exclude: ['Fn=*.db'],
  template_file: 'template.yaml',
  s3_prefix: 'x/y',
};
const lines = Object.entries(PARAMETERS).map(
  ([name, value]) => `${name} = ${JSON.stringify(value).replace('{"a":', '{ a = ')}`,
);
const JSON_TEXT = JSON.stringify({
  version: 0.1,
  default: { global: { parameters: { beta_features: true } }, sync: { parameters: PARAMETERS } },
});

/** Each file that options come from; JSON is YAML too. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  'samconfig.toml': [
    `version = 0.1\n[default.global.parameters]\ndebug = true\n[default.sync.parameters]\n${lines.join('\n')}\n`,
  ],
  'samconfig.yaml': [
    JSON_TEXT,
    'version: 0.1\ndefault:\n  sync:\n    parameters:\n      stack_name: app\n      tags:\n        - a=b\n      parameter_overrides:\n        Stage: dev\n',
  ],
  'samconfig.json': [JSON_TEXT],
  'params.yaml': ['Stage: dev\nGreeting: [a, b]\n', '- ParameterKey: Stage\n  ParameterValue: dev\n'],
  'env.json': ['{ "Parameters": { "A": "b" }, "Fn": { "C": "d" } }'],
};

const app = await tempFolder({ 'template.yaml': 'Resources: {}\n' });

const changedFile = fc
  .constantFrom(...Object.keys(FILES))
  .chain((name) => mutatedText(FILES[name] ?? []).map((text) => [name, text] as const));

async function resolveAll(args: readonly string[]): Promise<void> {
  const run = await orUserError(() => resolveOptions(parseCommandLine(args), { env: {}, cwd: app }));
  if (run?.save) await orUserError(() => saveParams(run.save!));
}

fuzz(
  'a samconfig, parameter file or file of variables that is changed at random is read and saved, or refused in a sentence',
  1_500,
  changedFile,
  async ([name, text]) => {
    for (const file of await fs.readdir(app))
      if (file !== 'template.yaml') await fs.rm(path.join(app, file), { recursive: true });
    await fs.writeFile(path.join(app, 'params.yaml'), FILES['params.yaml']?.[0] ?? '');
    await fs.writeFile(path.join(app, 'env.json'), FILES['env.json']?.[0] ?? '');
    await fs.writeFile(path.join(app, name), text);
    const config = name.startsWith('samconfig')
      ? []
      : ['--parameter-overrides', 'file://params.yaml', '--use-container', '-ef', 'env.json'];
    await resolveAll(['--stack-name', 'app', '--save-params', ...config]);
  },
);

const OPTION_NAMES =
  '--stack-name --tags --parameter-overrides --metadata -e -ef --build-image --image-repositories --watch-exclude --resource-id --resource --config-file --config-env --template-file --base-dir --s3-prefix --region --role-arn --save-params --code --watch --output --capabilities --notification-arns --kms-key-id --profile'.split(
    ' ',
  );
const word = fc.oneof(
  fc.constantFrom(...OPTION_NAMES),
  fc.constantFrom(...HOSTILE_WORDS),
  fc.constantFrom('a=b', 'Fn=x', '"', "a='b", 'file://', '{', '[]', '', '='),
  fc.string({ maxLength: 10 }),
);

fuzz(
  'the words of a command line, changed at random, are read, or refused in a sentence',
  1_500,
  fc.array(word, { maxLength: 12 }),
  async (words) => {
    // saved only where the test cleans up
    await resolveAll(words.filter((one) => one !== '--save-params'));
  },
);

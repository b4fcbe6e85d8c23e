import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/options/command-line.ts';
import { OPTION_ENTRIES } from '../../../../src/cli/options/options.ts';

function words(args: string[]): Record<string, string[]> {
  const { typed, problems } = parseCommandLine(args);
  expect(problems).toEqual([]);
  return Object.fromEntries([...typed].map(([key, option]) => [key, option.words]));
}

function problemsOf(args: string[]): string[] {
  return parseCommandLine(args).problems.map(({ message, hint }) => (hint ? `${message} | ${hint}` : message));
}

// all but the marked ones: as aws-sam-cli 1.170.0 takes them (it was run)
describe('a command line', () => {
  it.each<[string[], Record<string, string[]>]>([
    [['--stack-name', 'a'], { stackName: ['a'] }],
    [['--stack-name=a=b'], { stackName: ['a=b'] }],
    [['--stack-name', '-x'], { stackName: ['-x'] }],
    [['--stack-name='], { stackName: [''] }],
    [['--stack-name', 'a', '--stack-name', 'b'], { stackName: ['b'] }],
    [['-ttemplate.yaml'], { templateFile: ['template.yaml'] }],
    [['-t', 'template.yaml'], { templateFile: ['template.yaml'] }],
    [['--template', 'a', '--template-file', 'b'], { templateFile: ['b'] }],
    [['-ut', 'template.yaml'], { useContainer: ['true'], templateFile: ['template.yaml'] }],
    [['-us', 'x'], { useContainer: ['true'], baseDir: ['x'] }],
    [['-sx'], { baseDir: ['x'] }],
    [['-u', '-bi', 'img'], { useContainer: ['true'], buildImages: ['img'] }],
    [['-bi=img', '-bi', 'F=img2'], { buildImages: ['img', 'F=img2'] }],
    [['-ef', 'f.json'], { containerEnvVarFile: ['f.json'] }],
    [['-ef=f.json'], { containerEnvVarFile: ['f.json'] }],
    [['--watch', '--no-watch'], { watch: ['false'] }],
    [['--no-watch', '--watch'], { watch: ['true'] }],
    [['--code', '--code'], { code: ['true'] }],
    [['--parameter-overrides', 'A=1', 'B=2', '--code'], { parameterOverrides: ['A=1', 'B=2'], code: ['true'] }],
    [['--parameter-overrides=A=1', 'B=2', '-u'], { parameterOverrides: ['A=1', 'B=2'], useContainer: ['true'] }],
    [['--capabilities', 'A', 'B'], { capabilities: ['A', 'B'] }],
    [['--resource-id', 'a', '--resource-id', 'b'], { resourceIds: ['a', 'b'] }],
    [['--s3-bucket', ''], { s3Bucket: [''] }],
    [['--tags', 'a=-1', '-u'], { tags: ['a=-1'], useContainer: ['true'] }],
    [[], {}],
  ])('%j', (args, expected) => {
    expect(words(args)).toEqual(expected);
  });

  it.each<[string[], Record<string, string[]>]>([
    [['--notification-arns', 'A', 'B', '--notification-arns', 'C'], { notificationArns: ['A', 'B', 'C'] }],
    [
      ['--parameter-overrides', 'A=1', '--code', '--parameter-overrides', 'B=2'],
      { parameterOverrides: ['A=1', 'B=2'], code: ['true'] },
    ],
    [['--tags', 'a=1', '--tags', 'b=2'], { tags: ['a=1', 'b=2'] }],
    [['--metadata', 'a=1', '--metadata', 'b=2'], { metadata: ['a=1', 'b=2'] }],
  ])('defect 27: %j accumulates', (args, expected) => {
    expect(words(args)).toEqual(expected);
  });

  it('unlike the peer, takes `-t=file` for what it says', () => {
    expect(words(['-t=template.yaml'])).toEqual({ templateFile: ['template.yaml'] });
  });

  it.each<[string[], string[]]>([
    [['--stack-name'], ['--stack-name needs a value']],
    [['--parameter-overrides'], ['--parameter-overrides needs a value']],
    [['--stak-name', 'x'], ['No such option: --stak-name | Did you mean --stack-name?']],
    [['--stack', 'x'], ['No such option: --stack | Did you mean --stack-name?']],
    [['--stack-na', 'x'], ['No such option: --stack-na | Did you mean --stack-name?']],
    [['--cod'], ['No such option: --cod | Did you mean --code?']],
    [['--no-code'], ['No such option: --no-code']],
    [['--zzzzzzzzz=1'], ['No such option: --zzzzzzzzz']],
    [['--guided'], ['No such option: --guided | It is an option of other SAM CLI commands, not of sync.']],
    [['-z'], ['No such option: -z']],
    [['-uz'], ['No such option: -z']],
    [['-biimg'], ['No such option: -biimg']],
    [['--code=true'], ['--code takes no value, but got `true`']],
    [['extra'], ['Unexpected argument `extra`']],
    [['-'], ['Unexpected argument `-`']],
    [
      ['--', 'a', 'b'],
      ['Unexpected argument `a`', 'Unexpected argument `b`'],
    ],
    [['--debug', 'true'], ['Unexpected argument `true`']],
    [
      ['--nope', '--s3-bucket'],
      ['No such option: --nope', '--s3-bucket needs a value'],
    ],
  ])('%j is wrong', (args, expected) => {
    const found = problemsOf(args);
    expect(found).toHaveLength(expected.length);
    found.forEach((problem, index) => expect(problem).toContain(expected[index]));
  });

  it('unlike the peer, does not take an option for a value: the value was forgotten', () => {
    expect(problemsOf(['--s3-prefix', '--watch'])).toEqual([
      '--s3-prefix needs a value, but the option --watch follows | If --watch is the value, write --s3-prefix=--watch.',
    ]);
    expect(words(['--s3-prefix=--watch'])).toEqual({ s3Prefix: ['--watch'] });
  });
});

describe('the option table', () => {
  it('has no name and no samconfig key twice', () => {
    const names = OPTION_ENTRIES.flatMap(([, spec]) => [...spec.names, ...(spec.negation ? [spec.negation] : [])]);
    const keys = OPTION_ENTRIES.flatMap(([, spec]) => [...spec.configKeys]);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('has every option of the peer, under the same names and samconfig keys', () => {
    // dumped from aws-sam-cli 1.170.0; --beta-features comes from its parent command
    const peer =
      `--config-env --config-file --template-file --template -t --code --watch --no-watch --resource-id --resource
      --dependency-layer --no-dependency-layer --skip-deploy-sync --no-skip-deploy-sync --express --no-express
      --container-env-var-file -ef --watch-exclude --stack-name --base-dir -s --use-container -u --no-use-container
      --build-in-source --no-build-in-source --build-image -bi --image-repository --image-repositories --s3-bucket
      --s3-prefix --kms-key-id --role-arn --parameter-overrides --beta-features --no-beta-features --debug --profile
      --region --metadata --notification-arns --tags --capabilities --language-extensions --no-language-extensions
      --save-params --help -h`.split(/\s+/);
    const keys = `template_file template code watch resource_id resource dependency_layer skip_deploy_sync express
      container_env_var_file watch_exclude stack_name base_dir use_container build_in_source build_image
      image_repository image_repositories s3_bucket s3_prefix kms_key_id role_arn parameter_overrides debug profile
      region metadata notification_arns tags capabilities language_extensions save_params`.split(/\s+/);
    const names = OPTION_ENTRIES.flatMap(([, spec]) => [...spec.names, ...(spec.negation ? [spec.negation] : [])]);
    expect(peer.filter((name) => !names.includes(name))).toEqual([]);
    const ours = OPTION_ENTRIES.flatMap(([, spec]) => [...spec.configKeys]);
    expect(keys.filter((key) => !ours.includes(key))).toEqual([]);
  });
});

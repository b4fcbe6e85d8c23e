import { CONTAINER_VARIABLES } from '../container-variables.ts';
import { ACCEPTANCES } from '../../../shared-cache/acceptance.ts';
import type { Acceptance } from '../../../shared-cache/acceptance.ts';
import { parseLocation } from '../../../shared-cache/scopes/location.ts';
import { choice, DIRECTORY, FILE, FLAG, list } from '../grammar.ts';
import { BUILD_IMAGES, NO_BUILD_IMAGES } from '../identified-grammars.ts';
import { option } from '../option-spec.ts';

/** Folders may have spaces in their names. */
const BUILD_CACHES = list<string>({
  metavar: 'PLACE',
  split: { by: /\s*,\s*/, typedToo: true },
  check: (item, place) => parseLocation(item, '/', place).name,
});

/** Options of the build. */
export const BUILD = {
  baseDir: option({
    names: ['--base-dir', '-s'],
    grammar: DIRECTORY,
    defaultText: 'the folder of each template',
    group: 'Build',
    help: 'Folder that relative paths to source code start from, in nested stacks too.',
    configKeys: ['base_dir'],
  }),
  dependencyLayer: option({
    names: ['--dependency-layer'],
    negation: '--no-dependency-layer',
    grammar: FLAG,
    default: true,
    group: 'Build',
    help: "Put a function's dependencies into a separate layer, so that a code change uploads only code.",
    configKeys: ['dependency_layer'],
  }),
  useContainer: option({
    names: ['--use-container', '-u'],
    negation: '--no-use-container',
    grammar: FLAG,
    default: false,
    group: 'Build',
    help: 'Build in Lambda-like containers. Turns the dependency layer off.',
    configKeys: ['use_container'],
  }),
  buildImages: option({
    names: ['--build-image', '-bi'],
    grammar: BUILD_IMAGES,
    repeatable: true,
    default: NO_BUILD_IMAGES,
    group: 'Build',
    help: 'With --use-container: image to build in, for all functions and layers (URI) or for one (ID=URI).',
    configKeys: ['build_image'],
  }),
  containerEnvVarFile: option({
    names: ['--container-env-var-file', '-ef'],
    grammar: FILE,
    group: 'Build',
    help: 'With --use-container: JSON file with environment variables of the build containers.',
    configKeys: ['container_env_var_file'],
  }),
  containerVariables: option({
    names: ['--container-env-var', '-e'],
    grammar: CONTAINER_VARIABLES,
    repeatable: true,
    group: 'Build',
    help: 'With --use-container: environment variable of all build containers, or of those of one function or layer.',
    configKeys: ['container_env_var'],
    secret: true,
  }),
  buildInSource: option({
    names: ['--build-in-source'],
    negation: '--no-build-in-source',
    grammar: FLAG,
    default: false,
    group: 'Build',
    help: 'Build in the source folder instead of a copy (Node.js, esbuild, makefile).',
    configKeys: ['build_in_source'],
  }),
  buildCache: option({
    names: ['--build-cache'],
    grammar: BUILD_CACHES,
    repeatable: true,
    default: [],
    group: 'Build',
    help: 'Take builds that other machines made from s3://BUCKET/PREFIX or file:FOLDER; several are read in order.',
    configKeys: ['build_cache'],
    variables: ['SAM_BUILD_CACHE'],
    whenChanged: 'start',
  }),
  buildCacheWrite: option({
    names: ['--build-cache-write'],
    negation: '--no-build-cache-write',
    grammar: FLAG,
    default: false,
    group: 'Build',
    help: 'Add the builds of this machine to the first build cache. For CI on branches that you trust.',
    configKeys: ['build_cache_write'],
    variables: ['SAM_BUILD_CACHE_WRITE'],
    whenChanged: 'start',
  }),
  buildCacheAccept: option<Acceptance>({
    names: ['--build-cache-accept'],
    grammar: choice(ACCEPTANCES),
    default: 'any',
    group: 'Build',
    help: 'Which builds to take: any, those of the same platform and C library, or only those of the same tools too.',
    configKeys: ['build_cache_accept'],
    variables: ['SAM_BUILD_CACHE_ACCEPT'],
    whenChanged: 'start',
  }),
  languageExtensions: option({
    names: ['--language-extensions'],
    negation: '--no-language-extensions',
    grammar: FLAG,
    defaultText: "on if the template's Transform names AWS::LanguageExtensions",
    group: 'Build',
    help: 'Resolve AWS::LanguageExtensions (Fn::ForEach and others) before the build.',
    configKeys: ['language_extensions'],
    variables: ['SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS'],
  }),
} as const;

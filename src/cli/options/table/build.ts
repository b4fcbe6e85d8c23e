import { CONTAINER_VARIABLES } from '../container-variables.ts';
import { DIRECTORY, FILE, FLAG } from '../grammar.ts';
import { BUILD_IMAGES, NO_BUILD_IMAGES } from '../identified-grammars.ts';
import { option } from '../option-spec.ts';

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

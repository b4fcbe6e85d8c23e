import * as os from 'node:os';

/** The version of SAM CLI whose `sync` this program follows, which it reports where SAM CLI is not installed. */
const SAM_CLI_VERSION = '1.170.0';

/** Describes program and machine, for bug reports. */
export function describeProgram(version: string): string {
  return `sam-sync ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}

/**
 * Returns what SAM CLI prints for `--version` or `--info`, undefined for other words. The AWS toolkits of VS Code and
 * JetBrains read it to decide whether `sam` can sync. Programs parse both, so fields are only added.
 */
export function answerAsSamCli(args: readonly string[], version: string): string | undefined {
  switch (args.find((word) => word !== '--debug')) {
    case '--version':
      return `SAM CLI, version ${SAM_CLI_VERSION}\n`;
    case '--info':
      return `${JSON.stringify(info(version), undefined, 2)}\n`;
    default:
      return undefined;
  }
}

function info(version: string): unknown {
  return {
    version: SAM_CLI_VERSION,
    system: { python: 'Not available', os: `${os.type()}-${os.release()}-${os.machine()}` },
    additional_dependencies: {
      container_engine: 'Not available',
      aws_cdk: 'Not available',
      terraform: 'Not available',
    },
    available_beta_feature_env_vars: [],
    provided_by: { name: 'sam-sync', version, commands: ['sync'] },
  };
}

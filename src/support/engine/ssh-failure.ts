import { UserError } from '../../errors.ts';

/**
 * Explains why Docker's `ssh` to an engine on another machine failed (`DOCKER_HOST=ssh://…`). `undefined`: it did not, or the output
 * is another engine's.
 */
export function sshFailure(output: string): UserError | undefined {
  if (/exec: "ssh"|ssh resolves to executable in current directory/.test(output))
    return new UserError('Docker needs ssh to reach its engine, and ssh is not on PATH', {
      hint: 'Install OpenSSH, or set DOCKER_HOST or the Docker context to another address.',
    });
  // docker.example.com: Docker's name for what `ssh` leads to
  if (/\/\/docker\.example\.com\b.*malformed HTTP (?:response|version|status)/.test(output))
    return new UserError('Docker is unreachable over ssh: the login printed text before Docker answered', {
      hint: 'Check that the user may run commands there, and that its shell prints nothing when it starts.',
    });
  if (/Cannot connect to the Docker daemon at http:\/\/docker\.example\.com/.test(output))
    return new UserError('Docker does not answer on the machine that it reaches over ssh', {
      hint: 'Start Docker there, and add the user to the group docker of that machine.',
    });
  const [, words, rest = ''] = /command \[ssh (.*?) docker system dial-stdio\][^]*?stderr=([^]*)/.exec(output) ?? [];
  if (words === undefined) return undefined;
  const address = addressOf(words);
  const { reason, hint } = REASONS.find(({ pattern }) => pattern.test(rest)) ?? OTHER;
  return new UserError(`Docker is unreachable over ssh at ${address.place}: ${reason(rest)}`, { hint: hint(address) });
}

interface Address {
  /** Not a URL: those lose their user name in messages, as it may be a secret. */
  place: string;
  /** The command with which a user tries the same. */
  command: string;
  /** The name in `known_hosts`. */
  host: string;
}

/** Reads the options that Docker gives to `ssh`. */
function addressOf(words: string): Address {
  const option = (name: string): string | undefined => new RegExp(`(?:^| )-${name} (\\S+)`).exec(words)?.[1];
  const host = words.split(' ').at(-1) ?? '';
  const [user, port] = [option('l'), option('p')];
  const target = `${user === undefined ? '' : `${user}@`}${host}`;
  return {
    place: `${target}${port === undefined ? '' : `:${port}`}`,
    command: `ssh ${port === undefined ? '' : `-p ${port} `}${target}`,
    host: port === undefined ? host : `[${host}]:${port}`,
  };
}

interface Reason {
  pattern: RegExp;
  reason(stderr: string): string;
  hint(address: Address): string;
}

/** Returns the first line of what ssh printed that says why. */
function lineOf(stderr: string, pattern: RegExp): string {
  return pattern.exec(stderr)?.[0].trim() ?? lastLine(stderr);
}

function lastLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').at(-1) ?? 'ssh gave no reason';
}

const OTHER: Reason = {
  pattern: /^/,
  reason: lastLine,
  hint: ({ command }) => `Check that it works: ${command} docker version.`,
};

const CONNECT =
  /(?:Connection refused|timed out|No route to host|Could not resolve hostname .*|Network is unreachable)/i;

const REASONS: readonly Reason[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    reason: () => 'the host key has changed',
    hint: ({ command, host }) =>
      `If the machine is new, remove the old key (ssh-keygen -R '${host}') and accept the new one: ${command}.`,
  },
  {
    pattern: /Host key verification failed/,
    reason: () => 'the host key is not known',
    hint: ({ command }) => `Check and accept it: ${command}.`,
  },
  {
    pattern: /Permission denied \(/,
    reason: () => 'the login was refused',
    hint: ({ command }) =>
      `Docker uses keys and asks for no password. Add your key to ssh-agent or ~/.ssh/config, and check: ${command}.`,
  },
  { pattern: CONNECT, reason: (stderr) => lineOf(stderr, CONNECT), hint: OTHER.hint },
  {
    pattern: /docker: (?:command )?not found|docker' is not recognized|No such file or directory.*docker/i,
    reason: () => 'there is no docker command',
    hint: ({ command }) => `Install Docker there, on the PATH of non-interactive logins: ${command} docker version.`,
  },
];

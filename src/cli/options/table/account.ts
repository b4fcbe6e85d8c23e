import { FLAG, TEXT } from '../grammar.ts';
import { checkRegion } from '../option-checks.ts';
import { option } from '../option-spec.ts';

/** Options that choose the account and Region. */
export const ACCOUNT = {
  region: option({
    names: ['--region'],
    grammar: TEXT,
    check: checkRegion,
    defaultText: 'AWS_REGION, AWS_DEFAULT_REGION or the Region of the profile',
    group: 'Account and Region',
    help: 'AWS Region to sync to.',
    configKeys: ['region'],
    whenChanged: 'fixed',
  }),
  profile: option({
    names: ['--profile'],
    grammar: TEXT,
    group: 'Account and Region',
    help: 'Profile of your AWS configuration files to take credentials and Region from.',
    configKeys: ['profile'],
    whenChanged: 'fixed',
  }),
  local: option({
    names: ['--local'],
    negation: '--no-local',
    grammar: FLAG,
    default: false,
    group: 'Account and Region',
    help: 'Sync to the local cloud on this machine instead of an AWS account. Sets it up and starts it if needed.',
    configKeys: ['local'],
    saved: false,
    whenChanged: 'fixed',
  }),
} as const;

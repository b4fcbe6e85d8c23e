import { failOnViolations } from './aws-contract.ts';

failOnViolations();

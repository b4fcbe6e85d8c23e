import { cleanUpAfterFile } from './at-end.ts';
import { failOnViolations } from './aws-contract.ts';

cleanUpAfterFile();
failOnViolations();

/** Finds the dynamic references in a text, such as `{{resolve:ssm:/name}}`: CloudFormation puts in their values when it deploys. */
export const DYNAMIC_REFERENCE = /\{\{resolve:[^}]*\}\}/g;

export { KMSClient as Client, DescribeKeyCommand, GetKeyPolicyCommand } from '@aws-sdk/client-kms';

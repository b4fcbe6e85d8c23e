export { ECRClient as Client, DescribeImagesCommand, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';

import { describe, expect, it } from 'vitest';
import { validateTemplate } from '../../../../src/model/validation/validate-template.ts';
import { createLocator } from '../../../../src/template/locate.ts';
import { parseTemplate } from '../../../../src/template/yaml/yaml.ts';

const SAM = 'Transform: AWS::Serverless-2016-10-31\n';
const FUNCTION = `${SAM}Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: app.handler
      Runtime: python3.13
`;

describe('what CloudFormation refuses', () => {
  it.each<[name: string, template: string, messages: string[]]>([
    [
      'a slip in a short function, once',
      `${FUNCTION}      Role: !Subs "\${Nothing}"\n      Description: !ref Fn`,
      [
        '9: Fn::Subs is not an intrinsic function. Did you mean Fn::Sub?',
        '10: Fn::ref is not an intrinsic function. Did you mean Ref?',
      ],
    ],
    [
      'a slip in a function of a condition',
      `${FUNCTION}Conditions: {A: !Equal [a, b]}`,
      ['9: Fn::Equal is not an intrinsic function. Did you mean Fn::Equals?'],
    ],
    [
      'slips in a parameter',
      `${FUNCTION}Parameters:\n  P:\n    Type: Strng\n    AllowdValues: [a]`,
      [
        '12: A parameter has no attribute AllowdValues. Did you mean AllowedValues?',
        '11: Strng is not a parameter type. Did you mean String?',
      ],
    ],
    [
      'a slip in an output',
      `${FUNCTION}Outputs: {A: {Vale: !Ref Fn}}`,
      ['9: An output has no attribute Vale. Did you mean Value?'],
    ],
    [
      'another version of the format',
      `AWSTemplateFormatVersion: 2010-09-10\n${FUNCTION}`,
      ['1: AWSTemplateFormatVersion must be 2010-09-09, not 2010-09-10'],
    ],
    [
      'a section of another name, and not what refers to it',
      `${FUNCTION}Paramters: {Stage: {Type: String}}\nOutputs: {A: {Value: !Ref Stage}}`,
      ['9: The template has no section Paramters. Did you mean Parameters?'],
    ],
    [
      'Transform of another name',
      FUNCTION.replace('Transform', 'Transfrom'),
      ['1: The template has no section Transfrom. Did you mean Transform?'],
    ],
    [
      'a type of events',
      `${FUNCTION}      Events: {Get: {Type: HttApi}}`,
      ['9: Events.Get.Type of AWS::Serverless::Function cannot be HttApi. Did you mean HttpApi?'],
    ],
    [
      "slips in SAM's policy templates",
      `${FUNCTION}      Policies:\n        - DynamoDBCrudPolcy: {TableName: a}\n        - DynamoDBCrudPolicy: {TabelName: a}`,
      [
        '10: Policies of AWS::Serverless::Function has no property DynamoDBCrudPolcy. Did you mean DynamoDBCrudPolicy?',
        '11: Policies.DynamoDBCrudPolicy of AWS::Serverless::Function has no property TabelName. Did you mean TableName?',
      ],
    ],
    [
      'a slip in what SAM generates',
      `${FUNCTION}Outputs: {A: {Value: !Ref ServerlessHttpAPI}}`,
      [
        '9: !Ref ServerlessHttpAPI: the template has no parameter or resource ServerlessHttpAPI. Did you mean ServerlessHttpApi?',
      ],
    ],
    [
      'no transform',
      FUNCTION.slice(SAM.length),
      [
        '3: AWS::Serverless::Function needs the transform of AWS SAM. Add this line at the top level: Transform: AWS::Serverless-2016-10-31',
      ],
    ],
    [
      'another date in the transform',
      FUNCTION.replace('10-31', '10-13'),
      ['1: There is no transform AWS::Serverless-2016-10-13. Did you mean AWS::Serverless-2016-10-31?'],
    ],
    [
      'a transform with one colon',
      FUNCTION.replace('AWS::Serverless', 'AWS:Serverless'),
      ['1: There is no transform AWS:Serverless-2016-10-31. Did you mean AWS::Serverless-2016-10-31?'],
    ],
    [
      'a slip in a type',
      FUNCTION.replace('Function', 'Functoin'),
      ['4: AWS::Serverless::Functoin is not a resource type. Did you mean AWS::Serverless::Function?'],
    ],
    [
      'another case in a type',
      'Resources:\n  T:\n    Type: AWS::DynamoDb::Table',
      ['3: AWS::DynamoDb::Table is not a resource type. Did you mean AWS::DynamoDB::Table?'],
    ],
    [
      'a type without AWS::',
      'Resources:\n  T:\n    Type: Lambda::Function',
      ['3: Lambda::Function is not a resource type. Did you mean AWS::Lambda::Function?'],
    ],
    [
      'a slip in a property',
      FUNCTION.replace('Handler', 'Handlr'),
      ['7: AWS::Serverless::Function has no property Handlr. Did you mean Handler?'],
    ],
    [
      'a slip in a nested property',
      `${FUNCTION}      Environment:\n        Variabels: {A: b}`,
      ['10: Environment of AWS::Serverless::Function has no property Variabels. Did you mean Variables?'],
    ],
    [
      'a slip in a list',
      `${FUNCTION}      FileSystemConfigs:\n        - Arn: a\n          LocalMountPaht: /mnt/a`,
      [
        '11: FileSystemConfigs of AWS::Serverless::Function has no property LocalMountPaht. Did you mean LocalMountPath?',
      ],
    ],
    [
      'a slip in an event',
      `${FUNCTION}      Events:\n        Get:\n          Type: Api\n          Propertys: {Path: /, Method: get}`,
      ['12: Events.Get of AWS::Serverless::Function has no property Propertys. Did you mean Properties?'],
    ],
    [
      'a slip in a branch',
      `${FUNCTION}      VpcConfig: !If\n        - AWS::NoValue\n        - SubnetIDs: []\n        - {}\nConditions: {AWS::NoValue: !Equals [a, b]}`,
      ['11: VpcConfig of AWS::Serverless::Function has no property SubnetIDs. Did you mean SubnetIds?'],
    ],
    [
      'a slip in Globals',
      `${FUNCTION}Globals:\n  Function:\n    TimeOut: 3\n  Functons: {}`,
      [
        '11: AWS::Serverless::Function has no property TimeOut. Did you mean Timeout?',
        '12: Globals has no section Functons. Did you mean Function?',
      ],
    ],
    [
      'a slip in a property of Lambda',
      'Resources:\n  P:\n    Type: AWS::Lambda::Permission\n    Properties:\n      FunctionNames: a',
      ['5: AWS::Lambda::Permission has no property FunctionNames. Did you mean FunctionName?'],
    ],
    [
      "SAM's property of a type of Lambda",
      'Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      CodeUri: src',
      ['5: AWS::Lambda::Function has no property CodeUri. It is a property of AWS::Serverless::Function.'],
    ],
    ['a slip in a section', `${FUNCTION}Output: {}`, ['9: The template has no section Output. Did you mean Outputs?']],
    [
      'a slip in an attribute of a resource',
      FUNCTION.replace('Properties', 'Propertise'),
      ['5: A resource has no attribute Propertise. Did you mean Properties?'],
    ],
    [
      "a slip in an attribute of CloudFormation's types",
      'Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Propertise: {}\n    DependOn: A',
      [
        '4: A resource has no attribute Propertise. Did you mean Properties?',
        '5: A resource has no attribute DependOn. Did you mean DependsOn?',
      ],
    ],
    [
      'variables that Lambda sets itself',
      `${FUNCTION}      Environment:\n        Variables:\n          AWS_REGION: a\n          AWS_REGION_NAME: a\nGlobals:\n  Function:\n    Environment:\n      Variables:\n        AWS_LAMBDA_FUNCTION_NAME: a`,
      [
        '11: Environment variable AWS_REGION cannot be set: Lambda sets it itself. Remove it, or use another name',
        '17: Environment variable AWS_LAMBDA_FUNCTION_NAME cannot be set: Lambda sets it itself. Remove it, or use another name',
      ],
    ],
    [
      'keys without a value',
      `Description:\n${FUNCTION}      Environment:\n        Variables: {A: !If [B, null, a]}\n  Q:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: }\nConditions: {B: !Equals [a, b]}\nOutputs:`,
      [
        '1: Description has no value: CloudFormation accepts no null. Remove the key, or set a value',
        '16: Outputs has no value: CloudFormation accepts no null. Remove the key, or set a value',
        '11: Resources.Fn.Properties.Environment.Variables.A.Fn::If.1 has no value: CloudFormation accepts no null. Remove the key, or set a value',
        '14: Resources.Q.Properties.QueueName has no value: CloudFormation accepts no null. Remove the key, or set a value',
      ],
    ],
    [
      'a reference to nothing',
      `${FUNCTION}      Role: !GetAtt Roles.Arn\n      Layers: [!Ref Layer]`,
      [
        '9: !GetAtt Roles.Arn: the template has no resource Roles.',
        '10: !Ref Layer: the template has no parameter or resource Layer.',
      ],
    ],
    [
      'a slip in a reference',
      `${FUNCTION}      Description: !Sub "\${Fnn} \${AWS::Regoin} \${!Fnn} \${Fn.Arm} \${Own}"`,
      [
        '9: ${Fnn} in Fn::Sub: the template has no parameter or resource Fnn. Did you mean Fn?',
        '9: ${AWS::Regoin} in Fn::Sub: the template has no pseudo parameter AWS::Regoin. Did you mean AWS::Region?',
        '9: ${Fn.Arm} in Fn::Sub: AWS::Serverless::Function has no attribute Arm. Did you mean Arn?',
        '9: ${Own} in Fn::Sub: the template has no parameter or resource Own.',
      ],
    ],
    [
      'a dependency on nothing',
      `${FUNCTION}    DependsOn: [Fm]\n    Condition: Never`,
      [
        '9: DependsOn: Fm: the template has no resource Fm. Did you mean Fn?',
        '10: Condition: Never: the template has no condition Never.',
      ],
    ],
    [
      'conditions and mappings that are not there',
      `${FUNCTION}      Timeout: !If [IsProd, 1, !FindInMap [Times, a, b]]\nConditions:\n  IsProds: !Not [!Condition IsDev]`,
      [
        '9: !If [IsProd, …]: the template has no condition IsProd. Did you mean IsProds?',
        '9: !FindInMap [Times, …]: the template has no mapping Times.',
        '11: !Condition IsDev: the template has no condition IsDev.',
      ],
    ],
    [
      'a reference in an output',
      `${FUNCTION}Outputs:\n  A:\n    Value: !GetAtt Fn.ARN`,
      ['11: !GetAtt Fn.ARN: AWS::Serverless::Function has no attribute ARN. Did you mean Arn?'],
    ],
  ])('%s', (_name, text, messages) => {
    const { refused, doubtful } = validate(text);
    expect(refused.sort()).toEqual(messages.sort());
    expect(doubtful).toEqual([]);
  });
});

describe('what may be newer than the schemas', () => {
  it.each<[name: string, template: string, message: RegExp]>([
    [
      'a new function',
      `${FUNCTION}      Description: !Reverse [a]`,
      /^9: Fn::Reverse is not an intrinsic function, as of /,
    ],
    [
      'a new type of events',
      `${FUNCTION}      Events: {A: {Type: Timestream}}`,
      /^9: Events.A.Type of AWS::Serverless::Function cannot be Timestream, as of /,
    ],
    [
      'a new type',
      'Resources:\n  T:\n    Type: AWS::NewService::Thing',
      /^3: AWS CloudFormation has no resource type AWS::NewService::Thing, as of 20/,
    ],
    [
      "a slip in an attribute of SAM's types, which its transform ignores",
      `${SAM}Resources:\n  A:\n    Type: AWS::Serverless::HttpApi\n    roperties: {Description: a}`,
      /^5: AWS SAM ignores roperties\. Did you mean Properties\?$/,
    ],
    [
      'a property that Globals cannot have',
      `${FUNCTION}Globals:\n  Function:\n    Policies: []`,
      /^11: AWS SAM does not support Policies in Globals\.Function, as of [-\d]+\. Set it in each resource$/,
    ],
    [
      'what is no property of the type, in Globals',
      `${FUNCTION}Globals:\n  Function:\n    Metadata: {BuildMethod: esbuild}`,
      /^11: AWS SAM does not support Metadata in Globals\.Function, as of /,
    ],
    [
      'a section that Globals cannot have',
      `${FUNCTION}Globals: {Application: {Tags: {A: b}}}`,
      /^9: AWS SAM does not support Globals for AWS::Serverless::Application, as of /,
    ],
    [
      'a second version of a type is no slip',
      'Resources:\n  T:\n    Type: AWS::S3::BucketV2',
      /AWS::S3::BucketV2, as of [-\d]+\. Did you mean AWS::S3::Bucket\?$/,
    ],
    [
      'a new property',
      `${FUNCTION}      BrandNewSetting: 1`,
      /^9: AWS::Serverless::Function has no property BrandNewSetting, as of /,
    ],
    [
      'a property like one that is there',
      `${FUNCTION}      Handlers: [a]`,
      /^9: AWS::Serverless::Function has no property Handlers, as of /,
    ],
    [
      'a new attribute',
      `${FUNCTION}Outputs: {A: {Value: !GetAtt Fn.Weight}}`,
      /^9: !GetAtt Fn.Weight: AWS::Serverless::Function has no attribute Weight, as of /,
    ],
  ])('%s', (_name, text, message) => {
    const { refused, doubtful } = validate(text);
    expect(refused).toEqual([]);
    expect(doubtful).toEqual([expect.stringMatching(message)]);
  });
});

describe('what passes', () => {
  it.each<[name: string, template: string]>([
    [
      "attributes of what SAM's type becomes",
      `${SAM}Resources:\n  G: {Type: AWS::Serverless::GraphQLApi, Properties: {Auth: {Type: API_KEY}}}\n  W: {Type: AWS::Serverless::WebSocketApi}\nOutputs:\n  A: {Value: !Sub "\${G.ApiId} \${W.ApiEndpoint}"}`,
    ],
    [
      'null where the transform of SAM leaves it out, and in JSON',
      `${FUNCTION}      Events:\n      Description: null\n      Environment:\n  A: {Type: AWS::Serverless::HttpApi, Properties: }\n  M: {Type: AWS::StepFunctions::StateMachine, Properties: {Definition: {States: {A: {ResultPath: null}}}}}\n  C: {Type: Custom::Thing, Properties: {A: }}`,
    ],
    [
      'every form of Policies',
      `${FUNCTION}      Policies: !If [A, AmazonS3ReadOnlyAccess, [AmazonS3ReadOnlyAccess, {Version: 2012-10-17, Id: a, Statement: []}, !Ref "AWS::NoValue", {SQSPollerPolicy: {QueueName: a}}]]\nConditions: {A: !Equals [a, b]}`,
    ],
    [
      'custom and third-party types, modules, and what they have',
      'Resources:\n  A: {Type: Custom::Thing, Properties: {X: 1}}\n  B: {Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: a}}\n  C: {Type: My::Own::Type}\n  D: {Type: My::Own::Type::MODULE}\nOutputs:\n  O: {Value: !Sub "${A.Any} ${B.Any.Deep} ${C.Any} ${DInner} ${D.Inner}"}',
    ],
    [
      'a macro may change everything',
      'Transform: [AWS::Serverless-2016-10-31, MyMacro]\nResources:\n  A: {Type: Short, Properties: {X: !Ref Nothing}}',
    ],
    [
      'a macro beside properties',
      `${FUNCTION}      Fn::Transform: {Name: Mine}\n      Handlr: a\n      Role: !Ref Nothing`,
    ],
    [
      'an include of resources',
      `${FUNCTION}      Role: !GetAtt Included.Arn\n  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}`,
    ],
    [
      'a loop that only CloudFormation can expand',
      `${FUNCTION.replace('Transform:', 'Transform: [AWS::LanguageExtensions,').replace('10-31', '10-31]')}      Role: !GetAtt RoleOfA.Arn\n  Fn::ForEach::Roles: [Name, !Ref Names, {"RoleOf\${Name}": {Type: AWS::IAM::Role, Properties: {X: !Ref Name}}}]\nParameters: {Names: {Type: CommaDelimitedList}}`,
    ],
    [
      "SAM's own references",
      `${FUNCTION}      AutoPublishAlias: live\n      Events: {get: {Type: Api, Properties: {Path: /, Method: get}}}\nOutputs:\n  A: {Value: !Sub "\${Fn.Alias} \${Fn.Version} \${Fn.Version.Version} \${FnRole} \${FnRole.Arn} \${FnAliaslive} \${FngetPermissionProd}"}\n  B: {Value: !Ref Fn.Version}\n  C: {Value: !Sub "\${ServerlessRestApi} \${ServerlessRestApi.Stage} \${ServerlessRestApiProdStage}"}\n  D: {Value: !GetAtt Fn.Arn, Condition: ServerlessRestApiCondition}`,
    ],
    [
      'outputs of nested stacks',
      'Resources:\n  S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: s3://a/b}}\nOutputs:\n  O: {Value: !GetAtt S.Outputs.Anything}',
    ],
    [
      'keys of users and of policies',
      `${FUNCTION}      Tags: {Handlr: a}\n      Environment: {Variables: {Handlr: a}}\n      Policies:\n        - {Statement: [{Effect: Allow, Action: a, Resource: b, Condition: {StringEquals: {a: b}}}]}`,
    ],
    ['a template without SAM', 'Resources:\n  B: {Type: AWS::S3::Bucket, Properties: {BucketNam: not checked}}'],
    [
      'a mapping with a default value',
      `${FUNCTION.replace('Transform: AWS::S', 'Transform: [AWS::LanguageExtensions, AWS::S').replace('10-31', '10-31]')}      Timeout: !FindInMap [Times, a, b, {DefaultValue: 3}]`,
    ],
    [
      'names of prototypes',
      `${FUNCTION}      Description: !Sub "\${constructor}"\nParameters: {constructor: {Type: String}}`,
    ],
  ])('%s', (_name, text) => {
    expect(validate(text)).toEqual({ refused: [], doubtful: [] });
  });
});

function validate(text: string): { refused: string[]; doubtful: string[] } {
  const { refused, doubtful } = validateTemplate(parseTemplate(text, 'template.yaml', []));
  const locate = createLocator(text);
  const show = ({ path, message }: (typeof doubtful)[number]): string => `${locate(path)?.line}: ${message}`;
  return { refused: refused.map(show), doubtful: doubtful.map(show) };
}

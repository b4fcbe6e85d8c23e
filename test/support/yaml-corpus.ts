/** Documents that PyYAML reads and that a stricter parser refuses, and whose neighbours are worth a try. */
export const SHAPES: readonly string[] = [
  // closing brackets, flow mappings and their items at any column
  'a:\n  b: [\n    {k: 1}\n  ]\n',
  'a:\n  b: [\n{k: 1},\n{k: 2}\n]\n',
  'a:\n  b: {\n  c: d,\n    }\n',
  'a: {\nb: c\n}\nd: e\n',
  'a: [x\ny]\n',
  'a:\n- [x,\ny\n]\n- {k: v,\nl: w}\n',
  'a: !Join [",", [x,\n!Ref B\n]]\n',
  'a: [a b\nc d, "e\nf"]\n',
  'a: [# comment\n  x, # another\ny]\n',
  'a: {x, y: , ? z : 1, "q":1, r}\n',
  'a: [k: v, ? x : y, ? z, : w]\n',
  'a: [x, y, ]\nb: {x: 1, }\nc: []\nd: {}\n',
  'a: {b:c, d: e:f, g: "h":i}\n',
  // quoted texts
  "a:\n  b: 'two\n  lines'\n",
  'a:\n  b: "two\nlines"\nc: d\n',
  'a: "folded \\\n   on\n\n  and on\\n\\x41\\u00e9\\U0001F600\\t\\/"\n',
  "a: 'it''s\n\n\n  far'\n",
  '"a\\tb": c\n\'d\': e\n"f" : g\n',
  // block texts
  'a:\n|\n  text\n  more\nb: 1\n',
  'a:\n  |\n  text\n',
  'a: |2\n    two more\n  none\nb: >1-\n  x\n',
  'a: >\n  one\n  two\n\n  three\n    four\n  five\n\n\nb: |+\n  keep\n\n\nc: |-\n  strip\n\n',
  'a: | # comment\n  # not a comment\n  x\n',
  'a: !Sub |\n  x ${B}\nb: &n !Sub >-\n  y\n  z\nc: *n\n',
  '- |\n x\n- >\n y\n- - |\n   z\n',
  'a: |\n\n   \n  deep\n   er\n  \n',
  // line breaks that only YAML 1.1 knows
  'a: 1\u0085b: 2\u0085',
  'a: "x\u2028y"\nb: |\n  l\u2029  m\n',
  'a: x\u2028  y\nb: 1\n',
  'a: 1 # c\u2028b: 2\n',
  'a: 1\r\nb:\r\n  - x\r- y\n',
  // tags, anchors, documents
  'a: !!binary aGVsbG8=\nb: !!binary |\n  aGVs\n  bG8=\n',
  'a: !!str 1\nb: !!int "12"\nc: !!float 1\nd: !!bool "no"\ne: !!null ""\nf: ! 12\n',
  '%YAML 1.1\n---\na: !Ref X\n...\n',
  '%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\nb: !<tag:yaml.org,2002:int> 3\n',
  'a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\ne: [*x, *x]\n',
  'a: &x\n  b: 1\nc: &y [1]\n<<: {d: 1}\n',
  'a: !GetAtt B.C.D\nb: !GetAtt [B, C]\nc: !If [X, !Ref "AWS::NoValue", {d: !Sub "e"}]\n',
  'a: !Foo\n  b: 1\nc: !Bar\n- 1\n- 2\nd: !Baz\n',
  // plain texts
  'a: x\n  y\n\n  z\nb: w\n',
  'a: b:c\nd: http://x.y/z#frag # comment\ne: -1\nf: - x\n',
  'a: x, y [z] {w}\nb: ?x\nc: :y\nd: -z\n',
  'a:\n- x\n- y\nb:\n- - 1\n  - 2\n-\n',
  '? a\n: b\n? [c]\n: d\n? e\n',
  '? |\n  key\n: - one\n  - two\n',
  'a: yes\nb: 012\nc: 1:30\nd: 1_000\ne: ~\nf:\ng: 2010-09-09\nh: .5\ni: 1e3\nj: =\n',
  '# only\n# comments\n',
  '---\n- a\n-\n- b: c\n  d: e\n-   f: g\n    h: i\n',
  'a: b\n\tc: d\n',
  'a:\tb\nc: "d"\t\ne: [f,\tg]\n',
];

const TEMPLATE = `AWSTemplateFormatVersion: '2010-09-09'
Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions]
Parameters:
  Stage: {Type: String, Default: dev,
    AllowedValues: [dev, "prod"]}
Conditions:
  IsProd: !Equals [!Ref Stage, 'prod']
Resources:
  Fn: # the function
    Type: AWS::Serverless::Function
    Metadata: &meta
      BuildMethod: esbuild
    Properties:
      CodeUri: ./src
      Handler: app.handler
      Timeout: 010
      Description: >-
        folded text
        over lines
      Environment:
        Variables: {TABLE: !Ref Table, URL: !Sub "https://\${Api}/\${Stage}"}
      Policies:
      - Statement:
        - {Effect: Allow, Action: ["s3:Get*", 's3:List*'], Resource: !GetAtt Bucket.Arn}
  Machine:
    Type: AWS::Serverless::StateMachine
    Metadata:
      <<: *meta
      Other: yes
    Properties:
      Definition: {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}
      Text: |
        line one
          line two
Outputs:
  Arn:
    Value: !If [IsProd, !GetAtt Fn.Arn,
      !Ref "AWS::NoValue"]
`;

/** Pieces that mean something in YAML. */
const PIECES = [
  ' ', '  ', '\n', '\n\n', '\t', '\r\n', '\u0085', '\u2028', '\uFEFF', ':', ': ', ':\n', '-', '- ', '\n- ', '?', '? ', ',', ', ', '[', ']',
  '{', '}', '#', ' #', '&a ', '*a ', '!', '!!', '!x ', '!!str ', '|', '>', '|\n', '>-\n', "'", '"', "''", '\\', '\\n', '%', '@', '`', '---',
  '\n---\n', '\n...\n', '<<: ', '=', '~', '0', 'x', 'é', '😀', '\u0000', '\u007f',
]; // prettier-ignore

/** `count` documents, each a shape or a template with one to three random changes. The same seed gives the same ones. */
export function mutatedDocuments(count: number, seed: number): string[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    let text = (index % 3 === 0 ? TEMPLATE : SHAPES[random(SHAPES.length)]) ?? '';
    for (let changes = 1 + random(3); changes > 0; changes--) text = mutate(text, random);
    return text;
  });
}

type Random = (below: number) => number;

function mutate(text: string, random: Random): string {
  const at = random(text.length + 1);
  const other = random(text.length + 1);
  const [from, to] = at < other ? [at, other] : [other, at];
  const lines = text.split('\n');
  const line = random(lines.length);
  switch (random(8)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1 + random(3));
    case 1:
      return text.slice(0, at) + text.slice(from, from + random(12)) + text.slice(at);
    case 2:
      return lines.with(line, ' '.repeat(random(6)) + (lines[line] ?? '').trimStart()).join('\n');
    case 3:
      return lines.toSpliced(line, 1).join('\n');
    case 4:
      return [...lines.slice(0, line), (lines[line] ?? '').trimStart(), ...lines.slice(line)].join('\n');
    case 5:
      return text.slice(0, to);
    default:
      return text.slice(0, at) + (PIECES[random(PIECES.length)] ?? '') + text.slice(at);
  }
}

/** Numbers below a bound, from a linear congruential generator. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

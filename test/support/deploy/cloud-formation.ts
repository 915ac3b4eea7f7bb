import { createServer } from 'node:http';

/** A stack as CloudFormation would tell of it. */
export interface ToldStack {
  readonly status?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly template?: object;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * What CloudFormation answers to two questions about stacks, in its own protocol, to an unmodified client. `stacks` may be changed while it serves.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export const startCloudFormation = async (stacks: Map<string, ToldStack>) => {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const asked = new URLSearchParams(body);
      const action = asked.get('Action') ?? '';
      const name = asked.get('StackName') ?? '';
      const told = stacks.get(name);
      const [status, answer] = told
        ? [
            200,
            `<${action}Response><${action}Result>${resultOf(action, name, told)}</${action}Result></${action}Response>`,
          ]
        : [
            400,
            `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
          ];
      response.writeHead(status, { 'content-type': 'text/xml' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
};

const resultOf = (
  action: string,
  name: string,
  { status = 'UPDATE_COMPLETE', outputs = {}, template = {} }: ToldStack,
) => {
  if (action === 'GetTemplate') return `<TemplateBody>${escaped(JSON.stringify(template))}</TemplateBody>`;
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<Stacks><member><StackName>${name}</StackName><StackId>arn:aws:cloudformation:us-east-1:111122223333:stack/${name}/1</StackId><StackStatus>${status}</StackStatus><CreationTime>2026-01-01T00:00:00.000Z</CreationTime><Outputs>${members.join('')}</Outputs></member></Stacks>`;
};

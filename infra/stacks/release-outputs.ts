import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { layoutsText, releases } from '../releases.ts';

/** Key of the context that says which commit is deployed. */
export const commitContext = 'commit';

/** Which release is deployed, and which layouts of rows it reads and writes: the next deployment is held to that. */
export class ReleaseOutputs extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const release = releases.at(-1);
    if (!release) throw new Error('There is a release under way');
    const output = (name: string, value: string, description: string) => {
      const made = new CfnOutput(this, name, { value, description });
      made.overrideLogicalId(name);
    };
    output('Release', release.release, 'The release that is deployed');
    output('Commit', String(this.node.tryGetContext(commitContext) ?? 'unknown'), 'The commit that is deployed');
    output('LayoutsRead', layoutsText(release.reads), 'Highest layout of each kind of row that it reads');
    output('LayoutsWritten', layoutsText(release.writes), 'Highest layout of each kind of row that it writes');
  }
}

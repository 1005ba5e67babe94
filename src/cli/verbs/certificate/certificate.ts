import { verbHelp } from '../../help.ts';
import { defineVerb, entryOf } from '../../verb.ts';
import { decisionVerb } from './decision.ts';

export const certificate = defineVerb({
  name: 'certificate',
  summary: 'Modify certificate resources',
  usage: 'SUBCOMMAND',
  flags: {},
  commands: [
    entryOf(
      decisionVerb({
        name: 'approve',
        summary: 'Approve a certificate signing request',
        about:
          'Tells the signer of a request to issue its certificate, with everything that was asked for.\n\n What the certificate then allows is for you to judge: it may let its holder act as anybody.',
        condition: 'Approved',
        opposite: 'Denied',
        reason: 'KubectlApprove',
      }),
    ),
    entryOf(
      decisionVerb({
        name: 'deny',
        summary: 'Deny a certificate signing request',
        about: 'Tells the signer of a request not to issue its certificate.',
        condition: 'Denied',
        opposite: 'Approved',
        reason: 'KubectlDeny',
      }),
    ),
  ],
  async run(context) {
    context.out(verbHelp(certificate, context.commandPath));
    return 0;
  },
});

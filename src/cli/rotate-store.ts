// `cardea keys rotate-store`: replaces the keys of a running gateway's store, and waits until every record is sealed anew.

import { promisify } from 'node:util';
import type { Calls } from '../admin/protocol.ts';
import { CardeaError } from '../errors.ts';
import type { CliSession, GatewayOptions } from './session.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

const wait = promisify(setTimeout);
/** Between two looks at how far it is, in milliseconds. */
const LOOK_EVERY = 250;

const CREDENTIAL_HELP = `The key that opens the store is a credential of the service manager, and stays. To replace it give the
service a new one as cardea-store-key, the present one as cardea-store-key-former, and restart it; then take the former one away.
`;

/** Rejects with CardeaError `store-write-failed` when it does not come to its end. */
export const rotateStore = async (options: Options, session: CliSession): Promise<void> => {
  const gateway = await session.gateway(options);
  const begun = await gateway.call('rotate-store', { operator: session.environment.operator() });
  if (options.json !== true) await session.print(begunText(begun));
  let rotation = await gateway.call('store-rotation', {});
  while (rotation.isUnderWay) {
    await wait(LOOK_EVERY);
    rotation = await gateway.call('store-rotation', {});
  }
  const { sealedAnew, fault } = rotation;
  if (fault !== null) throw new CardeaError('store-write-failed', `the store is not sealed anew yet: ${fault}`);
  if (options.json === true) await session.printJson({ ...begun, sealedAnew });
  else await session.print(`${sealedAnew} records are sealed anew; the former key opens none of them\n`);
};

const begunText = ({ isResumed, isKeyFileReplaced }: Calls['rotate-store']['answer']): string => {
  if (isResumed) return 'going on with what was begun before\n';
  return isKeyFileReplaced ? 'the key file has a new key\n' : CREDENTIAL_HELP;
};

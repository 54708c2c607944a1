// The broker contract on the broker that the gateway brings along.

import { brokerContract } from '../contracts/broker.contract.ts';
import { EMBEDDED } from '../fixtures/embedded.ts';

brokerContract(EMBEDDED);

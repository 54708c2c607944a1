// The broker contract on NATS with JetStream.

import { brokerContract } from '../contracts/broker.contract.ts';
import { NATS_SERVER } from '../fixtures/nats-server.ts';

brokerContract(NATS_SERVER);

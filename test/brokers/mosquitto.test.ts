// The broker contract on mosquitto, in both protocol versions.

import { brokerContract } from '../contracts/broker.contract.ts';
import { MOSQUITTO } from '../fixtures/mosquitto.ts';

brokerContract(MOSQUITTO);

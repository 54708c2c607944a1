// The real link on the broker inside the process.

import { EmbeddedBroker } from '../../../src/drivers/embedded-broker/embedded-broker.ts';
import { createLog } from '../../../src/log.ts';
import { hrLinkContract } from '../../contracts/hr-link.contract.ts';
import { openMqttHarness } from '../../fixtures/mqtt-hr-link-harness.ts';

const log = createLog('silent');

hrLinkContract('MqttHrLink on the embedded broker, MQTT 3.1.1', async () => {
  let broker = new EmbeddedBroker({ port: 0, log });
  const { port } = await broker.start();
  const restartEmpty = async (): Promise<void> => {
    broker = new EmbeddedBroker({ port, log });
    await broker.start();
  };
  return openMqttHarness({ port, stop: () => broker.stop(), restartEmpty, close: () => broker.stop() }, 4);
});

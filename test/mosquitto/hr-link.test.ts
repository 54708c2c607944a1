// The real link on a real broker, in both protocol versions.

import { hrLinkContract } from '../contracts/hr-link.contract.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { openMqttHarness } from '../fixtures/mqtt-hr-link-harness.ts';

for (const [name, version] of [
  ['MQTT 5', 5],
  ['MQTT 3.1.1', 4],
] as const) {
  hrLinkContract(`MqttHrLink on mosquitto, ${name}`, async () => {
    const broker = await Mosquitto.start();
    const restartEmpty = () => broker.resume({ forget: true });
    return openMqttHarness(
      { port: broker.port, stop: () => broker.stop(), restartEmpty, close: () => broker.close() },
      version,
    );
  });
}

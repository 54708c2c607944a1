// The broker contract on RabbitMQ with its MQTT plugin.

import { brokerContract } from '../contracts/broker.contract.ts';
import { RABBITMQ } from '../fixtures/rabbitmq.ts';

brokerContract(RABBITMQ);

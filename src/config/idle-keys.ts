// Keys that are right by themselves and do nothing where they stand, and wiring that needs something from outside: warned of,
// so that nobody relies on them.

import { exitAction, relockOnClose } from './door-schema.ts';
import { atKey, type Finding, type Findings } from './faults.ts';
import { readerDriver } from './reader-schema.ts';
import { gpioDriver } from './schema.ts';
import { isBlock, type YamlTree } from './yaml-tree.ts';

/** What is said about the door's leaf means nothing where no contact tells how it stands. */
export const contactless = (tree: YamlTree): Findings => {
  const warnings = tree.keys(['doors']).flatMap((door): readonly Finding[] => {
    const block = ['doors', door];
    if (!isBlock(tree.at(block)) || tree.at([...block, 'contact']) !== undefined) return [];
    const heldOpen = [
      [...block, 'heldOpenSeconds'],
      [...block, 'heldOpenWarningSeconds'],
    ].filter((path) => tree.at(path) !== undefined);
    const action = [...block, 'exitButton', 'action'];
    const isShunt = tree.read(action, exitAction) === 'shunt';
    const relock = [...block, 'strike', 'relockOnClose'];
    const asksToRelock = tree.at(relock) !== undefined && tree.read(relock, relockOnClose) === true;
    return [
      ...heldOpen.map((path) => atKey(path, NEEDS_CONTACT)),
      ...(asksToRelock ? [atKey(relock, NEEDS_CONTACT)] : []),
      ...(isShunt ? [atKey(action, NOTHING_TO_SHUNT)] : []),
    ];
  });
  return { warnings };
};

const NEEDS_CONTACT = 'has no effect without a contact, which tells whether the door is open';

const NOTHING_TO_SHUNT = 'there is no contact to shunt: the button is recorded and does nothing else';

/** Where a reader hangs means nothing for one that hangs nowhere. */
export const wiredSimulation = (tree: YamlTree): Findings => {
  const simulated = tree.keys(['readers']).filter((reader) => {
    return tree.read(['readers', reader, 'driver'], readerDriver) === 'simulated';
  });
  const paths = simulated.flatMap((reader) => ['spi', 'resetLine'].map((key) => ['readers', reader, key]));
  return {
    warnings: paths
      .filter((path) => tree.at(path) !== undefined)
      .map((path) => atKey(path, 'has no effect on a simulated reader')),
  };
};

export const silentFeedback = (tree: YamlTree): Findings => {
  const blocks = tree.keys(['readers']).map((reader) => ['readers', reader, 'feedback']);
  const silent = blocks.filter((path) => isBlock(tree.at(path)) && tree.keys(path).length === 0);
  return { warnings: silent.map((path) => atKey(path, 'has no effect without greenLed, redLed or buzzer')) };
};

/** The sysfs interface of the kernel knows no pull resistors. */
export const bareInputs = (tree: YamlTree): Findings => {
  if (tree.read(['gpio', 'driver'], gpioDriver) !== 'rpi-gpio') return {};
  const inputs = tree
    .keys(['doors'])
    .flatMap((door) => ['contact', 'exitButton', 'tamper'].map((part) => ['doors', door, part]));
  const message = 'needs a pull resistor outside the Pi: gpio.driver: rpi-gpio switches none on';
  return { warnings: inputs.filter((path) => tree.at(path) !== undefined).map((path) => atKey(path, message)) };
};

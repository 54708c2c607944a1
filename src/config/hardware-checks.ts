// Rules about the wiring: a GPIO line or SPI device serves one purpose, real doors have lines, real and simulated things
// are mixed on purpose only.

import { SIGNALS } from '../domain/feedback.ts';
import { atKey, atValue, type Finding, type Findings, formatPath } from './faults.ts';
import { readerDriver, spi } from './reader-schema.ts';
import { debounceMilliseconds, gpioChip, gpioDriver } from './schema.ts';
import { line, MAX_LINE } from './schema-terms.ts';
import { isBlock, type YamlTree } from './yaml-tree.ts';

const DOOR_PARTS = ['strike', 'contact', 'exitButton', 'tamper'] as const;

/** The blocks that have a line, whether they say which or not. */
const wiredBlocks = (tree: YamlTree): readonly (readonly string[])[] => [
  ...tree.keys(['doors']).flatMap((door) => DOOR_PARTS.map((part) => ['doors', door, part])),
  ...tree.keys(['readers']).flatMap((reader) => SIGNALS.map((signal) => ['readers', reader, 'feedback', signal])),
];

/** Real strikes, inputs and signals need a line; simulated ones do without. */
export const missingLines = (tree: YamlTree): Findings => {
  const driver = tree.read(['gpio', 'driver'], gpioDriver);
  if (driver === undefined || driver === 'simulated') return {};
  const lineless = wiredBlocks(tree).filter(
    (block) => isBlock(tree.at(block)) && tree.at([...block, 'line']) === undefined,
  );
  const message = `is missing; allowed: a whole number from 0 to ${MAX_LINE}, the BCM number (only gpio.driver: simulated does without)`;
  return { faults: lineless.map((block) => atValue([...block, 'line'], message)) };
};

/** SPI pins by bus: MISO, MOSI, SCLK, and the chip selects in order (BCM2835 datasheet, 6.2: ALT0 for SPI0, ALT4 for SPI1). */
const SPI_PINS: Readonly<Record<string, readonly number[]>> = { '0': [9, 10, 11, 8, 7], '1': [19, 20, 21, 18, 17, 16] };
/** The kernel claims both chip selects of SPI0; of SPI1 only the ones that its overlay was told. */
const pinsOf = (device: string): readonly number[] => {
  const [bus = '', select = ''] = device.replace('/dev/spidev', '').split('.');
  const pins = SPI_PINS[bus] ?? [];
  return bus === '1' ? pins.slice(0, 4 + Number(select)) : pins;
};

export const sharedLines = (tree: YamlTree): Findings => {
  const uses = [
    ...wiredBlocks(tree).map((block) => [...block, 'line']),
    ...tree.keys(['readers']).map((reader) => ['readers', reader, 'resetLine']),
  ].flatMap((path) => {
    const number = tree.read(path, line);
    return number === undefined ? [] : [{ path, number }];
  });
  const spiUsers = new Map(
    mfrc522Readers(tree).flatMap(({ path, device }) => pinsOf(device).map((pin) => [pin, path])),
  );
  const faults: Finding[] = [];
  const warnings: Finding[] = [];
  const taken = new Map<number, readonly string[]>();
  for (const { path, number } of inFileOrder(uses, tree)) {
    const earlier = taken.get(number);
    const spiUser = spiUsers.get(number);
    if (earlier !== undefined) {
      const place = `${formatPath(earlier)} on line ${tree.place(earlier, 'value').line} of this file`;
      faults.push(atValue(path, `GPIO line ${number} is used already by ${place}; allowed: a free line`));
    } else if (spiUser !== undefined) {
      const message = `GPIO line ${number} belongs to the SPI bus of ${formatPath(spiUser)}; allowed: a free line`;
      (hasOwnNumbering(tree) ? warnings : faults).push(atValue(path, message));
    }
    taken.set(number, earlier ?? path);
  }
  return { faults, warnings };
};

/** A chip given by its path may be an expander, whose line 8 is not GPIO8. */
const hasOwnNumbering = (tree: YamlTree): boolean => {
  const chip = tree.read(['gpio', 'chip'], gpioChip);
  return chip !== undefined && !chip.startsWith('pinctrl-');
};

export const sharedSpi = (tree: YamlTree): Findings => {
  const taken = new Map<string, readonly string[]>();
  const faults: Finding[] = [];
  for (const { path, device } of inFileOrder(mfrc522Readers(tree), tree)) {
    const earlier = taken.get(device);
    taken.set(device, earlier ?? path);
    if (earlier === undefined) continue;
    const message = `${device} is used already by ${formatPath(earlier)}; each reader has a chip select of its own`;
    faults.push(atValue([...path, 'spi'], message));
  }
  return { faults };
};

/** Of the 400 ms that an input must last to count for certain, what the driver's own looks leave. */
const LONGEST_DEBOUNCE = 300;

export const longDebounce = (tree: YamlTree): Findings => {
  const path = ['gpio', 'debounceMilliseconds'];
  const debounce = tree.read(path, debounceMilliseconds);
  if (debounce === undefined || debounce <= LONGEST_DEBOUNCE) return {};
  const message = `a button pressed for 400 ms may be missed; with ${LONGEST_DEBOUNCE} or less it is not`;
  return { warnings: [atValue(path, message)] };
};

export const mixedHardware = (tree: YamlTree): Findings => {
  const driver = tree.read(['gpio', 'driver'], gpioDriver);
  if (driver === undefined) return {};
  const isSimulated = driver === 'simulated';
  const readers = tree.keys(['readers']).flatMap((reader): readonly Finding[] => {
    const path = ['readers', reader, 'driver'];
    const readerIs = tree.read(path, readerDriver);
    if (readerIs === undefined || (readerIs === 'simulated') === isSimulated) return [];
    const message = isSimulated
      ? 'a real reader at simulated doors; simulated ones have driver: simulated'
      : 'a simulated reader at real doors; real ones have driver: mfrc522';
    return [atValue(path, message)];
  });
  const hasIdleChip = tree.at(['gpio', 'chip']) !== undefined && (isSimulated || driver === 'rpi-gpio');
  const chip = atKey(['gpio', 'chip'], `has no effect with gpio.driver: ${driver}`);
  return { warnings: [...readers, ...(hasIdleChip ? [chip] : [])] };
};

const mfrc522Readers = (tree: YamlTree): readonly { readonly path: readonly string[]; readonly device: string }[] =>
  tree.keys(['readers']).flatMap((reader) => {
    const path = ['readers', reader];
    const device = tree.read([...path, 'spi'], spi);
    return device === undefined || tree.read([...path, 'driver'], readerDriver) !== 'mfrc522' ? [] : [{ path, device }];
  });

const inFileOrder = <Item extends { readonly path: readonly string[] }>(
  items: readonly Item[],
  tree: YamlTree,
): readonly Item[] =>
  items.toSorted((a, b) => {
    const [first, second] = [tree.place(a.path, 'value'), tree.place(b.path, 'value')];
    return first.line - second.line || first.column - second.column;
  });

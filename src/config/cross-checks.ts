// Rules between keys: one line for one purpose, readers that name doors, the link to HR. They look at each value that is
// right by itself, whatever else is wrong in the file, so that all faults are told at once.

import { z } from 'zod';
import { SLUG } from '../domain/ids.ts';
import { type Finding, formatPath, showValue } from './faults.ts';
import { mqttFindings } from './mqtt-checks.ts';
import { nearestKey } from './nearest-key.ts';
import {
  gpioChip,
  gpioDriver,
  ID_RULE,
  line,
  MAX_DOORS,
  MAX_LINE,
  MAX_READERS,
  readerDoor,
  readerDriver,
  readerRole,
  spi,
  trustMessages,
} from './schema.ts';
import type { YamlTree } from './yaml-tree.ts';

/** Faults keep the gateway from starting; warnings are for the technician to judge. */
export interface CrossFindings {
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
}

export const crossCheck = (tree: YamlTree): CrossFindings => {
  const parts = [
    mqttFindings(tree),
    trust(tree),
    counts(tree),
    ids(tree),
    missingLines(tree),
    sharedLines(tree),
    readerDoors(tree),
  ];
  const all = [...parts, sharedSpi(tree), idleDoors(tree), mixedHardware(tree)];
  return { faults: all.flatMap(({ faults }) => faults ?? []), warnings: all.flatMap(({ warnings }) => warnings ?? []) };
};

type Check = Partial<CrossFindings>;

const trust = (tree: YamlTree): Check => {
  const path = ['trust', 'messages'];
  if (tree.read(path, trustMessages) !== 'signed') return {};
  const message =
    'signed messages (the default) are not available in this version; set trust.messages: unsigned, and let only HR publish at the broker';
  return { faults: [{ path, at: 'value', message }] };
};

const counts = (tree: YamlTree): Check => {
  const doors = tree.keys(['doors']).length;
  const readers = tree.keys(['readers']).length;
  const isDoorless = isBlock(tree.at(['doors'])) && doors === 0;
  return {
    faults: [
      ...(isDoorless || doors > MAX_DOORS
        ? [atKey(['doors'], `there are ${doors} doors; allowed: 1 to ${MAX_DOORS}`)]
        : []),
      ...(readers > MAX_READERS
        ? [atKey(['readers'], `there are ${readers} readers; allowed: at most ${MAX_READERS}`)]
        : []),
    ],
    warnings: readers === 0 ? [atKey(['readers'], 'there are no readers; cards open nothing here')] : [],
  };
};

/** Here rather than as the schema's key type, which would not look into a block whose key is wrong. */
const ids = (tree: YamlTree): Check => {
  const blocks = ['doors', 'readers'].flatMap((section) => tree.keys([section]).map((key) => [section, key] as const));
  const wrong = blocks.filter(([, key]) => !SLUG.test(key));
  return { faults: wrong.map(([section, key]) => atKey([section, key], `${showValue(key)} is not an id; ${ID_RULE}`)) };
};

const DOOR_PARTS = ['strike', 'contact', 'exitButton'] as const;

/** Real strikes, contacts and buttons need a line; simulated ones do without. */
const missingLines = (tree: YamlTree): Check => {
  const driver = tree.read(['gpio', 'driver'], gpioDriver);
  if (driver === undefined || driver === 'simulated') return {};
  const blocks = tree.keys(['doors']).flatMap((door) => DOOR_PARTS.map((part) => ['doors', door, part]));
  const lineless = blocks.filter((block) => isBlock(tree.at(block)) && tree.at([...block, 'line']) === undefined);
  const message = `is missing; allowed: a whole number from 0 to ${MAX_LINE}, the BCM number (only gpio.driver: simulated does without)`;
  return { faults: lineless.map((block) => ({ path: [...block, 'line'], at: 'value', message })) };
};

/** SPI pins by bus: MISO, MOSI, SCLK, and the chip selects in order (BCM2835 datasheet, 6.2: ALT0 for SPI0, ALT4 for SPI1). */
const SPI_PINS: Readonly<Record<string, readonly number[]>> = { '0': [9, 10, 11, 8, 7], '1': [19, 20, 21, 18, 17, 16] };
/** The kernel claims both chip selects of SPI0; of SPI1 only the ones that its overlay was told. */
const pinsOf = (device: string): readonly number[] => {
  const [bus = '', select = ''] = device.replace('/dev/spidev', '').split('.');
  const pins = SPI_PINS[bus] ?? [];
  return bus === '1' ? pins.slice(0, 4 + Number(select)) : pins;
};

const sharedLines = (tree: YamlTree): Check => {
  const uses = [
    ...tree.keys(['doors']).flatMap((door) => DOOR_PARTS.map((part) => ['doors', door, part, 'line'])),
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
      faults.push({
        path,
        at: 'value',
        message: `GPIO line ${number} is used already by ${place}; allowed: a free line`,
      });
    } else if (spiUser !== undefined) {
      const message = `GPIO line ${number} belongs to the SPI bus of ${formatPath(spiUser)}; allowed: a free line`;
      (hasOwnNumbering(tree) ? warnings : faults).push({ path, at: 'value', message });
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

const readerDoors = (tree: YamlTree): Check => {
  const doors = tree.keys(['doors']);
  const faults = tree.keys(['readers']).flatMap((reader): readonly Finding[] => {
    const block = ['readers', reader];
    const path = [...block, 'door'];
    const role = tree.read([...block, 'role'], readerRole);
    if (isBlock(tree.at(block)) && tree.at(path) === undefined) {
      if (role === undefined || role === 'enrolment') return [];
      const message = `is missing; a reader with role ${role} needs one of the doors: ${doors.join(', ')}`;
      return [{ path, at: 'value', message }];
    }
    const door = tree.read(path, readerDoor);
    if (door === undefined || doors.includes(door)) return [];
    const near = nearestKey(door, doors);
    const advice = near === undefined ? '' : `did you mean ${near}? `;
    return [{ path, at: 'value', message: `there is no door ${door}; ${advice}allowed: ${doors.join(', ')}` }];
  });
  return { faults };
};

const sharedSpi = (tree: YamlTree): Check => {
  const taken = new Map<string, readonly string[]>();
  const faults: Finding[] = [];
  for (const { path, device } of inFileOrder(mfrc522Readers(tree), tree)) {
    const earlier = taken.get(device);
    taken.set(device, earlier ?? path);
    if (earlier === undefined) continue;
    const message = `${device} is used already by ${formatPath(earlier)}; each reader has a chip select of its own`;
    faults.push({ path: [...path, 'spi'], at: 'value', message });
  }
  return { faults };
};

const idleDoors = (tree: YamlTree): Check => {
  const served = new Set(tree.keys(['readers']).map((reader) => tree.at(['readers', reader, 'door'])));
  const idle = tree
    .keys(['doors'])
    .filter((door) => !served.has(door) && tree.at(['doors', door, 'exitButton']) === undefined);
  return {
    warnings: idle.map((door) =>
      atKey(['doors', door], 'has neither a reader nor an exit button; only commands open it'),
    ),
  };
};

const mixedHardware = (tree: YamlTree): Check => {
  const driver = tree.read(['gpio', 'driver'], gpioDriver);
  if (driver === undefined) return {};
  const isSimulated = driver === 'simulated';
  const readers = tree.keys(['readers']).flatMap((reader): readonly Finding[] => {
    const path = ['readers', reader, 'driver'];
    const readerIs = tree.read(path, readerDriver);
    if (readerIs === 'simulated' && !isSimulated)
      return [{ path, at: 'value', message: 'a simulated reader at real doors' }];
    if (readerIs === 'mfrc522' && isSimulated)
      return [{ path, at: 'value', message: 'a real reader at simulated doors' }];
    return [];
  });
  const hasIdleChip = tree.at(['gpio', 'chip']) !== undefined && (isSimulated || driver === 'rpi-gpio');
  const chip: Finding = { path: ['gpio', 'chip'], at: 'key', message: `has no effect with gpio.driver: ${driver}` };
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

const block = z.record(z.string(), z.unknown());
const isBlock = (value: unknown): boolean => block.safeParse(value).success;

const atKey = (path: readonly string[], message: string): Finding => ({ path, at: 'key', message });

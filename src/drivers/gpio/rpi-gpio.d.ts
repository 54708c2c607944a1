// The part of rpi-gpio 2.1.7 that this project calls; the package brings no types.

declare module 'rpi-gpio' {
  interface RpiGpio {
    readonly MODE_BCM: string;
    setMode(mode: string): void;
    /** Forgets every line and the mode. */
    reset(): void;
    readonly promise: {
      setup(channel: number, direction: 'in' | 'low' | 'high', edge: 'none'): Promise<void>;
      /** Unexports every line that was set up. */
      destroy(): Promise<void>;
    };
  }
  const gpio: RpiGpio;
  export = gpio;
}

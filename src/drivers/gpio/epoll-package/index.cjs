// Stands in for the native package epoll, which does not build without a compiler. rpi-gpio registers the value file of every
// line here; nothing is ever called back, so rpi-gpio never emits 'change'. rpi-gpio-door-io.ts polls the lines itself: rpi-gpio
// reads a changed line in a queue behind the database's disk writes, and a short press would be over before it is read.

'use strict';

const { closeSync } = require('node:fs');

class Epoll {
  add() {
    return this;
  }

  /** rpi-gpio leaves the descriptor to us: it forgets it without closing it. */
  remove(descriptor) {
    closeSync(descriptor);
    return this;
  }

  close() {
    return this;
  }
}

Epoll.EPOLLPRI = 2;

module.exports = { Epoll };
